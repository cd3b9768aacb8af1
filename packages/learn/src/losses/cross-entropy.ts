/** Cross-entropy: −(1/NV) Σ t·log p. */
import { z } from 'zod';
import { everyLoss, type Loss } from './loss.js';

interface CrossEntropyConfig {
  readonly kind: 'cross-entropy';
}

export const crossEntropy: Loss<CrossEntropyConfig> = {
  kind: 'cross-entropy',
  schema: z.strictObject({ kind: z.literal('cross-entropy'), ...everyLoss }),
  voxelTerm: (_graph, { logP }) => logP,
};
