/**
 * How a training starts: fresh, or from the newest whole checkpoint of its run folder.
 *
 * A resumed run must reach the numbers of an uninterrupted one, so what shapes those numbers is stored with every
 * checkpoint and compared: configuration and names of the cases as `identity`, what the cases hold as `data`. The number of
 * epochs and the stops may change, where rates are shares of all steps only by an extension (extend.ts).
 */
import { join } from 'node:path';
import type { TrainConfig } from '../config/train-config.js';
import {
  type CheckpointState,
  hasCheckpoint,
  loadNewestCheckpoint,
  type NewestCheckpoint,
  promoteCheckpoint,
  saveCheckpoint,
} from '../run-folder/checkpoint.js';
import { type EpochRecord, mendHistory, rewriteHistory } from '../run-folder/history.js';
import { startSchedule } from '../schedules/learning-rate.js';
import { scheduleNamed } from '../schedules/schedule-config.js';
import type { TrainingStep } from '../step/step-types.js';
import { TrainError } from '../train-error.js';
import { describeDifference, shortened } from './differences.js';
import { beforeExtensions, stepsOf, stopperAt } from './extend.js';
import { checkpointsFolder, historyFile } from './places.js';

/** A case and what it holds. */
export interface KeyedCase {
  readonly name: string;
  /** Changes with the contents of its files; without it a change is not noticed. */
  readonly key?: string;
}

export interface ResumeRequest {
  readonly runFolder: string;
  readonly config: TrainConfig;
  readonly cases: { readonly train: readonly KeyedCase[]; readonly validation: readonly KeyedCase[] };
  /**
   * Goes on with cases whose contents have changed. Where it is given, true or false, the error names it as the option
   * that would help.
   */
  readonly acceptChangedData?: boolean;
  /** What a case is called in messages; default its name. */
  readonly caseName?: (name: string) => string;
}

export interface Start {
  readonly state: CheckpointState;
  readonly history: EpochRecord[];
  /** What the user should know: where it goes on, what was mended. */
  readonly notes: readonly string[];
}

/**
 * Whether a training could be resumed with this, before anything is prepared or written. Without a checkpoint it can.
 *
 * @throws TrainError naming what has changed; CheckpointError, HistoryError for files that cannot be read
 */
export async function checkResume(request: ResumeRequest): Promise<void> {
  await findResume(request);
}

/**
 * Brings `step` and the run folder to the state training begins with. A fresh start saves epoch 0 at once: a full
 * disk shows before an hour of training, and a run killed in its first epoch resumes from the same weights.
 */
export async function startTraining(step: TrainingStep, request: ResumeRequest, resume: boolean): Promise<Start> {
  const { runFolder, config } = request;
  const folder = join(runFolder, checkpointsFolder);
  const history = join(runFolder, historyFile);
  if (!resume && (await hasCheckpoint(folder))) {
    throw new TrainError(`${runFolder}: holds a training already; resume it or choose a new run folder`, { runFolder });
  }
  const found = resume ? await findResume(request) : undefined;
  if (found !== undefined) {
    const { checkpoint, records, notes } = found;
    await step.setVariables(checkpoint.variables);
    if (checkpoint.name !== 'last') await promoteCheckpoint(folder, checkpoint.name);
    await rewriteHistory(history, records);
    const { state } = checkpoint;
    // The next checkpoint knows of an extension that this one was saved before.
    const identity = identityOf(request);
    const stopper = stopperAt(state.stopper, stepsOf(state), config.train);
    return { state: { ...state, identity, stopper, data: dataOf(request) ?? state.data }, history: records, notes };
  }
  const state: CheckpointState = {
    epoch: 0,
    steps: 0,
    partial: null,
    schedule: startSchedule(config.train.learningRate),
    stopper: { best: null, wait: 0 },
    best: null,
    identity: identityOf(request),
    data: dataOf(request),
  };
  await saveCheckpoint(folder, ['last'], { state, history: [], variables: await step.variables() });
  await rewriteHistory(history, []);
  return { state, history: [], notes: resume ? ['nothing to resume: starting from the beginning'] : [] };
}

interface FoundResume {
  readonly checkpoint: NewestCheckpoint;
  readonly records: EpochRecord[];
  readonly notes: readonly string[];
}

/** Reads and compares; writes nothing. */
async function findResume(request: ResumeRequest): Promise<FoundResume | undefined> {
  const { runFolder } = request;
  const checkpoint = await loadNewestCheckpoint(join(runFolder, checkpointsFolder));
  if (checkpoint === undefined) return undefined;
  const { state, damage } = checkpoint;
  compareIdentity(state, request);
  const dataNotes = compareData(state.data, request);
  const { records, note } = await mendHistory(join(runFolder, historyFile), state.epoch, checkpoint.history);
  const where =
    state.partial === null ? `epoch ${state.epoch}` : `step ${state.partial.steps} of epoch ${state.epoch + 1}`;
  const notes = [
    ...damage.map((problem) => `the last checkpoint cannot be used: ${problem}; the one after ${where} is whole`),
    ...(note === undefined ? [] : [note]),
    ...dataNotes,
    `resuming after ${where}`,
  ];
  return { checkpoint, records, notes };
}

function identityOf({ config, cases }: ResumeRequest): Record<string, string> {
  // Statistics are estimated with the weights fixed, and change none of them.
  const {
    epochs,
    extended,
    earlyStop: _earlyStop,
    maxMinutes: _maxMinutes,
    minutes,
    statisticsPatches: _patches,
    ...train
  } = config.train;
  // Where rates are shares of all steps, the number of epochs shapes every one of them, if it is not fitted to a time.
  const isByShare = scheduleNamed(train.schedule).byShare;
  const settings = {
    ...train,
    ...(isByShare && minutes === undefined && { epochs }),
    ...(isByShare && extended && { extended }),
  };
  const identity: Record<string, string> = {};
  const { seed, augmentation, network, optimizer, compute } = config;
  // What a class is measured as shapes no number of the training.
  const classes = config.preparation.classes.map(({ value, name, color, mirror }) => ({ value, name, color, mirror }));
  const preparation = { ...config.preparation, classes };
  // Runs that were begun before losses had names know the paper's loss by its numbers alone.
  const { kind, ...numbers } = config.loss;
  const loss = kind === undefined || kind === 'tversky-ce' ? numbers : { kind, ...numbers };
  for (const [group, value] of Object.entries({
    preparation,
    augmentation,
    network,
    train: settings,
    loss,
    optimizer,
    compute,
  })) {
    for (const [key, setting] of Object.entries(value)) identity[`${group}.${key}`] = JSON.stringify(setting);
  }
  if (config.init !== undefined) {
    // Not the path: the file may move, and the checkpoint holds the weights.
    identity['init.weightsSha256'] = JSON.stringify(config.init.weightsSha256 ?? null);
    identity['init.freeze'] = JSON.stringify(config.init.freeze ?? []);
  }
  if (config.distill !== undefined) {
    identity['distill.weightsSha256'] = JSON.stringify(config.distill.weightsSha256 ?? null);
    identity['distill.hardShare'] = JSON.stringify(config.distill.hardShare);
  }
  identity['seed'] = JSON.stringify(seed);
  identity['cases.train'] = JSON.stringify(cases.train.map(({ name }) => name));
  identity['cases.validation'] = JSON.stringify(cases.validation.map(({ name }) => name));
  return identity;
}

function compareIdentity(state: CheckpointState, request: ResumeRequest): void {
  const { runFolder, caseName, config } = request;
  const saved = state.identity;
  const given = identityOf(request);
  const differing = (other: Readonly<Record<string, string>>): string[] =>
    [...new Set([...Object.keys(saved), ...Object.keys(other)])].filter((key) => saved[key] !== other[key]);
  const keys = differing(given);
  if (keys.length === 0) return;
  const before = beforeExtensions(config, stepsOf(state));
  if (before.some((earlier) => differing(identityOf({ ...request, config: earlier })).length === 0)) return;
  const more =
    keys.length === 1 && keys[0] === 'train.epochs' ? config.train.epochs - Number(saved['train.epochs']) : 0;
  const differences = keys.map((key) => describeDifference(key, saved[key], given[key], caseName));
  throw new TrainError(
    `${runFolder}: cannot resume, ${shortened(differences)}; put it back or start a new run folder`,
    { runFolder, keys: keys.join(' '), ...(more > 0 && { options: { [`extend ${more}`]: 'train that much longer' } }) },
  );
}

/** Keys of the cases by their names; null where one has none. */
function dataOf({ cases }: ResumeRequest): Record<string, string> | null {
  const keys: Record<string, string> = {};
  for (const { name, key } of [...cases.train, ...cases.validation]) {
    if (key === undefined) return null;
    keys[name] = key;
  }
  return keys;
}

/** @returns notes; @throws TrainError for cases that hold something else than they did */
function compareData(saved: CheckpointState['data'], request: ResumeRequest): string[] {
  const { runFolder, acceptChangedData, caseName = (name) => name } = request;
  const given = dataOf(request);
  if (given === null) return [];
  if (saved === null) {
    return [
      'the training was begun by a version that did not keep what the cases hold: whether scans or labels have changed ' +
        'since then is not known, from now on it is',
    ];
  }
  const changed = Object.keys(given).filter((name) => saved[name] !== given[name]);
  if (changed.length === 0) return [];
  const of = `${changed.length} of ${Object.keys(given).length} cases: ${shortened(changed.map(caseName))}`;
  if (acceptChangedData === true) return [`going on with changed scans or labels, in ${of}`];
  throw new TrainError(
    `${runFolder}: cannot resume, scans or labels have changed since the training was begun, in ${of}; ` +
      'put them back or start a new run folder',
    {
      runFolder,
      cases: changed.map(caseName),
      ...(acceptChangedData !== undefined && { options: { 'accept-changed-data': 'go on with them all the same' } }),
    },
  );
}
