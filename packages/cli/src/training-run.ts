/**
 * One training from a configuration to a run folder with model and report; behind `train` and `demo`.
 *
 * Everything that can be wrong with the data is found before the run folder is touched. The exported model is the best
 * checkpoint, and the report's numbers come from that file, not from the weights in memory: they are what a user gets.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { writeFileAtomic, makeFolder } from '@quickcolumn/io';
import {
  casesOf,
  checkpointsFolder,
  compileEvaluationStep,
  compileTrainingStep,
  createProgressLine,
  createSamplePool,
  type DatasetCase,
  exportModel,
  foldCases,
  holdOutCases,
  loadCheckpoint,
  noClass,
  shareCase,
  type RoleCase,
  type Split,
  splitByRole,
  splitCases,
  type TrainConfig,
  type TrainingCase,
  train,
  type TrainResult,
} from '@quickcolumn/learn';
import type { PreparationConfig } from '@quickcolumn/pipeline';
import type { LabelClass } from '@quickcolumn/volume';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import type { RuntimeName } from '@quickcolumn/runtimes';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type AnonymousFlags, type ShownNames, shownNames } from './anonymous.js';
import { predictScans } from './commands/predict.js';
import { chooseDevice } from './device.js';
import { evaluateCases, reportOf } from './evaluation.js';
import { interruptSignal } from './interrupt.js';
import { prepareCases } from './preparation.js';
import { clearRun, runFiles } from './run-folder.js';
import { volumeInput } from './scan-inputs.js';
import { note, writeProgress } from './terminal.js';
import { startingWeights } from './transfer.js';
import { toYaml } from './yaml.js';

export interface RunOptions {
  readonly cacheDir: string;
  readonly resume: boolean;
  /** CPU threads of the network; default all. */
  readonly threads?: number;
  /** Predict and evaluate the validation cases for the report. */
  readonly evaluateValidation: boolean;
  /** Data licence and the like, kept in the model file. */
  readonly notes?: string;
  /** The command that goes on after a failure that keeps finished epochs; for people. */
  readonly goOn?: string;
  /** Names in the report and on the terminal; the run folder itself keeps the real ones, to resume with. */
  readonly anonymous?: AnonymousFlags;
}

/** @throws whatever the data, the configuration, the disk or the training has to say; `interrupted` after Ctrl-C. */
export async function runTraining(asked: TrainConfig, folder: string, options: RunOptions): Promise<TrainResult> {
  const device = await chooseDevice(asked.compute);
  // The run folder names what `auto` became, so that a resumed run computes the same numbers or says that it cannot.
  const { runtime, precision } = device;
  const computed = { ...asked, compute: { ...asked.compute, runtime: runtime.name as RuntimeName, precision } };
  const { config, frozen, initial } = await startingWeights(computed, folder, options);
  const { classes } = config.preparation;
  const all = await casesOf(config.data);
  const names = shownNames(all, options.anonymous ?? {});
  const split = divideCases(config, all);
  const { length } = split.train;
  note(`${length} cases to train on, ${split.test.length} to validate: ${namesOf(split.test.map(names.shown))}`);
  const loading = { cacheDir: options.cacheDir, names };
  const training = await loadCases(split.train, config, loading);
  const validation = await loadCases(split.test, config, loading);

  const { network, loss, optimizer, seed } = config;
  const { patch, batch, stepsPerEpoch } = config.train;
  const compiled = {
    network,
    classes: classes.length,
    patch,
    batch,
    loss,
    optimizer,
    seed,
    threads: options.threads,
    device,
    frozen,
    initial,
    ignoreLabels: config.preparation.ignoreLabel !== undefined,
  };
  const step = await compileTrainingStep(compiled);
  refuseIfTooLarge(step.bytes);
  const evaluation = await compileEvaluationStep(compiled);
  const lostDevice = (error: unknown): never => {
    throw sayHowToGoOn(error, options.goOn);
  };
  let result: TrainResult;
  try {
    if (!options.resume) await clearRun(folder);
    await makeFolder(folder);
    await writeFileAtomic(join(folder, runFiles.config), toYaml(config));
    const samplesPerEpoch = batch * stepsPerEpoch;
    result = await train({
      config,
      cases: { train: training, validation },
      step,
      evaluation,
      runFolder: folder,
      resume: options.resume,
      signal: interruptSignal,
      openSamples: (startEpoch) =>
        createSamplePool({
          cases: training,
          classes: classes.map((labelClass, value) => ({ value, mirror: mirrorIndex(classes, labelClass) })),
          augmentation: config.augmentation,
          patch,
          seed,
          samplesPerEpoch,
          startAt: startEpoch * samplesPerEpoch,
        }),
      onProgress: createProgressLine(writeProgress, {
        classNames: classes.map(({ name }) => name),
        tty: process.stderr.isTTY,
        columns: process.stderr.columns,
      }),
    }).catch(lostDevice);
  } finally {
    await evaluation.dispose();
    await step.dispose();
  }
  if (result.outcome === 'interrupted') throw new QuickcolumnError('interrupted', result.message);
  note(result.message);

  await exportBest(config, folder, { result, cases: split.train.length, notes: options.notes });
  await writeReport(config, folder, { result, cases: options.evaluateValidation ? split.test : [], names }).catch(
    lostDevice,
  );
  await names.writeKey();
  return result;
}

/** A graphics card that failed loses the epoch in flight and nothing else, and a new process gets a new device. */
function sayHowToGoOn(error: unknown, goOn: string | undefined): unknown {
  if (!(error instanceof QuickcolumnError) || error.fields['reason'] !== 'device-lost' || goOn === undefined)
    return error;
  const message = `${error.message}; finished epochs are kept, go on with: ${goOn}`;
  return new QuickcolumnError(error.code, message, error.fields, { cause: error });
}

/** A step that cannot fit is refused before the run folder is touched; the planned bytes are a lower bound. */
function refuseIfTooLarge(bytes: number): void {
  const available = availableMemory();
  note(`a training step needs at least ${formatBytes(bytes)} of memory`);
  if (available === undefined || bytes <= available) return;
  throw new QuickcolumnError(
    'memory',
    `a training step needs at least ${formatBytes(bytes)} of memory, ${formatBytes(available)} are free; ` +
      'use a smaller train.patch, train.batch or network.rootFilters',
    { neededBytes: bytes, availableBytes: available },
  );
}

/** Training and validation cases (`test`); held-out ones are in neither. */
export function divideCases<T extends RoleCase>(
  config: Pick<TrainConfig, 'seed' | 'data'>,
  all: readonly T[],
): Split<T> {
  const { holdOut, split } = config.data;
  const rest = holdOut.length === 0 ? all : holdOutCases(all, holdOut).train;
  return splitByRole(rest, (free) =>
    split.kind === 'folds'
      ? foldCases(free, { seed: config.seed, folds: split.folds })[split.fold]
      : splitCases(free, { seed: config.seed, testShare: split.validation }),
  );
}

async function loadCases(
  cases: readonly DatasetCase[],
  config: TrainConfig,
  { cacheDir, names }: { cacheDir: string; names: ShownNames },
): Promise<TrainingCase[]> {
  const loaded: TrainingCase[] = [];
  await prepareCases(cases, config.preparation, {
    cacheDir,
    shownName: (entry) => names.shown(entry).name,
    onCase: ({ image, labels, size, airValue }, { name }) => {
      if (labels === undefined) throw new QuickcolumnError('internal', `${name}: prepared without labels`);
      loaded.push(shareCase({ name, image, labels: toIndices(labels, config.preparation), size, airValue }));
    },
  });
  return loaded;
}

/** Networks count classes from 0; label files may use any values. */
function toIndices(labels: Uint8Array, { classes, ignoreLabel = noClass }: PreparationConfig): Uint8Array {
  if (classes.every(({ value }, index) => value === index) && ignoreLabel === noClass) return labels;
  const indexOf = new Uint8Array(256);
  indexOf[ignoreLabel] = noClass;
  classes.forEach(({ value }, index) => {
    indexOf[value] = index;
  });
  return labels.map((value) => indexOf[value]);
}

function mirrorIndex(classes: readonly LabelClass[], { mirror }: LabelClass): number | undefined {
  return mirror === undefined ? undefined : classes.findIndex(({ value }) => value === mirror);
}

async function exportBest(
  config: TrainConfig,
  folder: string,
  about: { result: TrainResult; cases: number; notes?: string },
): Promise<void> {
  const checkpoint = await loadCheckpoint(join(folder, checkpointsFolder), 'best');
  if (checkpoint === undefined) throw new QuickcolumnError('internal', `${folder}: no best checkpoint after training`);
  const { state, variables } = checkpoint;
  const minutes = about.result.history.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const metadata = {
    preparation: config.preparation,
    patch: config.train.patch,
    overlap: config.predict.overlap,
    training: {
      profile: config.profile,
      seed: config.seed,
      cases: about.cases,
      epoch: state.epoch,
      steps: state.steps,
      minutes: Number(minutes.toFixed(1)),
      ...initMetadata(config),
      ...(state.best === null ? {} : { validationLoss: Number(state.best.loss.toFixed(5)) }),
      date: new Date().toISOString().slice(0, 10),
    },
    notes: about.notes ?? 'Research use only, not a medical device. Mind the licence of the training data.',
  };
  await exportModel(join(folder, runFiles.model), { network: config.network, variables, metadata });
}

/** Where the weights came from, for the model file. */
function initMetadata({ init }: TrainConfig): Record<string, string> {
  if (init === undefined) return {};
  const { from, weightsSha256 = '', freeze = [] } = init;
  return {
    initFile: basename(from),
    initWeightsSha256: weightsSha256,
    ...(freeze.length > 0 && { frozen: freeze.join(' ') }),
  };
}

/** Curves of the training, and the metrics of the given cases predicted with the exported model. */
async function writeReport(
  config: TrainConfig,
  folder: string,
  about: { result: TrainResult; cases: readonly DatasetCase[]; names: ShownNames },
): Promise<void> {
  const { result, names } = about;
  const cases = about.cases.map(names.shown);
  const { classes } = config.preparation;
  const masks = await mkdtemp(join(tmpdir(), 'quickcolumn-'));
  try {
    const flags = { model: join(folder, runFiles.model), out: masks, force: true, ...config.compute };
    if (cases.length > 0) {
      await predictScans(
        cases.map(({ name, imagePath }) => volumeInput(name, imagePath)),
        flags,
      );
    }
    const evaluation = await evaluateCases(
      cases.map(({ name, patient, imagePath, labelPath }) => ({
        name,
        patient,
        imagePath,
        truthPath: labelPath,
        predictionPath: join(masks, `${name}.nii.gz`),
      })),
      classes,
      config.preparation.ignoreLabel,
    );
    const html = reportOf(evaluation, {
      title: `Training with profile ${config.profile}`,
      subtitle: `${result.message}; the metrics are those of the validation cases, which chose the checkpoint`,
      config: toYaml(names.shownConfig(config)),
      classes,
      history: result.history,
    });
    await writeFileAtomic(join(folder, runFiles.report), html);
  } finally {
    await rm(masks, { recursive: true, force: true });
  }
}

function namesOf(cases: readonly DatasetCase[]): string {
  return cases.map(({ name }) => name).join(', ');
}
