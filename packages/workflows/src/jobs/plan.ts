/** A training configuration planned from data, machine and minutes. */
import type { TrainConfig } from '@quickcolumn/learn';
import { z } from 'zod';
import type { PlannedValue } from '../plan/reasons.js';
import type { ConfigRequest } from '../train/train-config.js';
import { count, path } from './parts.js';

export interface PlanJob {
  readonly kind: 'plan';
  /** What the user has decided; everything else is planned. Its profile is `auto`. */
  readonly request: ConfigRequest;
  /** Of the whole training, reading the data and the report included. */
  readonly minutes: number;
  readonly threads?: number;
  /** File for the configuration, with the reasons as comments. */
  readonly out?: string;
  readonly force?: boolean;
}

export interface PlanJobResult {
  /** Data paths absolute. */
  readonly config: TrainConfig;
  readonly values: readonly PlannedValue[];
  readonly secondsPerStep: number;
}

export const planJob: z.ZodType<PlanJob> = z.strictObject({
  kind: z.literal('plan'),
  // Checked with the configuration that it makes, in the same words as that of a file.
  request: z.record(z.string(), z.unknown()),
  minutes: z.number().gt(0),
  threads: count.optional(),
  out: path.optional(),
  force: z.boolean().optional(),
});
