/** The loss of the paper: Tversky and cross-entropy, added. Its `kind` may be left out. */
import { z } from 'zod';
import type { Loss } from './loss.js';
import { tverskyTerm, type TverskyWeights, tverskyWeights } from './tversky.js';

interface TverskyCeConfig extends TverskyWeights {
  readonly kind?: 'tversky-ce' | undefined;
}

export const tverskyCe: Loss<TverskyCeConfig> = {
  kind: 'tversky-ce',
  schema: z.strictObject({ kind: z.literal('tversky-ce').optional(), ...tverskyWeights }),
  voxelTerm: (_graph, { logP }) => logP,
  classTerm: tverskyTerm,
};
