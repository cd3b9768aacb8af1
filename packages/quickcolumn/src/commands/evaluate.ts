/** `quickcolumn evaluate`: metrics of predicted masks against the truth, as table, CSV, JSON and report. */
import { consentOf } from '@quickcolumn/cases';
import { toTable } from '@quickcolumn/evaluate';
import type { CaseNaming, ClassSet, ScanConsent } from '@quickcolumn/workflows';
import { Command, Option } from 'commander';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { positiveNumber, wholeNumber } from '../flags/arguments.js';
import { withAssumptionFlags } from '../flags/consent-flags.js';
import { configFromFlags } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { note, print } from '../terminal/terminal.js';

interface EvaluateFlags extends CaseNaming, Omit<ScanConsent, 'accept'> {
  readonly truth: string;
  readonly prediction: string;
  readonly out: string;
  readonly images?: string;
  readonly history?: string;
  readonly config?: string;
  readonly classes?: ClassSet;
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
    .option(
      '--config <config.yaml>',
      'classes, label mapping and label to ignore of a training (run/config.yaml), instead of --classes',
    )
    .addOption(
      new Option('--classes <set>', 'label values (default: from the masks’ sidecars, else covid)')
        .choices(['covid', 'msd'])
        .conflicts('config'),
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
  quickcolumn evaluate --truth labels --prediction masks --config run/config.yaml --out evaluation
  quickcolumn evaluate --truth labels --prediction masks --images ct --history run/history.jsonl --out evaluation
  quickcolumn evaluate --truth labels --prediction masks --out evaluation --anonymize --anonymize-key key.json`,
    )
    .action(evaluate);
  return withAnonymousFlags(withAssumptionFlags(command));
}

async function evaluate({ minimumLesion, config, ...flags }: EvaluateFlags): Promise<void> {
  const training = config === undefined ? undefined : await configFromFlags({ config, ...consentOf(flags) });
  // Of the flags, else of the configuration.
  const { accept: _accept, ...assumed } = consentOf(training?.data ?? flags);
  const { summary, cases } = await run({
    kind: 'evaluate',
    ...flags,
    ...assumed,
    ...(training && { preparation: training.preparation }),
    minimumLesionMl: minimumLesion,
  });
  print(toTable(summary, cases).split('\n'));
  note(`written to ${flags.out}`);
}
