/**
 * Everything that can be asked for, as data. A job is JSON: what to do, on which inputs, into which folder, with which
 * configuration. `parseJob` checks one that comes from outside.
 */
import { ConfigError, describeIssues } from '@quickcolumn/learn';
import type { z } from 'zod';
import {
  type CompareJob,
  type CompareJobResult,
  compareJob,
  type CrossValidateJob,
  type CrossValidateJobResult,
  crossValidateJob,
} from './compare.js';
import { type DeidentifyJob, type DeidentifyJobResult, deidentifyJob } from './deidentify.js';
import { type DistillJob, distillJob } from './distill.js';
import { type EvaluateJob, type EvaluateJobResult, evaluateJob } from './evaluate.js';
import { type PredictFoldJob, predictFoldJob, type TrainFoldJob, trainFoldJob } from './fold.js';
import { type PlanJob, type PlanJobResult, planJob } from './plan.js';
import { type PredictJob, type PredictJobResult, predictJob } from './predict.js';
import {
  type DemoJob,
  type DemoJobResult,
  demoJob,
  type PrepareJob,
  type PrepareJobResult,
  prepareJob,
} from './prepare.js';
import {
  type PseudoLabelJob,
  type PseudoLabelJobResult,
  pseudoLabelJob,
  type SemiSupervisedJob,
  type SemiSupervisedJobResult,
  semiSupervisedJob,
} from './pseudo-label.js';
import { type NextRoundJob, nextRoundJob, type RoundsStatus, type StartRoundsJob, startRoundsJob } from './rounds.js';
import { type TrainJob, type TrainJobResult, trainJob } from './train.js';

/** Every kind of job with what it makes. Adding one: a line here, its schema below, its runner in run-job.ts. */
export interface Jobs {
  train: { readonly job: TrainJob; readonly result: TrainJobResult };
  distill: { readonly job: DistillJob; readonly result: TrainJobResult };
  predict: { readonly job: PredictJob; readonly result: PredictJobResult };
  evaluate: { readonly job: EvaluateJob; readonly result: EvaluateJobResult };
  'cross-validate': { readonly job: CrossValidateJob; readonly result: CrossValidateJobResult };
  compare: { readonly job: CompareJob; readonly result: CompareJobResult };
  'pseudo-label': { readonly job: PseudoLabelJob; readonly result: PseudoLabelJobResult };
  'semi-supervised': { readonly job: SemiSupervisedJob; readonly result: SemiSupervisedJobResult };
  'rounds-start': { readonly job: StartRoundsJob; readonly result: RoundsStatus };
  'rounds-next': { readonly job: NextRoundJob; readonly result: RoundsStatus };
  plan: { readonly job: PlanJob; readonly result: PlanJobResult };
  prepare: { readonly job: PrepareJob; readonly result: PrepareJobResult };
  demo: { readonly job: DemoJob; readonly result: DemoJobResult };
  deidentify: { readonly job: DeidentifyJob; readonly result: DeidentifyJobResult };
  'train-fold': { readonly job: TrainFoldJob; readonly result: null };
  'predict-fold': { readonly job: PredictFoldJob; readonly result: null };
}

export type JobKind = keyof Jobs;
export type Job = Jobs[JobKind]['job'];
export type JobResult<J extends Job> = Jobs[J['kind']]['result'];

const schemas: { readonly [K in JobKind]: z.ZodType<Jobs[K]['job']> } = {
  train: trainJob,
  distill: distillJob,
  predict: predictJob,
  evaluate: evaluateJob,
  'cross-validate': crossValidateJob,
  compare: compareJob,
  'pseudo-label': pseudoLabelJob,
  'semi-supervised': semiSupervisedJob,
  'rounds-start': startRoundsJob,
  'rounds-next': nextRoundJob,
  plan: planJob,
  prepare: prepareJob,
  demo: demoJob,
  deidentify: deidentifyJob,
  'train-fold': trainFoldJob,
  'predict-fold': predictFoldJob,
};

const isKind = (kind: unknown): kind is JobKind => typeof kind === 'string' && Object.hasOwn(schemas, kind);

/**
 * A job that came as JSON, checked.
 * @param source what messages call it: a file's name
 * @throws ConfigError (code `config`), one line a problem
 */
export function parseJob(json: unknown, source: string): Job {
  const kind = typeof json === 'object' && json !== null && 'kind' in json ? json.kind : undefined;
  if (!isKind(kind)) {
    const message = `${JSON.stringify(kind) ?? 'nothing'} is no kind of job; use one of ${Object.keys(schemas).join(', ')}`;
    throw new ConfigError(source, [{ path: 'kind', message }]);
  }
  const parsed = schemas[kind].safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ConfigError(source, describeIssues(parsed.error, json, { kind, out: '', config: {} }));
}
