/**
 * How a training starts: fresh, or from the last checkpoint of its run folder.
 *
 * A resumed run must reach the numbers of an uninterrupted one, so what shapes those numbers (configuration and case
 * lists) is stored as `identity` with every checkpoint and compared. The number of epochs and the stops may change.
 */
import { join } from 'node:path';
import {
  type Checkpoint,
  type CheckpointState,
  hasCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from '../run-folder/checkpoint.js';
import type { TrainConfig } from '../config/train-config.js';
import { type EpochRecord, truncateHistory } from '../run-folder/history.js';
import { startSchedule } from '../schedules/learning-rate.js';
import { scheduleNamed } from '../schedules/schedule-config.js';
import type { TrainingStep } from '../step/step-types.js';
import { TrainError } from '../train-error.js';

/** Folder of the checkpoints inside a run folder. */
export const checkpointsFolder = 'checkpoints';

/** Epoch log inside a run folder. */
export const historyFile = 'history.jsonl';

export interface StartOptions {
  readonly runFolder: string;
  readonly config: TrainConfig;
  readonly cases: { readonly train: readonly string[]; readonly validation: readonly string[] };
  readonly resume: boolean;
}

export interface Start {
  readonly state: CheckpointState;
  readonly history: EpochRecord[];
  /** Whether there was a checkpoint to resume from. */
  readonly resumed: boolean;
}

/**
 * Brings `step` and the run folder to the state training begins with. A fresh start saves epoch 0 at once: a full
 * disk shows before an hour of training, and a run killed in its first epoch resumes from the same weights.
 */
export async function startTraining(step: TrainingStep, options: StartOptions): Promise<Start> {
  const { runFolder, config, resume } = options;
  const folder = join(runFolder, checkpointsFolder);
  const history = join(runFolder, historyFile);
  const identity = identityOf(config, options.cases);
  if (!resume && (await hasCheckpoint(folder, 'last'))) {
    throw new TrainError(`${runFolder}: holds a training already; resume it or choose a new run folder`, { runFolder });
  }
  const found = resume ? await loadCheckpoint(folder, 'last') : undefined;
  if (found !== undefined) {
    compareIdentity(found.state.identity, identity, runFolder);
    await step.setVariables(found.variables);
    return { state: found.state, history: await truncateHistory(history, found.state.epoch), resumed: true };
  }
  const state: CheckpointState = {
    epoch: 0,
    steps: 0,
    schedule: startSchedule(config.train.learningRate),
    stopper: { best: null, wait: 0 },
    best: null,
    identity,
  };
  const checkpoint: Checkpoint = { state, variables: await step.variables() };
  await saveCheckpoint(folder, ['last'], checkpoint);
  return { state, history: await truncateHistory(history, 0), resumed: false };
}

function identityOf(config: TrainConfig, cases: StartOptions['cases']): Record<string, string> {
  const { epochs, earlyStop: _earlyStop, maxMinutes: _maxMinutes, ...train } = config.train;
  // Where rates are shares of all steps, the number of epochs shapes every one of them.
  const settings = scheduleNamed(train.schedule).byShare ? { ...train, epochs } : train;
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
  identity['seed'] = JSON.stringify(seed);
  identity['cases.train'] = JSON.stringify(cases.train);
  identity['cases.validation'] = JSON.stringify(cases.validation);
  return identity;
}

function compareIdentity(
  saved: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
  runFolder: string,
): void {
  for (const key of new Set([...Object.keys(saved), ...Object.keys(given)])) {
    if (saved[key] === given[key]) continue;
    throw new TrainError(
      `${runFolder}: cannot resume, ${key} changed from ${saved[key] ?? 'nothing'} to ${given[key] ?? 'nothing'}; ` +
        'put it back or start a new run folder',
      { runFolder, key },
    );
  }
}
