/** `quickcolumn rounds`: training with a person in the loop. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type ConfigRequest, roundsStatus, type RoundsStatus } from '@quickcolumn/workflows';
import { Command, Option } from 'commander';
import { wholeNumber } from '../flags/arguments.js';
import { configToTrain } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { print, quoted, table } from '../terminal/terminal.js';
import { withTrainingOptions } from '../flags/training-flags.js';

interface RunFlags {
  readonly out: string;
  readonly cache: string;
  readonly threads?: number;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

interface StartFlags extends RunFlags, ConfigRequest {
  readonly first?: number;
  readonly scans: number;
  readonly order: 'given' | 'uncertain';
}

interface NextFlags extends RunFlags {
  readonly acceptUnchanged?: boolean;
  readonly scans?: number;
}

export function roundsCommand(): Command {
  return new Command('rounds')
    .description('train in rounds: the model predicts the next scans, a person corrects them')
    .addCommand(startCommand())
    .addCommand(nextCommand())
    .addCommand(statusCommand())
    .addHelpText(
      'after',
      `
Round 1 trains on the labelled cases of a list. Each further round predicts the next scans without labels into
OUT/round-N/to-correct, waits until they are corrected there, and trains again on all that there is by then.

Examples:
  quickcolumn rounds start --list all.csv --profile quick --scans 5 --out rounds
  quickcolumn rounds status --out rounds
  quickcolumn rounds next --out rounds`,
    );
}

function withRunFlags(command: Command): Command {
  command.requiredOption('--out <folder>', 'folder of the rounds');
  return withTrainingOptions(command, ['threads', 'cache']).option(
    '--no-evaluate',
    'leave the metrics of the validation cases out of each training’s report',
  );
}

function startCommand(): Command {
  const command = new Command('start').description(
    'train round 1 on the labelled cases and predict the scans of round 2',
  );
  withTrainingOptions(command, ['list'], {
    list: 'list of image,label,patient,split; scans without a label are predicted in their turn',
  })
    .option('--first <n>', 'train round 1 on the first N labelled cases; the others join in round 2', wholeNumber(1))
    .option('--scans <n>', 'scans to correct in each round', wholeNumber(1), 5)
    .addOption(
      new Option('--order <order>', 'which scans are next: as listed, or those with the largest mean entropy first')
        .choices(['given', 'uncertain'])
        .default('given'),
    );
  withTrainingOptions(command, [
    'profile',
    'config',
    'minutes',
    'epochs',
    'stepsPerEpoch',
    'patch',
    'seed',
    'learningRate',
  ]);
  withTrainingOptions(command, ['accept', 'assumeOrientation', 'assumeUnits']);
  withTrainingOptions(command, ['network', 'rootFilters', 'initFrom', 'freeze', 'runtime', 'precision', 'autotune'], {
    initFrom: 'start round 1 from this model; later rounds start from the one before',
    freeze: 'parts that are not trained, in all rounds',
  });
  return withRunFlags(command)
    .addHelpText(
      'after',
      `
Validation cases are chosen once (rows of split validation, else as data.split says) and stay the same in all rounds.

Examples:
  quickcolumn rounds start --list all.csv --profile quick --out rounds
  quickcolumn rounds start --config my.yaml --first 10 --scans 20 --order uncertain --out rounds`,
    )
    .action(startAction);
}

function nextCommand(): Command {
  const command = new Command('next')
    .description('accept the corrections, train the round and predict the next; or go on after an interruption')
    .argument('[corrected...]', 'corrected files that do not lie in to-correct, named as their scans')
    .option('--accept-unchanged', 'the masks that nobody changed are right as they are')
    .option('--scans <n>', 'scans to correct in each round from now on', wholeNumber(1));
  return withRunFlags(command)
    .addHelpText(
      'after',
      `
Corrected files must be on the grid of their scan and have no other labels than the configuration declares. They are
copied into OUT/labels; what lies in to-correct is never changed.

Examples:
  quickcolumn rounds next --out rounds
  quickcolumn rounds next --out rounds --accept-unchanged
  quickcolumn rounds next --out rounds slicer/case_7.nrrd`,
    )
    .action(nextAction);
}

function statusCommand(): Command {
  return new Command('status')
    .description('where the rounds are and what is to be done next')
    .requiredOption('--out <folder>', 'folder of the rounds')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn rounds status --out rounds`,
    )
    .action(async ({ out }: { readonly out: string }) => tell(out, await roundsStatus(out)));
}

async function startAction(flags: StartFlags): Promise<void> {
  const { out, first, scans, order } = flags;
  const needsList = 'rounds start needs a list of cases: --list, or data.list in the configuration';
  if (flags.list === undefined && flags.config === undefined) throw new QuickcolumnError('usage', needsList);
  const config = await configToTrain(flags);
  if (config.data.list === null) throw new QuickcolumnError('usage', needsList);
  tell(out, await run({ kind: 'rounds-start', config, first, scans, order, ...workOf(flags) }, nextCommandFor(out)));
}

async function nextAction(corrected: readonly string[], flags: NextFlags): Promise<void> {
  const { out, acceptUnchanged, scans } = flags;
  const job = { kind: 'rounds-next', corrected, acceptUnchanged, scans, ...workOf(flags) } as const;
  tell(out, await run(job, nextCommandFor(out)));
}

const workOf = ({ out, cache, threads, evaluate }: RunFlags): RoundsWork => ({
  out,
  cacheDir: cache,
  threads,
  evaluateValidation: evaluate,
});

interface RoundsWork {
  readonly out: string;
  readonly cacheDir: string;
  readonly threads?: number;
  readonly evaluateValidation: boolean;
}

const nextCommandFor = (out: string): string => `quickcolumn rounds next --out ${quoted(out)}`;

function tell(out: string, { round, state, batch, toCorrect, waiting, model, table: rows }: RoundsStatus): void {
  print(table(rows));
  const next = nextCommandFor(out);
  if (state === 'correct') {
    print(['', `Correct these ${batch.length} of ${waiting} scans in ${toCorrect}, then: ${next}`]);
    for (const name of batch) print(`  ${name}`);
  } else if (state === 'done') {
    print(['', `All scans are labelled. The last model is ${model}`]);
  } else {
    const what = state === 'predict' ? 'its scans are being predicted' : 'its training is not complete';
    print(['', `Round ${round} was interrupted, or is running: ${what}. To go on: ${next}`]);
  }
}
