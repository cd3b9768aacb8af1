/** Beginning training rounds, going on with them, and telling where they are. */
import { join, resolve } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { assumptionsOf, divideListed, readCaseList } from '@quickcolumn/cases';
import type { JobContext } from '../context.js';
import { checkOutputFolder, entriesOf, exists, OutputError } from '../folders/outputs.js';
import { runFiles } from '../folders/run-folder.js';
import { toYaml } from '../folders/yaml.js';
import type { NextRoundJob, RoundsStatus, StartRoundsJob } from '../jobs/rounds.js';
import { requireOwnValues } from '../pseudo-labels/own-values.js';
import { trainConfigFrom } from '../train/train-config.js';
import { acceptCorrections } from './corrections.js';
import { readRounds, roundPaths, roundsFiles, saveRounds } from './folder.js';
import { roundRows, writeRoundsReport } from './report.js';
import { type RoundOptions, runRounds } from './run-rounds.js';
import { currentRound, type RoundsState, startRounds } from './rounds-state.js';

/** Trains round 1 on the labelled cases of a list and predicts the scans of round 2. */
export async function runStartRounds(job: StartRoundsJob, context: JobContext): Promise<RoundsStatus> {
  const { out, config, first, scans = 5, order = 'given' } = job;
  if (await exists(join(out, roundsFiles.state))) {
    throw new OutputError(`${out} holds training rounds already; go on with them, or choose another folder`, out);
  }
  // A kill between the two files that make a beginning leaves the first one alone.
  const files = await entriesOf(out);
  await checkOutputFolder(out, files.length === 1 && files[0] === roundsFiles.config);
  const { list, holdOut, patients } = config.data;
  if (list === null) throw new QuickcolumnError('usage', 'training rounds need a list of cases (data.list)');
  requireOwnValues(config.preparation);
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
  if (aside.length > 0) context.note(`set aside, of patients in validation or test: ${aside.join(', ')}`);
  await makeFolder(out);
  await writeFileAtomic(join(out, roundsFiles.config), toYaml(config));
  await saveRounds(out, state);
  return await goOn(out, job, context);
}

/** Accepts the corrections, trains the round and predicts the next; or goes on after an interruption. */
export async function runNextRound(job: NextRoundJob, context: JobContext): Promise<RoundsStatus> {
  const { out, corrected: files = [], acceptUnchanged = false, scans } = job;
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
    const { preparation, data } = await trainConfigFrom({ config: join(out, roundsFiles.config) });
    const options = { files, acceptUnchanged, preparation, assume: assumptionsOf(data) };
    state = await acceptCorrections(out, state, options, context);
  }
  await saveRounds(out, state);
  return await goOn(out, job, context);
}

/** Where the rounds of a folder are. @throws InputError where there are none, DatasetError for a damaged state */
export async function roundsStatus(out: string): Promise<RoundsStatus> {
  return await statusOf(out, await readRounds(out));
}

async function goOn(out: string, options: RoundOptions, context: JobContext): Promise<RoundsStatus> {
  const state = await runRounds(out, options, context);
  await writeRoundsReport(out, state);
  return await statusOf(out, state);
}

async function statusOf(out: string, state: RoundsState): Promise<RoundsStatus> {
  const round = state.rounds.length;
  const { stage, batch } = currentRound(state);
  const waiting = state.cases.filter(({ use }) => use === 'waiting').length;
  const trained = stage === 'trained' ? round : round - 1;
  return {
    round,
    state: stage === 'trained' ? (waiting === 0 ? 'done' : 'predict') : stage,
    batch,
    toCorrect: resolve(roundPaths(out, round).toCorrect),
    waiting,
    ...(trained > 0 && { model: resolve(roundPaths(out, trained).run, runFiles.model) }),
    table: await roundRows(out, state),
  };
}
