/**
 * The loss of a configuration, as graph nodes, for a network with one head or several.
 *
 * Voxels whose label is no class count nowhere when labels may be ignored: t is 0 there, p is set to 0, and V counts the
 * others.
 */
import { type Graph, type GraphNode, elementCount } from '@quickcolumn/graph';
import { diceTerm } from './dice.js';
import type { SoftCounts } from './loss.js';
import { type LossConfig, lossNamed } from './loss-config.js';
import { affine, atLeast, classSum, relative } from './nodes.js';

export interface LossNodes extends SoftCounts {
  readonly loss: GraphNode;
  /** The term over voxels: cross-entropy, or the focal loss where that is minimised. Reported even if not minimised. */
  readonly crossEntropy: GraphNode;
  /** The term over classes; where none is minimised, the Dice loss, for information. */
  readonly tversky: GraphNode;
}

export interface LossOptions {
  /** Labels that are no class are left out. */
  readonly ignore?: boolean;
}

/**
 * @param logits [N, C, D, H, W]
 * @param labels uint8 [N, D, H, W] of class indices, below C unless some are ignored; or float32 [N, C, D, H, W], the share of
 *   each class, which add up to 1, or to 0 where they are ignored. The cross-entropy is linear in the shares, so that of a
 *   mixture is the mixture of the cross-entropies; an overlap (Dice, Tversky) of soft shares is least for sharper ones.
 */
export function buildLoss(
  graph: Graph,
  logits: GraphNode,
  labels: GraphNode,
  config: LossConfig,
  options: LossOptions = {},
): LossNodes {
  return lossOf(graph, logits, truthOf(graph, logits, labels), config, options);
}

/**
 * The loss of a network with auxiliary heads: the weighted mean of their losses. Coarse heads are compared with the
 * share of each class in their voxels. The terms and counts are those of the finest head.
 * @param heads logits, the finest first; grids that divide the labels' by one whole factor
 */
export function buildDeepLoss(
  graph: Graph,
  heads: readonly GraphNode[],
  labels: GraphNode,
  config: LossConfig,
  options: LossOptions = {},
): LossNodes {
  const truth = truthOf(graph, heads[0], labels);
  const weights = headWeights(heads.length, config.levelWeights);
  const nodes = heads.map((logits) => {
    const factor = truth.shape[2] / logits.shape[2];
    return lossOf(graph, logits, factor === 1 ? truth : sharesOf(graph, truth, factor), config, options);
  });
  if (nodes.length === 1) return nodes[0];
  const terms = nodes.map(({ loss }, i) => graph.apply('affine', [loss], { scale: weights[i], offset: 0 }));
  return { ...nodes[0], loss: terms.reduce((sum, term) => graph.apply('add', [sum, term])) };
}

/** t, [N, C, D, H, W] */
function truthOf(graph: Graph, logits: GraphNode, labels: GraphNode): GraphNode {
  const isSoft = labels.shape.length === logits.shape.length;
  return isSoft ? labels : graph.apply('oneHot', [labels], { classes: logits.shape[1] });
}

/** Weights of `count` heads that sum to 1: the given ones, or each half of the one before (Isensee et al. 2021). */
function headWeights(count: number, given?: readonly number[]): number[] {
  const raw = Array.from({ length: count }, (_, head) => given?.[head] ?? 2 ** -head);
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return raw.map((weight) => weight / sum);
}

/** Mean of each class over blocks of factor³ voxels: the adjoint of nearest up-sampling sums them. */
function sharesOf(graph: Graph, truth: GraphNode, factor: number): GraphNode {
  const sums = graph.apply('resizeGradient', [truth], { factor, mode: 'nearest' });
  return graph.apply('affine', [sums], { scale: 1 / factor ** 3, offset: 0 });
}

function lossOf(
  graph: Graph,
  logits: GraphNode,
  truth: GraphNode,
  config: LossConfig,
  { ignore = false }: LossOptions,
): LossNodes {
  const classes = logits.shape[1];
  const logP = graph.apply('logSoftmax', [logits]);
  const p = graph.apply('exp', [logP]);
  // Σ_c t in every channel, by a 1×1×1 convolution with ones: 1 where the voxel has a class, 0 where it is ignored.
  const known = (): GraphNode =>
    graph.apply('conv3d', [truth, graph.constant(1, [classes, classes, 1, 1, 1])], { stride: 1 });
  const counted = ignore ? graph.apply('mul', [p, known()]) : p;
  const counts: SoftCounts = {
    truePositive: graph.apply('spatialSumProduct', [p, truth]),
    predicted: graph.apply('spatialSum', [counted]),
    actual: graph.apply('spatialSum', [truth]),
  };
  const named = lossNamed(config);
  const term = named.voxelTerm?.(graph, { p, logP }, config) ?? logP;
  // What is only reported is not weighed.
  const weights = named.voxelTerm === undefined ? undefined : config.classWeights;
  const likelihood = classSum(graph, graph.apply('spatialSumProduct', [term, truth]), weights);
  const crossEntropy =
    ignore || weights !== undefined
      ? affine(graph, graph.apply('div', [likelihood, countedVoxels(graph, counts, weights)]), -1)
      : affine(graph, likelihood, -1 / (elementCount(logits.shape) / classes));
  const tversky = named.classTerm?.(graph, counts, config) ?? diceTerm(graph, counts, reportedDice);
  return { loss: minimised(), crossEntropy, tversky, ...counts };

  function minimised(): GraphNode {
    if (named.classTerm === undefined) return crossEntropy;
    return named.voxelTerm === undefined ? tversky : graph.apply('add', [crossEntropy, tversky]);
  }
}

/** Σ v·A, never 0: where no voxel counts, what is divided by it is 0. */
function countedVoxels(graph: Graph, { actual }: SoftCounts, weights?: readonly number[]): GraphNode {
  const least = weights === undefined ? 1 : Math.min(...relative(weights));
  return atLeast(graph, classSum(graph, actual, weights), least);
}

/** Of losses without a term over classes. */
const reportedDice = { epsilon: 1e-6, background: true };
