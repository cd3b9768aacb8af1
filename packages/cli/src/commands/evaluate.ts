/** `quickcolumn evaluate`: metrics of predicted masks against the truth, as table, CSV, JSON and report. */
import { toTable } from '@quickcolumn/evaluate';
import { readHistory } from '@quickcolumn/learn';
import { covidClasses, msdClasses } from '@quickcolumn/volume';
import { Command, Option } from 'commander';
import { type AnonymousFlags, checkAnonymousFlags, shownNames, withAnonymousFlags } from '../anonymous.js';
import { positiveNumber, wholeNumber } from '../arguments.js';
import { InputError, type ScanFile, scansIn } from '../cases.js';
import { evaluateCases, type EvaluationCase, sidecarClasses, writeEvaluation } from '../evaluation.js';
import { checkOutputFolder, exists, writeFolder } from '../outputs.js';
import { note, print } from '../terminal.js';

interface EvaluateFlags extends AnonymousFlags {
  readonly truth: string;
  readonly prediction: string;
  readonly out: string;
  readonly images?: string;
  readonly history?: string;
  readonly classes?: 'covid' | 'msd';
  readonly ignoreLabel?: number;
  readonly minimumLesion?: number;
  readonly force?: boolean;
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('compare predicted masks with the truth')
    .requiredOption('--truth <folder>', 'true label maps')
    .requiredOption('--prediction <folder>', 'predicted masks, named as the truth')
    .requiredOption('--out <folder>', 'for metrics.csv, metrics.json, report.html and overlays/')
    .option('--images <folder>', 'the scans, for overlay pictures and mean HU')
    .option('--history <history.jsonl>', 'history of the training, for its curves')
    .addOption(
      new Option('--classes <set>', 'label values (default: from the masks’ sidecars, else covid)').choices([
        'covid',
        'msd',
      ]),
    )
    .option('--ignore-label <value>', 'leave out voxels with this value in the truth', wholeNumber(1))
    .option('--minimum-lesion <ml>', 'smallest lesion that is counted (default: 0.05)', positiveNumber)
    .option('--force', 'replace the results of an earlier evaluation')
    .addHelpText(
      'after',
      `
Only cases that have a prediction are evaluated.

Examples:
  quickcolumn evaluate --truth labels --prediction masks --out evaluation
  quickcolumn evaluate --truth labels --prediction masks --images ct --history run/history.jsonl --out evaluation
  quickcolumn evaluate --truth labels --prediction masks --out evaluation --anonymize --anonymize-key key.json`,
    )
    .action(evaluate);
  return withAnonymousFlags(command);
}

async function evaluate(flags: EvaluateFlags): Promise<void> {
  await checkOutputFolder(flags.out, flags.force ?? false);
  await checkAnonymousFlags(flags, flags.force ?? false);
  const { cases, truths } = await matchCases(flags);
  // Numbered over all truths, so that two models on the same cases have the same numbers.
  const { anonymous, shown, writeKey } = shownNames(truths, flags);
  const left = truths.length - cases.length;
  const where = anonymous ? '--truth' : flags.truth;
  if (left > 0) note(`${left} of ${truths.length} cases in ${where} have no prediction and are left out`);
  if (flags.history !== undefined && !(await exists(flags.history))) {
    throw new InputError(`--history: ${flags.history} does not exist`, { path: flags.history });
  }
  const history = flags.history === undefined ? undefined : await readHistory(flags.history);
  const named = flags.classes === undefined ? await sidecarClasses(cases[0].predictionPath) : undefined;
  const classes = named ?? (flags.classes === 'msd' ? msdClasses : covidClasses);
  const evaluation = await evaluateCases(cases.map(shown), classes, flags.ignoreLabel, flags.minimumLesion);
  const source = anonymous ? 'names of cases are not shown' : `${flags.prediction} against ${flags.truth}`;
  await writeFolder(flags.out, (folder) =>
    writeEvaluation(folder, evaluation, {
      title: 'Evaluation',
      subtitle: `${source}, ${new Date().toISOString().slice(0, 10)}`,
      classes,
      history,
    }),
  );
  await writeKey();
  print(toTable(evaluation.summary, evaluation.cases));
  note(`written to ${flags.out}`);
}

async function matchCases(flags: EvaluateFlags): Promise<{ cases: EvaluationCase[]; truths: ScanFile[] }> {
  const all = await scansIn(flags.truth, '--truth');
  const truths = new Map(all.map(({ name, path }) => [name, path]));
  const predictions = await scansIn(flags.prediction, '--prediction');
  const scans = flags.images === undefined ? [] : await scansIn(flags.images, '--images');
  const images = new Map(scans.map(({ name, path }) => [name, path]));
  const unmatched = predictions.filter(({ name }) => !truths.has(name)).map(({ name }) => name);
  if (unmatched.length > 0) {
    throw new InputError(`${flags.truth}: no truth for ${unmatched.join(', ')}; files must have the same name`, {
      unmatched,
    });
  }
  const cases = predictions.map(({ name, path }) => ({
    name,
    truthPath: truths.get(name) ?? '',
    predictionPath: path,
    imagePath: images.get(name),
  }));
  return { cases, truths: all };
}
