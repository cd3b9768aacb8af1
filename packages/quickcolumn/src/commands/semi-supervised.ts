/** `quickcolumn semi-supervised`: a teacher labels what it is sure of, a student is trained on both, and teaches the next. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { ConfigRequest } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { probability, wholeNumber } from '../flags/arguments.js';
import { configToTrain } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { print, quoted } from '../terminal/terminal.js';
import { withTrainingOptions } from '../flags/training-flags.js';

interface SemiSupervisedFlags extends ConfigRequest {
  readonly out: string;
  readonly rounds: number;
  readonly confidence: number;
  readonly minimumVoxels: number;
  readonly cache: string;
  readonly threads?: number;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

export function semiSupervisedCommand(): Command {
  const command = new Command('semi-supervised')
    .description('train on labelled cases, label the others where the model is sure, train on both')
    .requiredOption('--out <folder>', 'folder for all of it; given again, the command goes on in it');
  withTrainingOptions(command, ['list', 'profile', 'config'], {
    list: 'list of image,label,patient,split; rows without a label are labelled by the model',
  })
    .option('--rounds <n>', 'students, one after the other', wholeNumber(1), 1)
    .option('--confidence <p>', 'voxels keep a class of at least this probability', probability, 0.9)
    .option('--minimum-voxels <n>', 'leave out scans with fewer sure voxels beside the background', wholeNumber(0), 1);
  withTrainingOptions(command, ['accept', 'assumeOrientation', 'assumeUnits']);
  return withTrainingOptions(command, [
    'minutes',
    'epochs',
    'seed',
    'runtime',
    'precision',
    'autotune',
    'threads',
    'cache',
  ])
    .option('--no-evaluate', 'leave the metrics of the validation cases out of each training’s report')
    .addHelpText(
      'after',
      `
OUT/teacher, OUT/student-1, … are run folders, OUT/labels-1, … what was labelled before each student. Validation cases are
chosen once and are the same in all trainings. pseudo-label does a single step of it.

Examples:
  quickcolumn semi-supervised --profile quick --list all.csv --out semi
  quickcolumn semi-supervised --config my.yaml --rounds 3 --confidence 0.95 --out semi`,
    )
    .action(semiSupervised);
}

async function semiSupervised(flags: SemiSupervisedFlags): Promise<void> {
  const { out, rounds, confidence, minimumVoxels, cache, threads, evaluate } = flags;
  const begun = existsSync(join(out, 'state.json'));
  if (!begun && flags.list === undefined && flags.config === undefined) {
    throw new QuickcolumnError(
      'usage',
      'semi-supervised needs a list of cases: --list, or data.list in the configuration',
    );
  }
  const config = begun ? undefined : await configToTrain(flags);
  const limits = { rounds, confidence, minimumVoxels };
  const { model } = await run(
    { kind: 'semi-supervised', out, config, ...limits, threads, evaluateValidation: evaluate, cacheDir: cache },
    `the same command (--out ${quoted(out)})`,
  );
  print(model);
}
