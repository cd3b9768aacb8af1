/**
 * Adam (Kingma and Ba 2015), in the form with ε outside the bias correction:
 *   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − rate_t · m/(√v + ε),  rate_t = rate·√(1−β₂ᵗ)/(1−β₁ᵗ).
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { clipping, type Optimizer, type Update } from './optimizer.js';

export interface AdamMoments {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

interface AdamConfig extends AdamMoments {
  readonly kind: 'adam';
}

const share = z.number().min(0).lt(1);

export const adamMoments: { beta1: z.ZodNumber; beta2: z.ZodNumber; epsilon: z.ZodNumber } & typeof clipping = {
  beta1: share,
  beta2: share,
  epsilon: z.number().gt(0),
  ...clipping,
};

export const adam: Optimizer<AdamConfig> = {
  kind: 'adam',
  schema: z.strictObject({ kind: z.literal('adam'), ...adamMoments }),
  build: buildAdam,
  inputs: (rate, t, config) => ({ rate: Float32Array.of(adamRate(rate, t, config)) }),
};

/** Suffixes of the moment variables of each weight. */
const momentSuffixes = ['/adam-m', '/adam-v'] as const;

/** @param decay a scalar: the share of itself that every weight loses in a step */
export function buildAdam(
  graph: Graph,
  updates: readonly Update[],
  rate: GraphNode,
  { beta1, beta2, epsilon }: AdamMoments,
  decay?: GraphNode,
): void {
  const affine = (x: GraphNode, scale: number, offset = 0): GraphNode => graph.apply('affine', [x], { scale, offset });
  const add = (a: GraphNode, b: GraphNode): GraphNode => graph.apply('add', [a, b]);
  for (const { weight, gradient } of updates) {
    const [m, v] = momentSuffixes.map((suffix) =>
      graph.variable(`${weight.name}${suffix}`, weight.shape, { kind: 'constant', value: 0 }, false),
    );
    const nextM = add(affine(m, beta1), affine(gradient, 1 - beta1));
    const nextV = add(affine(v, beta2), affine(graph.apply('mul', [gradient, gradient]), 1 - beta2));
    const direction = graph.apply('div', [nextM, affine(graph.apply('sqrt', [nextV]), 1, epsilon)]);
    graph.assign(m, nextM);
    graph.assign(v, nextV);
    const kept = decay === undefined ? weight : graph.apply('sub', [weight, graph.apply('scale', [weight, decay])]);
    graph.assign(weight, graph.apply('sub', [kept, graph.apply('scale', [direction, rate])]));
  }
}

/** rate_t for Adam's step t = 1, 2, … */
export function adamRate(rate: number, t: number, { beta1, beta2 }: AdamMoments): number {
  return (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
}
