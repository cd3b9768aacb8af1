/** `quickcolumn cross-validate`: one configuration on every fold of the cases, resumably; the folds are an ensemble. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CaseMetrics, evaluationResult, toTable } from '@quickcolumn/evaluate';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import type { DatasetCase } from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import { Command } from 'commander';
import { type AnonymousFlags, checkAnonymousFlags, shownNames, withAnonymousFlags } from '../anonymous.js';
import { wholeNumber } from '../arguments.js';
import { crossValidationFile, crossValidationFold } from '../compare/ensemble-folder.js';
import { type Experiment, readExperiment } from '../compare/experiment.js';
import { experimentYaml } from '../compare/experiment-yaml.js';
import { masksFolder, readResult } from '../compare/fold-files.js';
import { runFolds, throwFailures } from '../compare/run-folds.js';
import { givenRequest } from '../device.js';
import { overlayOf, writeEvaluation } from '../evaluation.js';
import { checkOutputFolder, exists, OutputError, writeFolder } from '../outputs.js';
import { note, print } from '../terminal.js';
import { type ConfigFlags, trainConfigFrom } from '../train-config.js';
import { withTrainingOptions } from '../training-options.js';
import { toYaml } from '../yaml.js';

interface CrossValidateFlags extends Omit<ConfigFlags, 'fold'>, AnonymousFlags {
  readonly out: string;
  readonly folds?: number;
  /** Only this one, from 0. */
  readonly fold?: number;
  readonly redo?: boolean;
  readonly cache: string;
  readonly threads?: number;
}

const systemId = 'model';

export function crossValidateCommand(): Command {
  const command = new Command('cross-validate')
    .description('train and evaluate one configuration on every fold, resumably')
    .requiredOption('--out <folder>', 'fold-0/ and on, metrics.csv, metrics.json, report.html')
    .option('--folds <n>', 'number of folds (default: 5)', wholeNumber(2))
    .option('--fold <k>', 'only this fold, from 0', wholeNumber(0));
  withTrainingOptions(command, ['list', 'images', 'labels', 'profile', 'config', 'holdOut'], {
    holdOut: 'cases kept out of all folds, separated by commas',
  });
  withTrainingOptions(command, ['epochs', 'stepsPerEpoch', 'batch', 'patch', 'seed', 'learningRate', 'maxMinutes']);
  withTrainingOptions(command, ['network', 'rootFilters', 'runtime', 'precision', 'autotune', 'threads', 'cache'])
    .option('--redo', 'train all folds anew (with --fold: this one); their results are removed')
    .addHelpText(
      'after',
      `
Each fold's cases are held out of its training, which divides the others again to choose its checkpoint. Interrupted or
killed, the same command (or --out alone) goes on where it stopped. The folder is also a model: predict --model FOLDER
averages its folds.

Examples:
  quickcolumn cross-validate --profile quick --images ct --labels labels --folds 5 --out cv
  quickcolumn cross-validate --out cv
  quickcolumn predict --model cv new-scans/ --out masks`,
    )
    .action(crossValidate);
  return withAnonymousFlags(command);
}

async function crossValidate(flags: CrossValidateFlags): Promise<void> {
  const { out } = flags;
  await checkOutputFolder(out, true);
  await checkAnonymousFlags(flags, false);
  const experiment = await chosenExperiment(flags);
  let cases: readonly DatasetCase[] = [];
  let failures: readonly QuickcolumnError[] = [];
  try {
    failures = await runFolds({
      experiment,
      folderOf: (_id, fold) => crossValidationFold(out, fold),
      cacheDir: flags.cache,
      threads: flags.threads,
      anonymous: flags,
      ...(flags.fold !== undefined && { folds: [flags.fold] }),
      redo: flags.redo ? [systemId] : [],
      onStart: async (all) => {
        cases = all;
        await makeFolder(out);
        await writeFileAtomic(join(out, crossValidationFile), experimentYaml(experiment));
      },
    });
  } catch (error) {
    if (!(error instanceof QuickcolumnError) || error.code !== 'interrupted') throw error;
    const message = `interrupted; finished folds are kept, go on with: quickcolumn cross-validate --out ${out}`;
    throw new QuickcolumnError('interrupted', message, {}, { cause: error });
  }
  await evaluateAll(experiment, cases, flags);
  throwFailures(failures);
}

/** From the flags, or the one that the folder holds. */
async function chosenExperiment(flags: CrossValidateFlags): Promise<Experiment> {
  const { out, folds, fold: _fold, redo: _redo, cache: _cache, threads: _threads, ...others } = flags;
  const {
    runtime: _runtime,
    precision: _precision,
    autotune: _autotune,
    anonymize: _shown,
    anonymizeKey: _key,
    ...asked
  } = others;
  const file = join(out, crossValidationFile);
  const begun = await exists(file);
  if (!begun && (await exists(out)) && (await readdir(out)).length > 0) {
    throw new OutputError(`${out} is not empty and holds no ${crossValidationFile}; choose a new folder`, out);
  }
  const isPlain = [folds, ...Object.values(asked)].every((flag) => flag === undefined);
  if (begun && isPlain) return await readExperiment(file, { compute: givenRequest(flags) });
  const { data, ...settings } = await trainConfigFrom({ ...asked, ...givenRequest(flags) });
  const split = data.split.kind === 'fraction' ? data.split : { kind: 'fraction' as const, validation: 0.2 };
  const title = `Cross-validation of ${settings.network.name}, profile ${settings.profile}`;
  const system = { id: systemId, title, config: { ...settings, data: { ...data, split } }, testTime: {} };
  return { title, folds: folds ?? 5, seed: settings.seed, systems: [system] };
}

/** All held-out cases together, each predicted by the fold that had not seen it. */
async function evaluateAll(
  { title, folds, systems: [{ config }] }: Experiment,
  all: readonly DatasetCase[],
  flags: CrossValidateFlags,
): Promise<void> {
  const { out } = flags;
  const names = shownNames(all, flags);
  const { classes, ignoreLabel } = config.preparation;
  const cases: CaseMetrics[] = [];
  const overlays: Parameters<typeof writeEvaluation>[1]['overlays'][number][] = [];
  const unfinished: string[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const folder = crossValidationFold(out, fold);
    const result = await readResult(folder);
    if (result === undefined) {
      unfinished.push(`fold-${fold}`);
      continue;
    }
    for (const metrics of result.cases) {
      const files = all.find(({ name }) => name === metrics.name);
      if (files === undefined) throw new QuickcolumnError('internal', `${metrics.name}: evaluated, but not a case`);
      const shown = names.shown(metrics);
      cases.push(shown);
      const predictionPath = join(folder, masksFolder, `${metrics.name}.nii.gz`);
      const { imagePath, labelPath } = files;
      overlays.push({
        name: shown.name,
        overlay: await overlayOf({ imagePath, truthPath: labelPath, predictionPath }, classes, ignoreLabel),
      });
    }
  }
  if (unfinished.length > 0) {
    note(`${unfinished.join(', ')} not finished; all cases are evaluated together when they are`);
    return;
  }
  cases.sort((a, b) => (a.name < b.name ? -1 : 1));
  overlays.sort((a, b) => (a.name < b.name ? -1 : 1));
  const { summary } = evaluationResult(cases);
  await writeFolder(out, async (folder) => {
    await writeEvaluation(
      folder,
      { summary, cases, overlays },
      {
        title,
        subtitle: `${folds} folds; every case predicted by the model that was trained without it`,
        config: toYaml(names.shownConfig(config)),
        classes,
      },
    );
  });
  await names.writeKey();
  print(toTable(summary, cases));
  note(`written to ${out}`);
}
