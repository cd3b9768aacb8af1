/**
 * The loss of spec section 6: mean cross-entropy plus a Tversky term summed over the classes, background included.
 *
 *   L = −(1/NV) Σ t·log p  +  (1/N) Σ_n [ C − Σ_c (TP + ε)/(TP + α·FN + β·FP + ε) ]
 *
 * with soft counts from the softmax p and one-hot labels t. α weighs what was missed (Salehi et al. 2017 and MIScnn).
 */
import { elementCount, type Graph, type GraphNode } from '@quickcolumn/graph';
import type { LossConfig } from './config.js';

export interface LossNodes {
  readonly loss: GraphNode;
  readonly crossEntropy: GraphNode;
  readonly tversky: GraphNode;
  /** Soft true positives, predicted and true volume, each [N, C] in voxels. */
  readonly truePositive: GraphNode;
  readonly predicted: GraphNode;
  readonly actual: GraphNode;
}

/** @param logits [N, C, D, H, W]; @param labels uint8 [N, D, H, W] of class indices below C. */
export function buildLoss(graph: Graph, logits: GraphNode, labels: GraphNode, config: LossConfig): LossNodes {
  const [samples, classes] = logits.shape;
  const { alpha, beta, epsilon } = config;
  const affine = (x: GraphNode, scale: number, offset = 0): GraphNode => graph.apply('affine', [x], { scale, offset });
  const add = (a: GraphNode, b: GraphNode): GraphNode => graph.apply('add', [a, b]);

  const truth = graph.apply('oneHot', [labels], { classes });
  const logP = graph.apply('logSoftmax', [logits]);
  const p = graph.apply('exp', [logP]);
  const likelihood = graph.apply('sum', [graph.apply('spatialSumProduct', [logP, truth])]);
  const crossEntropy = affine(likelihood, -1 / (elementCount(logits.shape) / classes));

  const truePositive = graph.apply('spatialSumProduct', [p, truth]);
  const predicted = graph.apply('spatialSum', [p]);
  const actual = graph.apply('spatialSum', [truth]);
  // TP + α·(actual − TP) + β·(predicted − TP) + ε
  const weighted = add(affine(actual, alpha), affine(predicted, beta));
  const denominator = add(affine(truePositive, 1 - alpha - beta, epsilon), weighted);
  const overlap = graph.apply('sum', [graph.apply('div', [affine(truePositive, 1, epsilon), denominator])]);
  const tversky = affine(overlap, -1 / samples, classes);
  return { loss: add(crossEntropy, tversky), crossEntropy, tversky, truePositive, predicted, actual };
}
