/** The focal loss: −(1/NV) Σ t·(1 − p)^γ·log p (Lin et al. 2017, Eq. 4). */
import { z } from 'zod';
import { everyLoss, type Loss } from './loss.js';
import { affine, power } from './nodes.js';

interface FocalConfig {
  readonly kind: 'focal';
  readonly gamma: number;
}

export const focal: Loss<FocalConfig> = {
  kind: 'focal',
  schema: z.strictObject({ kind: z.literal('focal'), gamma: z.number().gt(0).max(10), ...everyLoss }),
  voxelTerm: (graph, { p, logP }, { gamma }) =>
    graph.apply('mul', [power(graph, affine(graph, p, -1, 1), gamma), logP]),
};
