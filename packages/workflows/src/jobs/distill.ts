/** Models distilled into one: a training on their votes. */
import { z } from 'zod';
import type { ConfigRequest } from '../train/train-config.js';
import { type Caching, type CaseNaming, count, flag, naming, path } from './parts.js';

export interface DistillJob extends CaseNaming, Caching {
  readonly kind: 'distill';
  /** The teachers: model files, run folders or folders of cross-validations. Needed to begin. */
  readonly model?: string | readonly string[];
  /** What the user has decided; the network, preparation and windows are the first teacher's otherwise. */
  readonly request: ConfigRequest;
  /** How much labels count beside the votes, 0 to 1; default 0.25. */
  readonly hardShare?: number;
  /** The run folder. */
  readonly out: string;
  /** Goes on with the training in `out`, with its own configuration; where there is none yet, begins. */
  readonly resume?: boolean;
  /** Clears a run folder that is in use. */
  readonly force?: boolean;
  /** Resumes although scans or labels have changed since. */
  readonly acceptChangedData?: boolean;
  /** CPU threads of the networks; default all. */
  readonly threads?: number;
  /** Data licence and the like, kept in the model file. */
  readonly notes?: string;
  /** Predict and measure the validation cases for the report; default true. */
  readonly evaluateValidation?: boolean;
}

export const distillJob: z.ZodType<DistillJob> = z.strictObject({
  kind: z.literal('distill'),
  model: z.union([path, z.array(path).min(1)]).optional(),
  // Checked with the configuration that it makes, in the same words as that of a file.
  request: z.record(z.string(), z.unknown()),
  hardShare: z.number().min(0).max(1).optional(),
  out: path,
  resume: flag.optional(),
  force: flag.optional(),
  acceptChangedData: flag.optional(),
  threads: count.optional(),
  notes: z.string().optional(),
  evaluateValidation: flag.optional(),
  cacheDir: path.optional(),
  ...naming,
});
