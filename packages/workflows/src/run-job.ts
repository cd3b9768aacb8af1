/**
 * Runs a job. Each kind is loaded when it is asked for, so that a caller pays for what it uses.
 */
import { createContext, type JobContext, type JobHost, type JobOptions } from './context.js';
import { type LockRequest, withLock } from './folders/lock.js';
import type { Job, JobKind, JobResult, Jobs } from './jobs/index.js';
import { namesMaskFile } from './predict/mask-targets.js';

type Runner<K extends JobKind> = (job: Jobs[K]['job'], context: JobContext) => Promise<Jobs[K]['result']>;

const runners: { readonly [K in JobKind]: () => Promise<Runner<K>> } = {
  train: async () => (await import('./train/run-training.js')).runTraining,
  distill: async () => (await import('./distill/distill-job.js')).runDistillation,
  predict: async () => (await import('./predict/predict-scans.js')).runPrediction,
  evaluate: async () => (await import('./evaluate/evaluate-folders.js')).runEvaluation,
  'cross-validate': async () => (await import('./compare/cross-validate.js')).runCrossValidation,
  compare: async () => (await import('./compare/compare.js')).runComparison,
  'pseudo-label': async () => (await import('./pseudo-labels/pseudo-label-scans.js')).runPseudoLabelling,
  'semi-supervised': async () => (await import('./pseudo-labels/semi-supervised.js')).runSemiSupervised,
  'rounds-start': async () => (await import('./rounds/rounds-jobs.js')).runStartRounds,
  'rounds-next': async () => (await import('./rounds/rounds-jobs.js')).runNextRound,
  plan: async () => (await import('./plan/plan-job.js')).runPlanning,
  prepare: async () => (await import('./train/prepare-job.js')).runPreparation,
  demo: async () => (await import('./demo/demo.js')).runDemo,
  deidentify: async () => (await import('./deidentify/deidentify-files.js')).runDeidentification,
  'train-fold': async () => (await import('./compare/fold-jobs.js')).runTrainFold,
  'predict-fold': async () => (await import('./compare/fold-jobs.js')).runPredictFold,
};

/** What a job writes, and no other process may at the same time. */
function outputOf(job: Job): Pick<LockRequest, 'place' | 'isFile' | 'private'> | undefined {
  switch (job.kind) {
    case 'prepare':
      // The cache is made to be shared by processes: its files are named by what is in them and appear whole.
      return undefined;
    case 'plan':
      // One file at the most, written whole.
      return undefined;
    case 'train-fold':
    case 'predict-fold':
      return { place: job.folder, private: true };
    case 'predict':
      return { place: job.out, isFile: namesMaskFile(job.out) };
    case 'evaluate':
    case 'demo':
    case 'deidentify':
      return { place: job.out };
    default:
      // Configurations, checkpoints, lists and rounds keep the names of cases.
      return { place: job.out, private: true };
  }
}

/**
 * Runs a job to its end. While it runs, the folder that it writes is locked.
 *
 * @throws QuickcolumnError with what is wrong with the job, its inputs, its folder or the machine; `busy` where another
 *   process writes the same folder; `interrupted` after the signal. What is finished by then is kept, and the same job goes on with it where its kind says so.
 */
export async function runJob<J extends Job>(job: J, options: JobOptions = {}): Promise<JobResult<J>> {
  const run = (await runners[job.kind]()) as (job: J, context: JobContext) => Promise<JobResult<J>>;
  const host = options.host ?? inThisProcess;
  const output = outputOf(job);
  if (output === undefined) return await run(job, createContext(options, host));
  const request = { ...output, doing: job.kind, signal: options.signal };
  return await withLock(request, (signal) => run(job, createContext({ ...options, signal }, host)));
}

/** The host that runs stages where the job itself runs: simplest, and memory is that of both together. */
export const inThisProcess: JobHost = {
  run: async (job, options) => await runJob(job, { ...options, host: inThisProcess }),
};
