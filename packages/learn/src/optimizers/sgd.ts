/**
 * Stochastic gradient descent as PyTorch has it: g ← g + decay·w,  v ← μv + g,  w ← w − rate·v, with Nesterov
 * w ← w − rate·(g + μv).
 */
import type { GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { clipping, type Optimizer } from './optimizer.js';

interface SgdConfig {
  readonly kind: 'sgd';
  readonly momentum: number;
  readonly nesterov: boolean;
  /** Added to the gradient, as L2 regularisation is. */
  readonly weightDecay: number;
}

const velocitySuffix = '/sgd-v';

export const sgd: Optimizer<SgdConfig> = {
  kind: 'sgd',
  schema: z
    .strictObject({
      kind: z.literal('sgd'),
      momentum: z.number().min(0).lt(1),
      nesterov: z.boolean(),
      weightDecay: z.number().min(0),
      ...clipping,
    })
    .superRefine(({ nesterov, momentum }, context) => {
      if (!nesterov || momentum > 0) return;
      const message = 'true needs a momentum above 0; use momentum 0.99 or nesterov false';
      context.addIssue({ code: 'custom', path: ['nesterov'], message });
    }),
  build(graph, updates, rate, { momentum, nesterov, weightDecay }) {
    /** a·scale + b */
    const plus = (a: GraphNode, scale: number, b: GraphNode): GraphNode =>
      graph.apply('add', [graph.apply('affine', [a], { scale, offset: 0 }), b]);
    for (const { weight, gradient } of updates) {
      const g = weightDecay === 0 ? gradient : plus(weight, weightDecay, gradient);
      let direction = g;
      if (momentum > 0) {
        const name = `${weight.name}${velocitySuffix}`;
        const velocity = graph.variable(name, weight.shape, { kind: 'constant', value: 0 }, false);
        const next = plus(velocity, momentum, g);
        graph.assign(velocity, next);
        direction = nesterov ? plus(next, momentum, g) : next;
      }
      graph.assign(weight, graph.apply('sub', [weight, graph.apply('scale', [direction, rate])]));
    }
  },
  inputs: (rate) => ({ rate: Float32Array.of(rate) }),
};
