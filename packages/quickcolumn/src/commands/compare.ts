/** `quickcolumn compare`: trains and evaluates several systems on the same folds of the same cases. */
import { resolve } from 'node:path';
import { type CaseNaming, type ComputeRequest, defaultCache } from '@quickcolumn/workflows';
import { Command, InvalidArgumentError } from 'commander';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { autotuneOption, nameList, precisionOption, runtimeOption, wholeNumber } from '../flags/arguments.js';
import { dataOverride } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { note, print, quoted } from '../terminal/terminal.js';

interface CompareFlags extends CaseNaming, ComputeRequest {
  readonly experiment?: string;
  readonly out: string;
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly systems?: readonly string[];
  readonly folds?: readonly number[];
  readonly cases?: readonly string[];
  readonly reportOnly?: boolean;
  readonly redo?: readonly string[];
  readonly threads?: number;
  readonly cache: string;
}

export function compareCommand(): Command {
  const command = new Command('compare')
    .description('train and evaluate several systems on the same folds, resumably')
    .option('--experiment <file.yaml>', 'the systems, folds and cases (default: that of --out, to go on)')
    .requiredOption(
      '--out <folder>',
      'experiment.yaml, systems/ID/fold-K/, comparison.json, report.html, CSV tables, figures/',
    )
    .option('--systems <ids>', 'only these systems, separated by commas', nameList)
    .option('--folds <numbers>', 'only these folds, from 0, separated by commas', numberList)
    .option('--cases <names>', 'cases to show beside the best, the median and the worst one', nameList)
    .option('--report-only', 'train nothing; report the finished folds that belong together')
    .option('--redo <ids>', 'train these systems anew, or all; their results are removed', nameList)
    .option('--list <cases.csv>', 'list of image,label,patient, in place of the experiment’s')
    .option('--images <folder>', 'scans, in place of the experiment’s')
    .option('--labels <folder>', 'label maps of the same names')
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .addOption(autotuneOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--cache <folder>', 'where prepared cases are kept', defaultCache())
    .addHelpText(
      'after',
      `
Each fold's cases are held out of its training, which divides the others again to choose its checkpoint. Interrupted or
killed, the same command goes on where it stopped. Of a finished fold model.onnx, history and masks stay; its
checkpoints are removed. Results of other data, code, configuration or machine are never put in one table.

Examples:
  quickcolumn compare --experiment examples/compare-quick.yaml --list cases.csv --out comparison
  quickcolumn compare --out comparison
  quickcolumn compare --out comparison --redo unet3d
  quickcolumn compare --out comparison --report-only --anonymize`,
    )
    .action(compare);
  return withAnonymousFlags(command);
}

async function compare(flags: CompareFlags): Promise<void> {
  const { list, images, labels, cache, ...options } = flags;
  const { comparison, report } = await run(
    { kind: 'compare', ...options, data: dataOverride({ list, images, labels }), cacheDir: cache },
    `quickcolumn compare --out ${quoted(flags.out)}`,
  );
  if (report === undefined) return;
  note(`comparison of ${comparison.systems.length} systems: ${resolve(report)}`);
  print(report);
}

/** '0,2' as numbers from 0. */
function numberList(text: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) {
    throw new InvalidArgumentError('Expected whole numbers from 0, separated by commas.');
  }
  return [...new Set(numbers)];
}
