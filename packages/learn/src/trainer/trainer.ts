/**
 * The training loop: epochs of steps, validation, checkpoints, history, TensorBoard, stops.
 *
 * Everything a step depends on is either in the checkpoint (variables, schedule, step count, sums of the epoch so far) or
 * a function of (seed, epoch, sample), so a run that is killed and resumed reaches the same numbers as one that was not.
 * Order at an epoch's end: history line, then checkpoint (`best`, `last`), then events for people. Within an epoch a
 * checkpoint is saved every few minutes and when the signal comes.
 */

import { basename, join } from 'node:path';
import { makeFolder } from '@quickcolumn/io';
import type { InitConfig, TrainConfig } from '../config/train-config.js';
import { type CheckpointState, type PartialEpoch, saveCheckpoint } from '../run-folder/checkpoint.js';
import { appendHistory, type EpochRecord, historyScalars } from '../run-folder/history.js';
import { EventWriter } from '../run-folder/tensorboard.js';
import type { TrainingCase, TrainingSample } from '../samples/sample-pool.js';
import { cutBatch, type PatchPlace, validationPlaces } from '../samples/validation.js';
import { advanceSchedule, learningRateAt } from '../schedules/learning-rate.js';
import { estimateStatistics } from '../step/statistics.js';
import type { EvaluationStep, NamedTensor, StatisticsStep, TrainingBatch, TrainingStep } from '../step/step-types.js';
import { TrainError, TrainingDivergedError } from '../train-error.js';
import { averagedWeights } from '../weights/averaged-weights.js';
import { advanceStopper } from './early-stop.js';
import { LossMean } from './loss-mean.js';
import type { TrainProgress } from './progress.js';
import { epochsOf, extensionWithin, stepsOf, stopperAt } from './extend.js';
import { fitEpochs } from './fit-epochs.js';
import { checkpointsFolder, historyFile } from './places.js';
import { type KeyedCase, type ResumeRequest, startTraining } from './resume.js';

/** The samples of epoch after epoch, `batch · stepsPerEpoch` each, always the same for the same seed: a SamplePool. */
export interface SampleSource {
  next(): Promise<TrainingSample>;
  /** Total time `next` had to wait for a sample that was not ready. */
  readonly waitedMs: number;
  dispose(): Promise<void>;
}

export interface TrainOptions extends Pick<ResumeRequest, 'acceptChangedData' | 'caseName'> {
  readonly config: TrainConfig;
  /** Training cases are read through `openSamples` only. Without validation cases the last epoch is the best. */
  readonly cases: {
    readonly train: readonly KeyedCase[];
    readonly validation: readonly (TrainingCase & KeyedCase)[];
  };
  /** Both stay the caller's to dispose. */
  readonly step: TrainingStep;
  readonly evaluation: EvaluationStep;
  /** Estimates the statistics of batch norm from these patches before every validation; also the caller's to dispose. */
  readonly statistics?: { readonly step: StatisticsStep; readonly patches: () => Iterable<Float32Array> } | undefined;
  /** Opens the samples from the first one of step `startStep` (0-based, over all epochs) on; disposed at the end. */
  readonly openSamples: (startStep: number) => SampleSource | Promise<SampleSource>;
  /** Gets `checkpoints/`, `history.jsonl` and `tensorboard/`; created if needed. */
  readonly runFolder: string;
  /** Continue from the last checkpoint; without one, start fresh. */
  readonly resume?: boolean;
  /** Stops after the step in flight, which is saved. An epoch whose steps are all done is still validated. */
  readonly signal?: AbortSignal;
  /** What the epochs of all sessions may take together; their number is fitted to it, where `train.minutes` is given. */
  readonly fitSeconds?: number | undefined;
  /** Within an epoch a checkpoint is saved when the last one is this old; default 5 minutes. */
  readonly saveEverySeconds?: number;
  readonly onProgress?: (progress: TrainProgress) => void;
}

export type TrainOutcome = 'finished' | 'early-stop' | 'time-limit' | 'interrupted';

export interface TrainResult {
  readonly outcome: TrainOutcome;
  /** A sentence for the user: why training ended, what a resume does. */
  readonly message: string;
  /** Completed epochs, all sessions together. */
  readonly epochs: number;
  readonly best: CheckpointState['best'];
  readonly history: readonly EpochRecord[];
}

/**
 * Trains until the last epoch, a stop condition or an abort.
 *
 * @throws TrainError for a run folder in use, changed settings on resume, no cases or samples of the wrong size.
 * @throws TrainingDivergedError when a loss or weight is not finite; checkpoints keep the last good epoch.
 * @throws CheckpointError, HistoryError for files of an earlier session that cannot be read.
 * @throws FileError when the disk is full or not writable; finished epochs are kept.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { config, cases, step, runFolder, resume = false, signal, onProgress } = options;
  if (cases.train.length === 0) throw new TrainError('no training cases; check data.images and data.split');
  await makeFolder(join(runFolder, 'tensorboard'));
  const start = await startTraining(step, options, resume);
  for (const message of start.notes) onProgress?.({ kind: 'note', message });
  let state = start.state;
  const ended = endOf(state, config, 0);
  if (ended !== undefined) return resultOf(ended, state, start.history);

  const events = await EventWriter.open(join(runFolder, 'tensorboard'), state.epoch + 1);
  let samples: SampleSource | undefined;
  try {
    const startStep = stepsOf(state);
    samples = await options.openSamples(startStep);
    const session = new Session(options, samples, { startStep, history: start.history });
    for (;;) {
      const outcome = await session.trainEpoch(state);
      state = outcome.state;
      if (outcome.kind === 'interrupted') return resultOf('interrupted', state, start.history);
      await events.scalars(outcome.record.epoch, historyScalars(outcome.record, classNames(config)));
      onProgress?.({ kind: 'epoch', epochs: epochsOf(config.train, state), record: outcome.record });
      if (outcome.end !== undefined) return resultOf(outcome.end, state, start.history);
      if (signal?.aborted === true) return resultOf('interrupted', state, start.history);
    }
  } finally {
    await samples?.dispose();
    await events.close();
  }
}

type EpochOutcome =
  | { readonly kind: 'interrupted'; readonly state: CheckpointState }
  | {
      readonly kind: 'completed';
      readonly state: CheckpointState;
      readonly record: EpochRecord;
      readonly end: TrainOutcome | undefined;
    };

const defaultSaveEverySeconds = 300;

/** What stays the same from epoch to epoch of one call of `train`. */
class Session {
  readonly #options: TrainOptions;
  readonly #samples: SampleSource;
  readonly #firstStep: number;
  readonly #places: readonly PatchPlace[];
  readonly #startedMs = performance.now();
  /** Of all epochs so far; grows. */
  readonly #history: EpochRecord[];
  #savedSeconds = 0;

  constructor(
    options: TrainOptions,
    samples: SampleSource,
    { startStep, history }: { readonly startStep: number; readonly history: EpochRecord[] },
  ) {
    const { config, cases } = options;
    this.#options = options;
    this.#samples = samples;
    this.#firstStep = startStep;
    this.#history = history;
    this.#places = validationPlaces(cases.validation, config.train.patch, config.train.validationPatches);
  }

  /** Since this session began. */
  seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  async trainEpoch(state: CheckpointState): Promise<EpochOutcome> {
    const { config, step, runFolder, signal, fitSeconds } = this.#options;
    const { saveEverySeconds = defaultSaveEverySeconds } = this.#options;
    const { stepsPerEpoch, schedule } = config.train;
    const epoch = state.epoch + 1;
    const startedSeconds = this.seconds() - (state.partial?.seconds ?? 0);
    const startedWaitingMs = this.#samples.waitedMs - 1000 * (state.partial?.waitedSeconds ?? 0);
    const training = new LossMean(state.partial?.training);
    let learningRate = state.schedule.learningRate;
    const partialAfter = (steps: number): PartialEpoch => ({
      steps,
      training: training.sums,
      seconds: this.seconds() - startedSeconds,
      waitedSeconds: (this.#samples.waitedMs - startedWaitingMs) / 1000,
    });
    const firstIndex = state.partial?.steps ?? 0;
    const epochs = epochsOf(config.train, state);
    for (let index = firstIndex; index < stepsPerEpoch; index++) {
      const interrupted = signal?.aborted === true;
      const isDue = this.seconds() - this.#savedSeconds >= saveEverySeconds;
      if (index > firstIndex && (interrupted || isDue)) {
        const partial = { ...state, partial: partialAfter(index) };
        const where = { epoch, step: index, learningRate, keptEpoch: state.epoch };
        await this.#save(['last'], partial, await this.#finiteVariables(where));
        if (interrupted) return { kind: 'interrupted', state: partial };
      }
      if (interrupted) return { kind: 'interrupted', state };
      const done = state.steps + index;
      learningRate = learningRateAt(schedule, state.schedule, {
        step: done,
        totalSteps: epochsOf(config.train, { ...state, steps: done, partial: null }) * stepsPerEpoch,
      });
      const result = await step.run(await this.#nextBatch(), { learningRate, step: done + 1 });
      requireFinite(result.loss, { what: 'loss', epoch, step: index + 1, learningRate, keptEpoch: state.epoch });
      training.add(result);
      this.#report({ epoch, epochs, step: index + 1, done: done + 1, learningRate, training });
    }

    const context = { epoch, step: stepsPerEpoch, learningRate, keptEpoch: state.epoch };
    let variables = await this.#finiteVariables(context);
    if (this.#places.length > 0) variables = await this.#withStatistics(variables);
    const validation = await this.#validate(averagedWeights(variables));
    if (validation !== null) requireFinite(validation.loss, { what: 'validation loss', ...context });

    const trainingLoss = training.summary().loss;
    const judged = validation?.loss ?? trainingLoss;
    const best = validation === null || state.best === null || judged < state.best.loss;
    const extended = extensionWithin(config.train, state.steps, stepsPerEpoch);
    const record: EpochRecord = {
      epoch,
      steps: state.steps + stepsPerEpoch,
      learningRate,
      training: training.summary(),
      validation,
      best,
      seconds: this.seconds() - startedSeconds,
      waitedSeconds: (this.#samples.waitedMs - startedWaitingMs) / 1000,
      time: new Date().toISOString(),
      ...(epoch === 1 && config.init !== undefined && { init: originOf(config.init) }),
      ...(extended && { extended }),
    };
    let next: CheckpointState = {
      epoch,
      steps: record.steps,
      partial: null,
      schedule: advanceSchedule(schedule, state.schedule, trainingLoss),
      stopper: stopperAt(advanceStopper(state.stopper, trainingLoss), record.steps, config.train),
      best: best ? { epoch, loss: judged } : state.best,
      identity: state.identity,
      data: state.data,
    };
    if (fitSeconds !== undefined) {
      const planned = epochsOf(config.train, next);
      next = { ...next, fittedEpochs: fitEpochs([...this.#history, record], planned, fitSeconds) };
    }
    const end = endOf(next, config, this.seconds());
    // Where nothing is validated, only the model needs them.
    if (this.#places.length === 0 && end !== undefined) variables = await this.#withStatistics(variables);
    await appendHistory(join(runFolder, historyFile), record);
    this.#history.push(record);
    await this.#save(best ? ['best', 'last'] : ['last'], next, variables);
    return { kind: 'completed', state: next, record, end };
  }

  async #save(
    names: readonly ('best' | 'last')[],
    state: CheckpointState,
    variables: ReadonlyMap<string, NamedTensor>,
  ): Promise<void> {
    const folder = join(this.#options.runFolder, checkpointsFolder);
    await saveCheckpoint(folder, names, { state, history: this.#history, variables });
    this.#savedSeconds = this.seconds();
  }

  /** @throws TrainingDivergedError */
  async #finiteVariables(
    context: Omit<ConstructorParameters<typeof TrainingDivergedError>[0], 'what'>,
  ): Promise<ReadonlyMap<string, NamedTensor>> {
    const variables = await this.#options.step.variables();
    for (const [name, { data }] of variables) requireFinite(sumOf(data), { what: name, ...context });
    return variables;
  }

  async #nextBatch(): Promise<TrainingBatch> {
    const { batch, patch } = this.#options.config.train;
    const voxels = patch[0] * patch[1] * patch[2];
    const image = new Float32Array(batch * voxels);
    const labels = new Uint8Array(batch * voxels);
    let truth: Float32Array | undefined;
    for (let n = 0; n < batch; n++) {
      const sample = await this.#samples.next();
      if (sample.image.length !== voxels || sample.labels.length !== voxels) {
        throw new TrainError(
          `case ${sample.caseName}: sample of ${sample.image.length} image and ${sample.labels.length} label voxels; ` +
            `the patch ${patch.join('×')} has ${voxels}`,
          { caseName: sample.caseName },
        );
      }
      image.set(sample.image, n * voxels);
      labels.set(sample.labels, n * voxels);
      if (sample.truth === undefined) continue;
      truth ??= new Float32Array(batch * sample.truth.length);
      truth.set(sample.truth, n * sample.truth.length);
    }
    return { image, labels, ...(truth && { truth }) };
  }

  /** With statistics of batch norm that belong to the weights which validation and model take. */
  async #withStatistics(variables: ReadonlyMap<string, NamedTensor>): Promise<ReadonlyMap<string, NamedTensor>> {
    const { statistics } = this.#options;
    if (statistics === undefined) return variables;
    const estimated = await estimateStatistics(statistics.step, averagedWeights(variables), statistics.patches());
    return new Map([...variables, ...estimated]);
  }

  async #validate(variables: ReadonlyMap<string, NamedTensor>): Promise<EpochRecord['validation']> {
    const { config, cases, evaluation } = this.#options;
    const { patch, batch } = config.train;
    if (this.#places.length === 0) return null;
    await evaluation.setVariables(variables);
    const mean = new LossMean();
    for (let first = 0; first < this.#places.length; first += batch) {
      // The last batch may be smaller; every patch counts once.
      const places = this.#places.slice(first, first + batch);
      mean.add(await evaluation.run(cutBatch(cases.validation, places, patch)), places.length / batch);
    }
    return mean.summary();
  }

  #report(at: {
    readonly epoch: number;
    readonly epochs: number;
    readonly step: number;
    readonly done: number;
    readonly learningRate: number;
    readonly training: LossMean;
  }): void {
    const { epoch, epochs, step, done, learningRate, training } = at;
    const { config, onProgress } = this.#options;
    if (onProgress === undefined) return;
    const { stepsPerEpoch, maxMinutes } = config.train;
    const seconds = this.seconds();
    const secondsPerStep = seconds / (done - this.#firstStep);
    const untilEnd = (epochs * stepsPerEpoch - done) * secondsPerStep;
    const untilLimit = maxMinutes === null ? Number.POSITIVE_INFINITY : maxMinutes * 60 - seconds;
    onProgress({
      kind: 'step',
      epoch,
      epochs,
      step,
      stepsPerEpoch,
      training: training.summary(),
      learningRate,
      secondsPerStep,
      waitedShare: Math.min(1, this.#samples.waitedMs / 1000 / Math.max(seconds, 1e-9)),
      etaSeconds: Math.max(0, Math.min(untilEnd, untilLimit)),
    });
  }
}

/** Why training is over after `state`, or undefined. */
function endOf(state: CheckpointState, config: TrainConfig, seconds: number): TrainOutcome | undefined {
  const { earlyStop, maxMinutes } = config.train;
  if (state.epoch >= epochsOf(config.train, state)) return 'finished';
  if (earlyStop !== null && state.stopper.wait >= earlyStop) return 'early-stop';
  if (maxMinutes !== null && seconds >= maxMinutes * 60) return 'time-limit';
  return undefined;
}

function resultOf(outcome: TrainOutcome, state: CheckpointState, history: readonly EpochRecord[]): TrainResult {
  const { partial } = state;
  const next = `${partial === null ? '' : `step ${partial.steps + 1} of `}epoch ${state.epoch + 1}`;
  const message = {
    finished: `finished ${state.epoch} epochs`,
    'early-stop': `stopped after epoch ${state.epoch}: the training loss has not improved for ${state.stopper.wait} epochs`,
    'time-limit': `stopped after epoch ${state.epoch}: train.maxMinutes is over; resume continues with epoch ${state.epoch + 1}`,
    interrupted: `interrupted; nothing is lost, resume continues with ${next}`,
  }[outcome];
  return { outcome, message, epochs: state.epoch, best: state.best, history };
}

function requireFinite(value: number, fields: ConstructorParameters<typeof TrainingDivergedError>[0]): void {
  if (!Number.isFinite(value)) throw new TrainingDivergedError(fields);
}

/** Not finite exactly when one element is not: float32 values cannot overflow a float64 sum. */
function sumOf(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i];
  return sum;
}

function originOf({ from, weightsSha256 = '' }: InitConfig): { file: string; weightsSha256: string } {
  return { file: basename(from), weightsSha256 };
}

function classNames(config: TrainConfig): string[] {
  return config.preparation.classes.map((one) => one.name);
}
