/** `quickcolumn cross-validate`: one configuration on every fold of the cases, resumably; the folds are an ensemble. */
import { toTable } from '@quickcolumn/evaluate';
import type { CaseNaming, ConfigRequest } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { wholeNumber } from '../flags/arguments.js';
import { configToTrain } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { note, print, quoted } from '../terminal/terminal.js';
import { withTrainingOptions } from '../flags/training-flags.js';

interface CrossValidateFlags extends Omit<ConfigRequest, 'fold'>, CaseNaming {
  readonly out: string;
  readonly folds?: number;
  /** Only this one, from 0. */
  readonly fold?: number;
  readonly redo?: boolean;
  readonly cache: string;
  readonly threads?: number;
}

export function crossValidateCommand(): Command {
  const command = new Command('cross-validate')
    .description('train and evaluate one configuration on every fold, resumably')
    .requiredOption('--out <folder>', 'fold-0/ and on, metrics.csv, metrics.json, report.html')
    .option('--folds <n>', 'number of folds (default: 5)', wholeNumber(2))
    .option('--fold <k>', 'only this fold, from 0', wholeNumber(0));
  withTrainingOptions(command, ['list', 'images', 'labels', 'profile', 'config', 'holdOut'], {
    holdOut: 'cases kept out of all folds, separated by commas',
  });
  withTrainingOptions(command, [
    'epochs',
    'stepsPerEpoch',
    'batch',
    'patch',
    'seed',
    'learningRate',
    'minutes',
    'maxMinutes',
  ]);
  withTrainingOptions(command, ['accept', 'assumeOrientation', 'assumeUnits']);
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
  const { out, folds, fold, redo, cache, threads, anonymize, anonymizeKey, ...others } = flags;
  const { runtime, precision, autotune, ...asked } = others;
  // With --out alone it goes on with what the folder holds.
  const goesOn = folds === undefined && Object.values(asked).every((flag) => flag === undefined);
  const config = goesOn ? undefined : await configToTrain(others);
  const compute = { runtime, precision, autotune, threads };
  const { evaluation } = await run(
    { kind: 'cross-validate', out, config, folds, fold, redo, cacheDir: cache, ...compute, anonymize, anonymizeKey },
    `quickcolumn cross-validate --out ${quoted(out)}`,
  );
  if (evaluation === undefined) return;
  print(toTable(evaluation.summary, evaluation.cases).split('\n'));
  note(`written to ${out}`);
}
