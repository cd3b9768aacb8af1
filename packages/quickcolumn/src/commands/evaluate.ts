/** `quickcolumn evaluate`: metrics of predicted masks against the truth, as table, CSV, JSON and report. */
import { toTable } from '@quickcolumn/evaluate';
import type { CaseNaming, ClassSet, ScanConsent } from '@quickcolumn/workflows';
import { Command, Option } from 'commander';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { positiveNumber, wholeNumber } from '../flags/arguments.js';
import { withAssumptionFlags } from '../flags/consent-flags.js';
import { run } from '../terminal/run.js';
import { note, print } from '../terminal/terminal.js';

interface EvaluateFlags extends CaseNaming, Omit<ScanConsent, 'accept'> {
  readonly truth: string;
  readonly prediction: string;
  readonly out: string;
  readonly images?: string;
  readonly history?: string;
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
  return withAnonymousFlags(withAssumptionFlags(command));
}

async function evaluate({ minimumLesion, ...flags }: EvaluateFlags): Promise<void> {
  const { summary, cases } = await run({ kind: 'evaluate', ...flags, minimumLesionMl: minimumLesion });
  print(toTable(summary, cases).split('\n'));
  note(`written to ${flags.out}`);
}
