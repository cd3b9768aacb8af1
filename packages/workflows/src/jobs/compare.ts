/** Several systems, or one, on the same folds of the same cases. */
import type { Comparison } from '@quickcolumn/evaluate';
import type { TrainConfig } from '@quickcolumn/learn';
import { z } from 'zod';
import type { EvaluateJobResult } from './evaluate.js';
import {
  type Caching,
  type CaseNaming,
  compute,
  count,
  type DataOverride,
  dataOverride,
  flag,
  naming,
  path,
  type ThreadedCompute,
  trainConfig,
} from './parts.js';

export interface CompareJob extends CaseNaming, Caching, ThreadedCompute {
  readonly kind: 'compare';
  readonly out: string;
  /** An experiment file; default the one in `out`, to go on. */
  readonly experiment?: string;
  readonly data?: DataOverride;
  /** Ids; default all. The systems whose weights they use come along. */
  readonly systems?: readonly string[];
  /** From 0; default all. */
  readonly folds?: readonly number[];
  /** Cases to show beside the best, the median and the worst one. */
  readonly cases?: readonly string[];
  /** Trains nothing: reports the finished folds that belong together. */
  readonly reportOnly?: boolean;
  /** Ids of systems to be trained anew, or `all`. */
  readonly redo?: readonly string[];
}

export interface CompareJobResult {
  readonly comparison: Comparison;
  /** Absent while no fold can be compared. */
  readonly report?: string;
}

export interface CrossValidateJob extends CaseNaming, Caching, ThreadedCompute {
  readonly kind: 'cross-validate';
  readonly out: string;
  /** Default: that of `out`, to go on. */
  readonly config?: TrainConfig;
  /** How many; default 5. */
  readonly folds?: number;
  /** Only this one, from 0. */
  readonly fold?: number;
  /** Trains all folds anew, or the one of `fold`. */
  readonly redo?: boolean;
}

export interface CrossValidateJobResult {
  /** Numbers of the folds that are not finished; the evaluation waits for them. */
  readonly unfinished: readonly number[];
  readonly evaluation?: EvaluateJobResult;
}

const shared = {
  out: path,
  threads: count.optional(),
  cacheDir: path.optional(),
  ...compute,
  ...naming,
};

export const compareJob: z.ZodType<CompareJob> = z.strictObject({
  kind: z.literal('compare'),
  experiment: path.optional(),
  data: dataOverride.optional(),
  systems: z.array(path).optional(),
  folds: z.array(z.int().min(0)).optional(),
  cases: z.array(path).optional(),
  reportOnly: flag.optional(),
  redo: z.array(path).optional(),
  ...shared,
});

export const crossValidateJob: z.ZodType<CrossValidateJob> = z.strictObject({
  kind: z.literal('cross-validate'),
  config: trainConfig.optional(),
  folds: z.int().min(2).optional(),
  fold: z.int().min(0).optional(),
  redo: flag.optional(),
  ...shared,
});
