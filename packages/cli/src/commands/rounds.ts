/** `quickcolumn rounds`: training with a person in the loop; what happens in a round is in rounds/. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { divideListed, readCaseList } from '@quickcolumn/cases';
import { currentRound, type RoundsState, startRounds } from '@quickcolumn/learn';
import { QuickcolumnError } from '@quickcolumn/errors';
import { Command, Option } from 'commander';
import { wholeNumber } from '../arguments.js';
import { checkOutputFolder, exists, OutputError } from '../outputs.js';
import { acceptCorrections } from '../rounds/corrections.js';
import { readRounds, roundPaths, roundsFiles, saveRounds } from '../rounds/folder.js';
import { proceed } from '../rounds/proceed.js';
import { roundRows, writeRoundsReport } from '../rounds/report.js';
import { runFiles } from '../run-folder.js';
import { note, print, table } from '../terminal.js';
import { type ConfigFlags, trainConfigFrom } from '../train-config.js';
import { withTrainingOptions } from '../training-options.js';
import { toYaml } from '../yaml.js';

interface RunFlags {
  readonly out: string;
  readonly cache: string;
  readonly threads?: number;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

interface StartFlags extends RunFlags, ConfigFlags {
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
  withTrainingOptions(command, ['profile', 'config', 'epochs', 'stepsPerEpoch', 'patch', 'seed', 'learningRate']);
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
    .action(async ({ out }: { readonly out: string }) => tell(out, await readRounds(out)));
}

async function startAction(flags: StartFlags): Promise<void> {
  const { out, first, scans, order } = flags;
  if (await exists(join(out, roundsFiles.state))) {
    throw new OutputError(`${out} holds training rounds already; use rounds next to go on, or another --out`, out);
  }
  // A kill between the two files that make a beginning leaves the first one alone.
  const files = (await exists(out)) ? await readdir(out) : [];
  await checkOutputFolder(out, files.length === 1 && files[0] === roundsFiles.config);
  const needsList = 'rounds start needs a list of cases: --list, or data.list in the configuration';
  if (flags.list === undefined && flags.config === undefined) throw new QuickcolumnError('usage', needsList);
  const config = await trainConfigFrom(flags);
  const { list, holdOut, patients } = config.data;
  if (list === null) throw new QuickcolumnError('usage', needsList);
  const held = new Set(holdOut);
  const listed = (await readCaseList(list, { patients, order: 'given' })).map((entry) =>
    held.has(entry.name) ? { ...entry, split: 'test' as const } : entry,
  );
  const state = startRounds(listed, {
    scans,
    order,
    ...(first !== undefined && { first }),
    divide: (cases) => divideListed(cases, config),
  });
  const aside = state.cases.filter(({ use }) => use === 'aside').map(({ name }) => name);
  if (aside.length > 0) note(`set aside, of patients in validation or test: ${aside.join(', ')}`);
  await makeFolder(out);
  await writeFileAtomic(join(out, roundsFiles.config), toYaml(config));
  await saveRounds(out, state);
  await goOn(flags);
}

async function nextAction(files: readonly string[], flags: NextFlags): Promise<void> {
  const { out, acceptUnchanged = false, scans } = flags;
  let state = await readRounds(out);
  const { stage } = currentRound(state);
  if (files.length > 0 && stage !== 'correct') {
    throw new QuickcolumnError(
      'usage',
      `round ${state.rounds.length} waits for no corrections now; leave the files out`,
    );
  }
  if (scans !== undefined) state = { ...state, options: { ...state.options, scans } };
  if (stage === 'correct') {
    const { preparation } = await trainConfigFrom({ config: join(out, roundsFiles.config) });
    state = await acceptCorrections(out, state, { files, acceptUnchanged, preparation });
  }
  await saveRounds(out, state);
  await goOn(flags);
}

async function goOn({ out, cache, threads, evaluate }: RunFlags): Promise<void> {
  const state = await proceed(out, { cacheDir: cache, threads, evaluate });
  await writeRoundsReport(out, state);
  await tell(out, state);
}

async function tell(out: string, state: RoundsState): Promise<void> {
  print(table(await roundRows(out, state)));
  const round = state.rounds.length;
  const { stage, batch } = currentRound(state);
  const { toCorrect, run } = roundPaths(out, round);
  const next = `quickcolumn rounds next --out ${out}`;
  const waiting = state.cases.filter(({ use }) => use === 'waiting').length;
  if (stage === 'correct') {
    print(`\nCorrect these ${batch.length} of ${waiting} scans in ${resolve(toCorrect)}, then: ${next}`);
    for (const name of batch) print(`  ${name}`);
  } else if (stage === 'trained' && waiting === 0) {
    print(`\nAll scans are labelled. The last model is ${resolve(run, runFiles.model)}`);
  } else {
    const what = stage === 'predict' ? 'its scans are being predicted' : 'its training is not complete';
    print(`\nRound ${round} was interrupted, or is running: ${what}. To go on: ${next}`);
  }
}
