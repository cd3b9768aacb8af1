/**
 * Runs a job. Each kind is loaded when it is asked for, so that a caller pays for what it uses.
 */
import { createContext, type JobContext, type JobHost, type JobOptions } from './context.js';
import type { Job, JobKind, JobResult, Jobs } from './jobs/index.js';

type Runner<K extends JobKind> = (job: Jobs[K]['job'], context: JobContext) => Promise<Jobs[K]['result']>;

const runners: { readonly [K in JobKind]: () => Promise<Runner<K>> } = {
  train: async () => (await import('./train/run-training.js')).runTraining,
  predict: async () => (await import('./predict/predict-scans.js')).runPrediction,
  evaluate: async () => (await import('./evaluate/evaluate-folders.js')).runEvaluation,
  'cross-validate': async () => (await import('./compare/cross-validate.js')).runCrossValidation,
  compare: async () => (await import('./compare/compare.js')).runComparison,
  'pseudo-label': async () => (await import('./pseudo-labels/pseudo-label-scans.js')).runPseudoLabelling,
  'semi-supervised': async () => (await import('./pseudo-labels/semi-supervised.js')).runSemiSupervised,
  'rounds-start': async () => (await import('./rounds/rounds-jobs.js')).runStartRounds,
  'rounds-next': async () => (await import('./rounds/rounds-jobs.js')).runNextRound,
  prepare: async () => (await import('./train/prepare-job.js')).runPreparation,
  demo: async () => (await import('./demo/demo.js')).runDemo,
  'train-fold': async () => (await import('./compare/fold-jobs.js')).runTrainFold,
  'predict-fold': async () => (await import('./compare/fold-jobs.js')).runPredictFold,
};

/**
 * Runs a job to its end.
 *
 * @throws QuickcolumnError with what is wrong with the job, its inputs, its folder or the machine; `interrupted` after
 *   the signal. What is finished by then is kept, and the same job goes on with it where its kind says so.
 */
export async function runJob<J extends Job>(job: J, options: JobOptions = {}): Promise<JobResult<J>> {
  const run = (await runners[job.kind]()) as (job: J, context: JobContext) => Promise<JobResult<J>>;
  return await run(job, createContext(options, options.host ?? inThisProcess));
}

/** The host that runs stages where the job itself runs: simplest, and memory is that of both together. */
export const inThisProcess: JobHost = {
  run: async (job, options) => await runJob(job, { ...options, host: inThisProcess }),
};
