/** Training with a person in the loop: begin, and go on until it is the person's turn. */
import type { TrainConfig } from '@quickcolumn/learn';
import { z } from 'zod';
import { type Caching, count, flag, path, trainConfig } from './parts.js';

interface RoundsWork extends Caching {
  readonly out: string;
  /** Scans to correct in each round. */
  readonly scans?: number;
  readonly threads?: number;
  readonly evaluateValidation?: boolean;
}

export interface StartRoundsJob extends RoundsWork {
  readonly kind: 'rounds-start';
  /** With a list of cases. */
  readonly config: TrainConfig;
  /** Round 1 trains on the first so many labelled cases; default all. */
  readonly first?: number;
  /** As listed, or those with the largest mean entropy first; default as listed. */
  readonly order?: 'given' | 'uncertain';
}

export interface NextRoundJob extends RoundsWork {
  readonly kind: 'rounds-next';
  /** Corrected files that do not lie in to-correct, named as their scans. */
  readonly corrected?: readonly string[];
  /** The masks that nobody changed are right as they are. */
  readonly acceptUnchanged?: boolean;
}

/** Where the rounds are and what is to be done next. */
export interface RoundsStatus {
  readonly round: number;
  /** `correct`: it is the person's turn; `done`: every scan is labelled; the others: a round was interrupted or runs. */
  readonly state: 'correct' | 'done' | 'predict' | 'train';
  /** Scans to correct now, and the folder that they lie in. */
  readonly batch: readonly string[];
  readonly toCorrect: string;
  /** Scans that are not predicted or corrected yet. */
  readonly waiting: number;
  /** Of the last training that ended; absent before the first. */
  readonly model?: string;
  /** A table, the heading first: one row a round. */
  readonly table: readonly (readonly string[])[];
}

const work = {
  out: path,
  scans: count.optional(),
  threads: count.optional(),
  evaluateValidation: flag.optional(),
  cacheDir: path.optional(),
};

export const startRoundsJob: z.ZodType<StartRoundsJob> = z.strictObject({
  kind: z.literal('rounds-start'),
  config: trainConfig,
  first: count.optional(),
  order: z.enum(['given', 'uncertain']).optional(),
  ...work,
});

export const nextRoundJob: z.ZodType<NextRoundJob> = z.strictObject({
  kind: z.literal('rounds-next'),
  corrected: z.array(path).optional(),
  acceptUnchanged: flag.optional(),
  ...work,
});
