/** `quickcolumn pseudo-label`: labels of unlabelled scans by a model, where it is sure, ready for `train`. */
import type { ComputeRequest, PseudoLabelledScan, ScanConsent } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { autotuneOption, precisionOption, probability, runtimeOption, wholeNumber } from '../flags/arguments.js';
import { withConsentFlags } from '../flags/consent-flags.js';
import { modelPaths } from '../flags/prediction-flags.js';
import { run } from '../terminal/run.js';
import { note, print, quoted, table } from '../terminal/terminal.js';

interface PseudoLabelFlags extends ComputeRequest, ScanConsent {
  readonly model: string;
  readonly out: string;
  readonly images?: string;
  readonly list?: string;
  readonly with?: string;
  readonly confidence: number;
  readonly minimumVoxels: number;
  readonly threads?: number;
  readonly force?: boolean;
}

export function pseudoLabelCommand(): Command {
  const command = new Command('pseudo-label')
    .description('label scans with a model where it is sure, to train on')
    .requiredOption('--model <model>', 'model file or run folder; several, separated by commas, are averaged')
    .requiredOption('--out <folder>', 'folder for labels, cases.csv and config.yaml')
    .option('--images <folder>', 'scans without labels (NIfTI, NRRD, MetaImage)')
    .option('--list <cases.csv>', 'or a list: its rows without a label, but those of the split test')
    .option('--with <cases.csv>', 'labelled cases that the new list begins with')
    .option('--confidence <p>', 'voxels keep a class of at least this probability', probability, 0.9)
    .option('--minimum-voxels <n>', 'leave out scans with fewer sure voxels beside the background', wholeNumber(0), 1)
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .addOption(autotuneOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--force', 'replace earlier pseudo-labels in --out')
    .addHelpText(
      'after',
      `
All other voxels get the label to ignore (preparation.ignoreLabel of the model, else 255). Pseudo-labelled cases are of
the split train-only: they are never validated or tested on, nor are scans used of patients who are.

Examples:
  quickcolumn train --profile quick --list labelled.csv --out teacher
  quickcolumn pseudo-label --model teacher --images unlabelled --with labelled.csv --out set
  quickcolumn train --config set/config.yaml --init-from teacher --out student`,
    )
    .action(pseudoLabel);
  return withConsentFlags(command);
}

async function pseudoLabel({ model, ...flags }: PseudoLabelFlags): Promise<void> {
  const { scans, list, config } = await run({ kind: 'pseudo-label', ...flags, model: modelPaths(model) });
  print(table(rowsOf(scans)));
  note(`train on them: quickcolumn train --config ${quoted(config)} --init-from ${quoted(model)} --out RUN`);
  print(list);
}

function rowsOf(scans: readonly PseudoLabelledScan[]): string[][] {
  const classes = Object.keys(scans[0]?.voxels ?? {}).slice(1);
  const rows = scans.map(({ name, keptShare, voxels, used }) => [
    name,
    `${(100 * keptShare).toFixed(1)}%`,
    ...classes.map((one) => String(voxels[one])),
    used ? 'used' : 'left out',
  ]);
  return [['case', 'sure', ...classes, 'label'], ...rows];
}
