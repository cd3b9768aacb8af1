/**
 * What a training minimises, how, and at which rate: loss, optimiser and schedule as plain settings with their checks.
 *
 * Keys that came after the first release are optional, so that older files and the checkpoints' record of them stay
 * valid: a loss without `kind` is the paper's, `clipNorm`, `warmupSteps` and `levelWeights` are off when absent.
 */
import { z } from 'zod';

interface DeepSupervision {
  /** Weight of each head's loss, the finest first; only the ratios count. Absent: halved from head to head. */
  readonly levelWeights?: readonly number[];
}

interface TverskyWeights {
  /** Weighs false negatives. */
  readonly alpha: number;
  /** Weighs false positives. */
  readonly beta: number;
  readonly epsilon: number;
}

/** The formulas stand in loss.ts. */
export type LossConfig = DeepSupervision &
  (
    | ({ readonly kind?: 'tversky-ce' | undefined } & TverskyWeights)
    | ({ readonly kind: 'tversky' } & TverskyWeights)
    | ({ readonly kind: 'focal-tversky'; readonly gamma: number } & TverskyWeights)
    | { readonly kind: 'dice' | 'dice-ce'; readonly epsilon: number; readonly background: boolean }
    | { readonly kind: 'generalized-dice'; readonly epsilon: number }
    | { readonly kind: 'cross-entropy' }
    | { readonly kind: 'focal'; readonly gamma: number }
  );

interface Clipping {
  /** Gradients are scaled down together when their global norm is above this. Absent: never. */
  readonly clipNorm?: number;
}

/** Adam's moments; `weightDecay` is decoupled from them (AdamW). */
export interface AdamConfig extends Clipping {
  readonly kind: 'adam';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export interface AdamWConfig extends Clipping {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export interface SgdConfig extends Clipping {
  readonly kind: 'sgd';
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Added to the gradient, as L2 regularisation is. */
  readonly weightDecay: number;
}

export type OptimizerConfig = AdamConfig | AdamWConfig | SgdConfig;

interface WarmUp {
  /** Steps over which the rate rises linearly to its own value. Absent: none. */
  readonly warmupSteps?: number;
}

export type ScheduleConfig = WarmUp &
  (
    | {
        readonly kind: 'plateau';
        readonly factor: number;
        /** Epochs without an improvement of at least `minDelta` before the rate is lowered. */
        readonly patience: number;
        readonly minDelta: number;
        readonly cooldown: number;
        /** The rate never goes below this. */
        readonly floor: number;
      }
    | {
        readonly kind: 'steps';
        /** Share of all steps after which the rate is multiplied by `factor`. */
        readonly lowerAt: number;
        readonly factor: number;
      }
    | {
        readonly kind: 'polynomial';
        /** rate·(1 − share of the steps done)^power. */
        readonly power: number;
      }
    | {
        readonly kind: 'cosine';
        /** The rate at the end. */
        readonly floor: number;
      }
    | { readonly kind: 'constant' }
  );

const positive = z.number().gt(0);
const share = z.number().gt(0).lt(1);
const notNegative = z.number().min(0);
const supervision = { levelWeights: z.array(positive).min(1).max(8).optional() };
const tversky = { alpha: notNegative, beta: notNegative, epsilon: positive, ...supervision };
const dice = { epsilon: positive, background: z.boolean(), ...supervision };
const gamma = z.number().gt(0).max(10);

export const lossSchema: z.ZodType<LossConfig> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tversky-ce').optional(), ...tversky }),
  z.strictObject({ kind: z.literal('tversky'), ...tversky }),
  z.strictObject({ kind: z.literal('focal-tversky'), gamma, ...tversky }),
  z.strictObject({ kind: z.literal('dice'), ...dice }),
  z.strictObject({ kind: z.literal('dice-ce'), ...dice }),
  z.strictObject({ kind: z.literal('generalized-dice'), epsilon: positive, ...supervision }),
  z.strictObject({ kind: z.literal('cross-entropy'), ...supervision }),
  z.strictObject({ kind: z.literal('focal'), gamma, ...supervision }),
]);

const clipping = { clipNorm: positive.optional() };
const adam = {
  beta1: notNegative.lt(1),
  beta2: notNegative.lt(1),
  epsilon: positive,
  ...clipping,
};

export const optimizerSchema: z.ZodType<OptimizerConfig> = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('adam'), ...adam }),
    z.strictObject({ kind: z.literal('adamw'), weightDecay: notNegative, ...adam }),
    z.strictObject({
      kind: z.literal('sgd'),
      momentum: notNegative.lt(1),
      nesterov: z.boolean(),
      weightDecay: notNegative,
      ...clipping,
    }),
  ])
  .superRefine((optimizer, context) => {
    if (optimizer.kind !== 'sgd' || !optimizer.nesterov || optimizer.momentum > 0) return;
    const message = 'true needs a momentum above 0; use momentum 0.99 or nesterov false';
    context.addIssue({ code: 'custom', path: ['nesterov'], message });
  });

const warmUp = { warmupSteps: z.int().min(1).optional() };

export const scheduleSchema: z.ZodType<ScheduleConfig> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('plateau'),
    factor: share,
    patience: z.int().min(1),
    minDelta: notNegative,
    cooldown: z.int().min(0),
    floor: notNegative,
    ...warmUp,
  }),
  z.strictObject({ kind: z.literal('steps'), lowerAt: share, factor: share, ...warmUp }),
  z.strictObject({ kind: z.literal('polynomial'), power: positive, ...warmUp }),
  z.strictObject({ kind: z.literal('cosine'), floor: notNegative, ...warmUp }),
  z.strictObject({ kind: z.literal('constant'), ...warmUp }),
]);
