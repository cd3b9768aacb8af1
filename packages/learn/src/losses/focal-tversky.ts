/** The focal Tversky loss: (1/N) Σ_n Σ_c v·(1 − TI)^(1/γ) (Abraham and Khan 2019, Eq. 4); TI as in tversky.ts. */
import { z } from 'zod';
import type { Loss } from './loss.js';
import { affine, classSum, power } from './nodes.js';
import { tverskyIndex, type TverskyWeights, tverskyWeights } from './tversky.js';

interface FocalTverskyConfig extends TverskyWeights {
  readonly kind: 'focal-tversky';
  readonly gamma: number;
}

export const focalTversky: Loss<FocalTverskyConfig> = {
  kind: 'focal-tversky',
  schema: z.strictObject({ kind: z.literal('focal-tversky'), gamma: z.number().gt(0).max(10), ...tverskyWeights }),
  classTerm(graph, counts, config) {
    const missing = affine(graph, tverskyIndex(graph, counts, config), -1, 1);
    const sum = classSum(graph, power(graph, missing, 1 / config.gamma), config.classWeights);
    return affine(graph, sum, 1 / counts.actual.shape[0]);
  },
};
