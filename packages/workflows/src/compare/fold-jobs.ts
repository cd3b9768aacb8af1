/**
 * The work of one fold in two stages: training, then prediction with evaluation. Memory is that of the process, whose
 * high-water mark never falls; a host gives each stage a process of its own where that is to be measured.
 */
import { join } from 'node:path';
import { resourceUsage } from 'node:process';
import { assumptionsOf } from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { FoldCost } from '@quickcolumn/evaluate';
import { historyFile, readHistory } from '@quickcolumn/learn';
import type { JobContext } from '../context.js';
import { evaluateCases } from '../evaluate/evaluation.js';
import { runFiles } from '../folders/run-folder.js';
import type { PredictFoldJob, TrainFoldJob } from '../jobs/fold.js';
import { predictScans } from '../predict/predict-scans.js';
import { volumeInput } from '../scans/scan-inputs.js';
import { trainInto } from '../train/run-training.js';
import { masksFolder, readTrainingPeak, writeResult, writeTrainingPeak } from './fold-files.js';
import { requireSameNumerics } from './identity.js';

const peakEveryMs = 10_000;

/** Goes on where the fold's training was interrupted. */
export async function runTrainFold(
  { folder, config, cacheDir, threads, anonymize, identity }: TrainFoldJob,
  context: JobContext,
): Promise<null> {
  requireSameNumerics(identity);
  const before = await readTrainingPeak(folder);
  const record = async (): Promise<void> => await writeTrainingPeak(folder, Math.max(before, peakBytes()));
  await record();
  // A killed session leaves the peak of its last seconds at most untold. A full disk is the training's to report.
  const timer = setInterval(() => void record().catch(() => undefined), peakEveryMs);
  try {
    const job = {
      kind: 'train',
      config,
      out: folder,
      cacheDir,
      threads,
      evaluateValidation: false,
      anonymize,
    } as const;
    await trainInto(job, true, context);
  } finally {
    clearInterval(timer);
  }
  await record();
  return null;
}

/** Makes the fold done: masks, metrics and cost of its held-out cases. */
export async function runPredictFold(job: PredictFoldJob, context: JobContext): Promise<null> {
  const { folder, config, trainedIn, cases, shown, testTime, threads, identity, fold } = job;
  requireSameNumerics(identity);
  const masks = join(folder, masksFolder);
  const { accept } = config.data;
  const assume = assumptionsOf(config.data);
  const scans = cases.map(({ name, imagePath }, index) => ({
    ...volumeInput(name, imagePath, assume),
    ...(shown && { shownName: shown[index].name }),
  }));
  const options = {
    ...config.compute,
    ...testTime,
    threads,
    accept,
    force: true,
    model: join(trainedIn, runFiles.model),
  };
  const predicted = await predictScans(scans, { ...options, out: masks }, context);
  const predictionPeakBytes = peakBytes();
  const files = cases.map(({ name, patient, labelPath }, index) => ({
    ...(shown?.[index] ?? { name, patient }),
    truthPath: labelPath,
    predictionPath: join(masks, `${name}.nii.gz`),
  }));
  const evaluation = await evaluateCases(files, { ...config.preparation, assume }, context);
  const secondsPerScan = predicted.reduce((sum, { seconds }) => sum + seconds, 0) / predicted.length;
  const cost = { ...(await trainingCost(trainedIn)), secondsPerScan, predictionPeakBytes };
  // The result keeps the real names, to be read with or without anonymous ones.
  const metrics = evaluation.cases.map((entry, index) => {
    const { name, patient } = cases[index];
    return { ...entry, name, patient };
  });
  await writeResult(folder, { identity, fold, cases: metrics, cost });
  return null;
}

async function trainingCost(
  folder: string,
): Promise<Pick<FoldCost, 'trainingSteps' | 'trainingSeconds' | 'trainingPeakBytes'>> {
  const history = await readHistory(join(folder, historyFile));
  const last = history.at(-1);
  if (last === undefined) {
    throw new QuickcolumnError('input', `${folder}: its history is gone; do the fold anew`, {
      options: { redo: 'train it again' },
    });
  }
  return {
    trainingSteps: last.steps,
    trainingSeconds: history.reduce((sum, epoch) => sum + epoch.seconds, 0),
    trainingPeakBytes: await readTrainingPeak(folder),
  };
}

/** Highest resident memory of this process so far. */
function peakBytes(): number {
  return resourceUsage().maxRSS * 1024;
}
