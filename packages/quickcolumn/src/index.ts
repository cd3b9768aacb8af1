/**
 * Quickcolumn as a library. Each function runs one job to its end and resolves with what it made; the command line, the
 * viewer and the service run the same jobs. A job is plain data, so it can also be sent: see `runJob` and `parseJob`.
 *
 *   import { predict, train, trainConfig } from 'quickcolumn';
 *   const config = trainConfig({ profile: 'quick', data: { list: '/data/cases.csv' } });
 *   const { model } = await train({ config, out: 'run' });
 *   await predict({ inputs: ['scan.nii.gz'], model, out: 'masks' });
 *
 * All of them reject with a QuickcolumnError: a stable `code`, fields, and a message for people. `signal` stops them at the
 * next safe point, `onEvent` tells how far they are.
 */
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import { type JobKind, type JobOptions, type Jobs, runJob } from '@quickcolumn/workflows';

/** A job without its kind, which is the function's name. */
export type Request<K extends JobKind> = Omit<Jobs[K]['job'], 'kind'>;
export type Result<K extends JobKind> = Jobs[K]['result'];

type JobFunction<K extends JobKind> = (request: Request<K>, options?: JobOptions) => Promise<Result<K>>;

const jobFunction =
  <K extends JobKind>(kind: K): JobFunction<K> =>
  async (request, options) =>
    (await runJob({ kind, ...request } as Jobs[K]['job'], options)) as Result<K>;

/** Trains a network: a run folder with model, history, checkpoints and report. */
export const train: JobFunction<'train'> = jobFunction('train');
/**
 * Masks of scans on their own grids, with sidecars, as files. Of several scans, one that fails does not keep the others from
 * it: it rejects at the end, and `fields` tells `failed` (name, code, message) and `scans`, what was written.
 */
export const predict: JobFunction<'predict'> = jobFunction('predict');
/** Metrics of masks against the truth: tables, pictures, report. */
export const evaluate: JobFunction<'evaluate'> = jobFunction('evaluate');
/** One configuration on every fold of the cases. */
export const crossValidate: JobFunction<'cross-validate'> = jobFunction('cross-validate');
/** Several systems on the same folds of the same cases. */
export const compare: JobFunction<'compare'> = jobFunction('compare');
/** One model from the votes of several: a run folder as of `train`. */
export const distill: JobFunction<'distill'> = jobFunction('distill');
/** Labels by a model where it is sure, as a dataset to train on. */
export const pseudoLabel: JobFunction<'pseudo-label'> = jobFunction('pseudo-label');
/** Teacher, pseudo-labels, student. */
export const semiSupervised: JobFunction<'semi-supervised'> = jobFunction('semi-supervised');
/** Begins training rounds with a person in the loop. */
export const startRounds: JobFunction<'rounds-start'> = jobFunction('rounds-start');
/** Accepts corrections and goes on until it is the person's turn again. */
export const nextRound: JobFunction<'rounds-next'> = jobFunction('rounds-next');
/** Prepares scans into the cache, so that trainings start at once. */
export const prepare: JobFunction<'prepare'> = jobFunction('prepare');
/** DICOM files without whom they show; it rejects at the end where files are refused, and `fields` tells `refused` and `series`. */
export const deidentify: JobFunction<'deidentify'> = jobFunction('deidentify');
/** The whole way on generated phantoms. */
export const demo: JobFunction<'demo'> = jobFunction('demo');

/**
 * A complete training configuration from the keys that differ from its profile. Paths are relative to the working folder.
 * @throws ConfigError (code `config`) with one line a problem
 */
export function trainConfig(keys: Readonly<Record<string, unknown>>): TrainConfig {
  return parseTrainConfig({ profile: 'paper', ...keys }, 'configuration');
}

export { type ErrorCode, type ErrorFields, type ErrorJson, exitCodeOf, QuickcolumnError } from '@quickcolumn/errors';
export { readLabels, readVolume, writeVolume } from '@quickcolumn/io';
export { type LoadedModel, loadModel, type MaskSidecar, segment } from '@quickcolumn/predict';
export type { LabelClass, Volume } from '@quickcolumn/volume';
export {
  inOwnProcess,
  inThisProcess,
  type Job,
  type JobEvent,
  type JobHost,
  type JobKind,
  type JobOptions,
  type JobResult,
  parseJob,
  roundsStatus,
  runJob,
  version,
} from '@quickcolumn/workflows';
export type { TrainConfig };
