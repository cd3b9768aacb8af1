/**
 * One training from a configuration to a run folder with model and report.
 *
 * Everything that can be wrong with the data, or with going on, is found before the run folder is touched. The exported model is the best
 * checkpoint, and the report's numbers come from that file, not from the weights in memory: they are what a user gets.
 */
import { join } from 'node:path';
import {
  casesAndScansOf,
  casesOf,
  type DatasetCase,
  divideCases,
  mirroredIndices,
  type ScanCase,
} from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import {
  checkResume,
  compileEvaluationStep,
  compileStatisticsStep,
  compileTrainingStep,
  createSamplePool,
  type Oversampling,
  type StepConfig,
  extendTraining,
  statisticsPatches,
  type TrainConfig,
  type TrainingCase,
  type TrainOptions,
  type TrainResult,
  train,
} from '@quickcolumn/learn';
import { availableMemory, formatBytes } from '@quickcolumn/predict';
import { type PreparedScan, type ScanFacts, scanFacts, type TrainingScans, trainingScans } from '@quickcolumn/pipeline';
import type { Runtime, RuntimeName } from '@quickcolumn/runtimes';
import { identityFiles } from '../compare/fold-files.js';
import type { JobContext } from '../context.js';
import { openTeachers } from '../distill/teachers.js';
import { defaultCache } from '../folders/cache-folder.js';
import { type ShownNames, shownNames } from '../folders/case-names.js';
import { checkOutputFile, exists, OutputError } from '../folders/outputs.js';
import { checkRunFolder, clearRun, runFiles } from '../folders/run-folder.js';
import { toYaml } from '../folders/yaml.js';
import type { TrainJob, TrainJobResult } from '../jobs/train.js';
import { chooseDevice } from '../runtime/choose-device.js';
import { computeOfRun } from './compute-of-run.js';
import { exportBest } from './export-best.js';
import { lengthWarning } from './length-warning.js';
import { loadCases } from './load-cases.js';
import { keyedCases } from './prepare-cases.js';
import { startingWeights } from './starting-weights.js';
import { writeTrainingReport } from './training-report.js';

/** @throws whatever the data, the configuration, the disk or the training has to say; `interrupted` after the signal. */
export async function runTraining(job: TrainJob, context: JobContext): Promise<TrainJobResult> {
  const { out, force = false, anonymizeKey } = job;
  if (anonymizeKey !== undefined) await checkOutputFile(anonymizeKey, force);
  const start = await checkRunFolder(out, job);
  const config = job.extend === undefined ? job.config : await extended({ ...job, extend: job.extend }, context);
  const asked = { ...job, config, acceptChangedData: job.acceptChangedData ?? false };
  return await trainInto(asked, start === 'resume', context);
}

/** The configuration with more epochs. @throws `usage`; OutputError for folds; TrainError where nothing was begun */
async function extended(
  { out, config, resume, extend }: TrainJob & { readonly extend: number },
  context: JobContext,
): Promise<TrainConfig> {
  if (!resume) {
    throw new QuickcolumnError('usage', 'only a training that goes on can be extended', {
      options: { resume: 'go on with it' },
    });
  }
  for (const name of identityFiles) {
    if (!(await exists(join(out, name)))) continue;
    const problem = 'is a fold of a comparison or a cross-validation, whose folds are all trained alike';
    throw new OutputError(
      `${out} ${problem}; raise train.epochs in the configuration and begin one in a new folder`,
      out,
    );
  }
  const longer = await extendTraining(out, config, extend);
  context.note(longer.note);
  return longer.config;
}

/** The same for a folder that the caller has checked. With `resume` it goes on where there is a checkpoint, else it begins. */
export async function trainInto(job: TrainJob, resume: boolean, context: JobContext): Promise<TrainJobResult> {
  const { out, notes, evaluateValidation = true } = job;
  const { config, result, validation, trainingCases, scans, names } = await trainNetwork(job, resume, context);
  context.note(result.message);
  await exportBest(config, out, { result, cases: trainingCases, notes, trainingScans: scans });
  const about = { result, cases: evaluateValidation ? validation : [], names };
  await writeTrainingReport(config, out, about, context);
  await names.writeKey();
  const files = { model: join(out, runFiles.model), report: join(out, runFiles.report) };
  return { ...result, outcome: finished(result), ...files };
}

/** @throws `interrupted` with what is kept */
function finished({ outcome, message }: TrainResult): TrainJobResult['outcome'] {
  if (outcome === 'interrupted') throw new QuickcolumnError('interrupted', message);
  return outcome;
}

interface Trained {
  /** With what `auto` became, and the checksum of the starting weights. */
  readonly config: TrainConfig;
  readonly result: TrainResult;
  readonly trainingCases: number;
  readonly scans: TrainingScans | undefined;
  readonly validation: readonly DatasetCase[];
  readonly names: ShownNames;
}

async function trainNetwork(job: TrainJob, resume: boolean, context: JobContext): Promise<Trained> {
  const beginMs = performance.now();
  const { config: asked, out, cacheDir = defaultCache(), threads } = job;
  const compute = resume ? await computeOfRun(out, asked.compute) : asked.compute;
  const device = await chooseDevice({ ...compute, threads, work: 'training' }, context);
  // The run folder names what `auto` became, so that a resumed run computes the same numbers or says that it cannot.
  const { runtime, precision } = device;
  const computed = { ...asked, compute: { ...asked.compute, runtime: runtime.name as RuntimeName, precision } };
  const started = await startingWeights(computed, { runFolder: out, resume }, context);
  const { frozen, initial } = started;
  const { config, teachers } = await openTeachers(started.config, { cacheDir, device, threads }, context);
  const { classes, ignoreLabel } = config.preparation;
  const all = teachers === undefined ? await casesOf(config.data) : await casesAndScansOf(config.data);
  const names = shownNames(all, job);
  const isLabelled = (entry: ScanCase): entry is DatasetCase => entry.labelPath !== undefined;
  const split = all.some(isLabelled) ? divideCases<ScanCase>(all, config) : { train: all, test: [] };
  const bare = all.filter((entry) => !isLabelled(entry)).length;
  if (bare > 0)
    context.note(`${bare} of ${all.length} cases have no labels: the teachers' votes alone are learned there`);
  const validated = split.test.map((entry) => names.shown(entry).name);
  const validating =
    validated.length === 0 ? 'none validates' : `${validated.length} to validate: ${validated.join(', ')}`;
  context.note(`${split.train.length} cases to train on, ${validating}`);
  const shownName = (entry: { readonly name: string }): string => names.shown(entry).name;
  const resumable = {
    runFolder: out,
    config,
    acceptChangedData: job.acceptChangedData,
    caseName: (name: string) => shownName({ name }),
  };
  // Settings and names first: to know what the cases hold all their files are read.
  if (resume) await checkResume({ ...resumable, cases: { train: split.train, validation: split.test } });
  const consent = config.data;
  const keyed = await keyedCases([...split.train, ...split.test], config.preparation, { consent, shownName }, context);
  const cases = { train: keyed.slice(0, split.train.length), validation: keyed.slice(split.train.length) };
  if (resume) await checkResume({ ...resumable, cases });
  const facts: ScanFacts[] = [];
  const trained = new Set(split.train.map(({ name }) => name));
  const onScan = (scan: PreparedScan, name: string): void => void (trained.has(name) && facts.push(scanFacts(scan)));
  const loaded = await loadCases(keyed, config, { cacheDir, shownName, teachers, onScan }, context);
  const training = loaded.slice(0, split.train.length);
  const validation = loaded.slice(split.train.length);

  const { network, loss, optimizer, seed } = config;
  const { patch, batch, stepsPerEpoch, averaging } = config.train;
  const compiled = {
    network,
    classes: classes.length,
    patch,
    batch,
    loss,
    optimizer,
    seed,
    averaging,
    threads,
    device,
    frozen,
    initial,
    ignoreLabels: ignoreLabel !== undefined,
    softTruth: teachers !== undefined,
  };
  const step = await compileTrainingStep(compiled);
  const made: { dispose(): Promise<void> }[] = [step];
  try {
    refuseIfTooLarge(step.bytes, runtime, context);
    const evaluation = await compileEvaluationStep(compiled);
    made.push(evaluation);
    const statistics = await openStatistics(training, config, compiled);
    if (statistics !== undefined) made.push(statistics.step);
    if (!resume) await clearRun(out);
    await makeFolder(out);
    await writeFileAtomic(join(out, runFiles.config), toYaml(config));
    const samplesPerEpoch = batch * stepsPerEpoch;
    const classNames = classes.map(({ name }) => name);
    const warnIfLong = lengthWarning(config.train, (text) => context.note(text));
    const result = await train({
      ...resumable,
      cases: { train: training, validation },
      step,
      evaluation,
      statistics,
      resume,
      fitSeconds: secondsForEpochs(config, (performance.now() - beginMs) / 1000),
      signal: context.signal,
      openSamples: (startStep) =>
        createSamplePool({
          cases: training,
          classes: mirroredIndices(classes).map((mirror, value) => ({ value, mirror })),
          augmentation: config.augmentation,
          patch,
          oversampling: oversamplingOf(config),
          seed,
          samplesPerEpoch,
          startAt: startStep * batch,
        }),
      onProgress: (progress) => {
        context.emit({ kind: 'training', classNames, progress });
        warnIfLong(progress);
      },
    });
    finished(result);
    const labelled = split.test.filter(isLabelled);
    return {
      config,
      result,
      trainingCases: split.train.length,
      scans: trainingScans(facts),
      validation: labelled,
      names,
    };
  } finally {
    for (const one of made.reverse()) await one.dispose();
  }
}

/** What estimates the statistics of batch norm, where that is asked for and the network has them. */
async function openStatistics(
  training: readonly TrainingCase[],
  { train: { patch, statisticsPatches: count }, seed }: TrainConfig,
  compiled: StepConfig,
): Promise<TrainOptions['statistics']> {
  if (count === undefined) return undefined;
  const step = await compileStatisticsStep(compiled);
  return step && { step, patches: () => statisticsPatches(training, patch, { seed, count }) };
}

function oversamplingOf({ train: { oversample = {} }, preparation }: TrainConfig): Oversampling[] {
  return Object.entries(oversample).map(([name, share]) => ({
    classIndex: preparation.classes.findIndex((one) => one.name === name),
    share,
  }));
}

/** What model and report take after the last epoch, about. */
const secondsAfterwards = 15;

/** What is left of `train.minutes` for the epochs, after what reading and preparing the cases took. */
function secondsForEpochs({ train: { minutes } }: TrainConfig, spentSeconds: number): number | undefined {
  return minutes === undefined ? undefined : Math.max(1, 60 * minutes - spentSeconds - secondsAfterwards);
}

/** A step that cannot fit is refused before the run folder is touched; the plan is within a quarter of what is used. */
function refuseIfTooLarge(bytes: number, { memory }: Runtime, context: JobContext): void {
  if (memory === 'card') {
    // WebGPU does not tell how much a card has; allocation fails with an error of the runtime.
    context.note(`a training step needs at least ${formatBytes(bytes)} of the graphics card's memory`);
    return;
  }
  const available = availableMemory();
  context.note(`a training step needs about ${formatBytes(bytes)} of memory`);
  if (available === undefined || bytes <= available) return;
  throw new QuickcolumnError(
    'memory',
    `a training step needs about ${formatBytes(bytes)} of memory, ${formatBytes(available)} are free; ` +
      'use a smaller train.patch, train.batch or network.rootFilters',
    { neededBytes: bytes, availableBytes: available },
  );
}
