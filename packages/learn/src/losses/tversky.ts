/**
 * The Tversky loss: (1/N) Σ_n [ C − Σ_c v·TI ],  TI = (TP + ε)/(TP + α·(A − TP) + β·(P − TP) + ε)  (spec section 6).
 * α weighs what was missed (Salehi et al. 2017 and MIScnn).
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { type EveryLoss, everyLoss, type Loss, positive, type SoftCounts } from './loss.js';
import { affine, classSum } from './nodes.js';

export interface TverskyWeights {
  /** Weighs false negatives. */
  readonly alpha: number;
  /** Weighs false positives. */
  readonly beta: number;
  readonly epsilon: number;
}

interface TverskyConfig extends TverskyWeights {
  readonly kind: 'tversky';
}

const weight: z.ZodNumber = z.number().min(0);

export const tverskyWeights: {
  alpha: z.ZodNumber;
  beta: z.ZodNumber;
  epsilon: z.ZodNumber;
} & typeof everyLoss = { alpha: weight, beta: weight, epsilon: positive, ...everyLoss };

export const tversky: Loss<TverskyConfig> = {
  kind: 'tversky',
  schema: z.strictObject({ kind: z.literal('tversky'), ...tverskyWeights }),
  classTerm: tverskyTerm,
};

export function tverskyTerm(graph: Graph, counts: SoftCounts, weights: TverskyWeights & EveryLoss): GraphNode {
  const [samples, classes] = counts.actual.shape;
  const index = tverskyIndex(graph, counts, weights);
  return affine(graph, classSum(graph, index, weights.classWeights), -1 / samples, classes);
}

/** TI, [N, C] */
export function tverskyIndex(
  graph: Graph,
  { truePositive, predicted, actual }: SoftCounts,
  { alpha, beta, epsilon }: TverskyWeights,
): GraphNode {
  const weighted = graph.apply('add', [affine(graph, actual, alpha), affine(graph, predicted, beta)]);
  const denominator = graph.apply('add', [affine(graph, truePositive, 1 - alpha - beta, epsilon), weighted]);
  return graph.apply('div', [affine(graph, truePositive, 1, epsilon), denominator]);
}
