/** The settings of a loss: those of any one in the list. A loss without `kind` is the paper's, as in the first release. */
import type { z } from 'zod';
import { schemaOfVariants, variantOf } from '../config/variants.js';
import * as losses from './all-losses.js';
import type { EveryLoss, Loss } from './loss.js';

type ConfigOf<Entry> = Entry extends Loss<infer Config> ? Config : never;

export type LossConfig = EveryLoss & ConfigOf<(typeof losses)[keyof typeof losses]>;

export const lossSchema: z.ZodType<LossConfig> = schemaOfVariants(losses);

export function lossNamed({ kind = 'tversky-ce' }: LossConfig): Loss<LossConfig> {
  return variantOf<Loss<LossConfig>>(losses, kind);
}
