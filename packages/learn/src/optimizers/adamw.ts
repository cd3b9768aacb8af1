/**
 * AdamW (Loshchilov and Hutter 2019, Alg. 2): Adam, and w ← w − rate·decay·w beside it, so that the decay does not go
 * through the moments.
 */
import { z } from 'zod';
import { type AdamMoments, adamMoments, adamRate, buildAdam } from './adam.js';
import type { Optimizer } from './optimizer.js';

interface AdamWConfig extends AdamMoments {
  readonly kind: 'adamw';
  readonly weightDecay: number;
}

export const adamw: Optimizer<AdamWConfig> = {
  kind: 'adamw',
  schema: z.strictObject({ kind: z.literal('adamw'), weightDecay: z.number().min(0), ...adamMoments }),
  build: (graph, updates, rate, config) => buildAdam(graph, updates, rate, config, graph.input('decay', [])),
  inputs: (rate, t, config) => ({
    rate: Float32Array.of(adamRate(rate, t, config)),
    decay: Float32Array.of(rate * config.weightDecay),
  }),
};
