/**
 * The work of one fold, run in child processes (see child.ts): training, then prediction with evaluation. Memory is that
 * of the process, whose high-water mark never falls; that is why each stage has a process of its own.
 */
import { join } from 'node:path';
import type { FoldCost } from '@quickcolumn/evaluate';
import type { DatasetCase } from '@quickcolumn/cases';
import { historyFile, readHistory, type TrainConfig } from '@quickcolumn/learn';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { AnonymousFlags } from '../anonymous.js';
import { predictScans } from '../commands/predict.js';
import { evaluateCases } from '../evaluation.js';
import { runFiles } from '../run-folder.js';
import { volumeInput } from '../scan-inputs.js';
import { runTraining } from '../training-run.js';
import { masksFolder, readTrainingPeak, writeResult, writeTrainingPeak } from './fold-files.js';
import type { FoldIdentity } from './identity.js';
import { type TestTime, testTimeFlags } from './test-time.js';

interface NamedCase {
  readonly name: string;
  readonly patient: string;
}

interface StageJob {
  /** Before every line of the stage, e.g. `qchc, fold-0 (1 of 3)`. */
  readonly label: string;
  /** Of the fold. */
  readonly folder: string;
  /** Of this fold, with the runtime by its name. */
  readonly config: TrainConfig;
  readonly threads?: number;
}

interface TrainJob extends StageJob {
  readonly kind: 'train';
  readonly cacheDir: string;
  readonly anonymous: AnonymousFlags;
}

interface PredictJob extends StageJob {
  readonly kind: 'predict';
  /** Where the model is: `folder`, or that of the system whose weights are used. */
  readonly trainedIn: string;
  readonly testTime: TestTime;
  readonly identity: FoldIdentity;
  readonly fold: number;
  /** The held-out cases. */
  readonly cases: readonly DatasetCase[];
  /** Their names and patients as the terminal shows them, where not their own. */
  readonly shown?: readonly NamedCase[];
}

export type Job = TrainJob | PredictJob;

const peakEveryMs = 10_000;

export async function runStage(job: Job): Promise<void> {
  if (job.kind === 'train') await trainFold(job);
  else await predictFold(job);
}

async function trainFold({ folder, config, cacheDir, threads, anonymous }: TrainJob): Promise<void> {
  const before = await readTrainingPeak(folder);
  const record = async (): Promise<void> => await writeTrainingPeak(folder, Math.max(before, peakBytes()));
  await record();
  // A killed session leaves the peak of its last seconds at most untold. A full disk is the training's to report.
  const timer = setInterval(() => void record().catch(() => undefined), peakEveryMs);
  try {
    await runTraining(config, folder, {
      cacheDir,
      threads,
      resume: true,
      evaluateValidation: false,
      goOn: 'the same command',
      anonymous: { anonymize: anonymous.anonymize ?? anonymous.anonymizeKey !== undefined },
    });
  } finally {
    clearInterval(timer);
  }
  await record();
}

async function predictFold(job: PredictJob): Promise<void> {
  const { folder, config, trainedIn, cases, shown, testTime, threads } = job;
  const seconds: number[] = [];
  const masks = join(folder, masksFolder);
  const flags = { ...config.compute, ...testTimeFlags(testTime), threads, force: true };
  await predictScans(
    cases.map(({ name, imagePath }, index) => ({
      ...volumeInput(name, imagePath),
      ...(shown && { shownName: shown[index].name }),
    })),
    { ...flags, model: join(trainedIn, runFiles.model), out: masks },
    (_name, took) => seconds.push(took),
  );
  const predictionPeakBytes = peakBytes();
  const { classes, ignoreLabel } = config.preparation;
  const files = cases.map(({ name, patient, labelPath }, index) => ({
    ...(shown?.[index] ?? { name, patient }),
    truthPath: labelPath,
    predictionPath: join(masks, `${name}.nii.gz`),
  }));
  const evaluation = await evaluateCases(files, classes, ignoreLabel);
  const secondsPerScan = seconds.reduce((sum, took) => sum + took, 0) / seconds.length;
  const cost = { ...(await trainingCost(trainedIn)), secondsPerScan, predictionPeakBytes };
  // The result keeps the real names, to be read with or without --anonymize.
  const metrics = evaluation.cases.map((entry, index) => {
    const { name, patient } = cases[index];
    return { ...entry, name, patient };
  });
  await writeResult(folder, { identity: job.identity, fold: job.fold, cases: metrics, cost });
}

async function trainingCost(
  folder: string,
): Promise<Pick<FoldCost, 'trainingSteps' | 'trainingSeconds' | 'trainingPeakBytes'>> {
  const history = await readHistory(join(folder, historyFile));
  const last = history.at(-1);
  if (last === undefined) throw new QuickcolumnError('input', `${folder}: its history is gone; use --redo for it`);
  return {
    trainingSteps: last.steps,
    trainingSeconds: history.reduce((sum, epoch) => sum + epoch.seconds, 0),
    trainingPeakBytes: await readTrainingPeak(folder),
  };
}

/** Highest resident memory of this process so far. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
