/** One training: from a configuration to a run folder with model and report. */
import type { TrainConfig, TrainResult } from '@quickcolumn/learn';
import { z } from 'zod';
import { type Caching, type CaseNaming, count, flag, naming, path, trainConfig } from './parts.js';

export interface TrainJob extends CaseNaming, Caching {
  readonly kind: 'train';
  /** Complete; data paths absolute. */
  readonly config: TrainConfig;
  /** The run folder. */
  readonly out: string;
  /** Goes on with the training in `out`; where there is none yet, begins. */
  readonly resume?: boolean;
  /** With `resume`: this many epochs more than the configuration says, which the run folder then says, too. */
  readonly extend?: number;
  /** Clears a run folder that is in use. */
  readonly force?: boolean;
  /** Resumes although scans or labels have changed since. */
  readonly acceptChangedData?: boolean;
  /** CPU threads of the network; default all. */
  readonly threads?: number;
  /** Data licence and the like, kept in the model file. */
  readonly notes?: string;
  /** Predict and measure the validation cases for the report; default true. */
  readonly evaluateValidation?: boolean;
}

export interface TrainJobResult extends Omit<TrainResult, 'outcome'> {
  readonly outcome: Exclude<TrainResult['outcome'], 'interrupted'>;
  /** Paths of the model file and of the report. */
  readonly model: string;
  readonly report: string;
}

export const trainJob: z.ZodType<TrainJob> = z.strictObject({
  kind: z.literal('train'),
  config: trainConfig,
  out: path,
  resume: flag.optional(),
  extend: count.optional(),
  force: flag.optional(),
  acceptChangedData: flag.optional(),
  threads: count.optional(),
  notes: z.string().optional(),
  evaluateValidation: flag.optional(),
  cacheDir: path.optional(),
  ...naming,
});
