/** The settings of an optimiser: those of any one in the list. */
import type { z } from 'zod';
import { schemaOfVariants, variantOf } from '../config/variants.js';
import * as optimizers from './all-optimizers.js';
import type { Clipping, Optimizer } from './optimizer.js';

type ConfigOf<Entry> = Entry extends Optimizer<infer Config> ? Config : never;

export type OptimizerConfig = Clipping & ConfigOf<(typeof optimizers)[keyof typeof optimizers]>;

export const optimizerSchema: z.ZodType<OptimizerConfig> = schemaOfVariants(optimizers);

export function optimizerNamed({ kind }: OptimizerConfig): Optimizer<OptimizerConfig> {
  return variantOf<Optimizer<OptimizerConfig>>(optimizers, kind);
}
