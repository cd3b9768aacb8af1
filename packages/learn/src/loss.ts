/**
 * The losses, as graph nodes. With the softmax p, one-hot labels t, and per sample n and class c the soft counts
 * TP = Σ p·t, P = Σ p, A = Σ t over the V voxels (background included; C classes, N samples):
 *
 *   cross-entropy     −(1/NV) Σ t·log p
 *   focal             −(1/NV) Σ t·(1 − p)^γ·log p                                       (Lin et al. 2017, Eq. 4)
 *   tversky           (1/N) Σ_n [ C − Σ_c TI ],  TI = (TP + ε)/(TP + α·(A − TP) + β·(P − TP) + ε)    (spec section 6)
 *   focal-tversky     (1/N) Σ_n Σ_c (1 − TI)^(1/γ)                                (Abraham and Khan 2019, Eq. 4)
 *   dice              1 − (1/NC) Σ_n,c (2TP + ε)/(P + A + ε), with or without the background among the C
 *   generalized-dice  1 − (1/N) Σ_n (2 Σ_c w·TP + ε)/(Σ_c w·(P + A) + ε),  w = 1/max(A, 1)²     (Sudre et al. 2017)
 *
 * α weighs what was missed (Salehi et al. 2017 and MIScnn). Voxels whose label is no class count nowhere when labels
 * may be ignored: t is 0 there, p is set to 0, and V counts the others.
 */
import { type Graph, type GraphNode, elementCount } from '@quickcolumn/graph';
import type { LossConfig } from './objective-config.js';

export interface LossNodes {
  readonly loss: GraphNode;
  /** The term over voxels: cross-entropy, or the focal loss where that is minimised. Reported even if not minimised. */
  readonly crossEntropy: GraphNode;
  /** The term over classes; where none is minimised, the Dice loss, for information. */
  readonly tversky: GraphNode;
  /** Soft true positives, predicted and true volume, each [N, C] in voxels. */
  readonly truePositive: GraphNode;
  readonly predicted: GraphNode;
  readonly actual: GraphNode;
}

export interface LossOptions {
  /** Labels that are no class are left out. */
  readonly ignore?: boolean;
}

/** @param logits [N, C, D, H, W]; @param labels uint8 [N, D, H, W] of class indices, below C unless some are ignored. */
export function buildLoss(
  graph: Graph,
  logits: GraphNode,
  labels: GraphNode,
  config: LossConfig,
  options: LossOptions = {},
): LossNodes {
  return lossOf(graph, logits, graph.apply('oneHot', [labels], { classes: logits.shape[1] }), config, options);
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
  const truth = graph.apply('oneHot', [labels], { classes: heads[0].shape[1] });
  const weights = headWeights(heads.length, config.levelWeights);
  const nodes = heads.map((logits) => {
    const factor = truth.shape[2] / logits.shape[2];
    return lossOf(graph, logits, factor === 1 ? truth : sharesOf(graph, truth, factor), config, options);
  });
  if (nodes.length === 1) return nodes[0];
  const terms = nodes.map(({ loss }, i) => graph.apply('affine', [loss], { scale: weights[i], offset: 0 }));
  return { ...nodes[0], loss: terms.reduce((sum, term) => graph.apply('add', [sum, term])) };
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
  const voxelTerm =
    config.kind === 'focal' ? graph.apply('mul', [power(graph, affine(graph, p, -1, 1), config.gamma), logP]) : logP;
  const likelihood = graph.apply('sum', [graph.apply('spatialSumProduct', [voxelTerm, truth])]);
  const crossEntropy = ignore
    ? affine(graph, graph.apply('div', [likelihood, atLeastOne(graph, graph.apply('sum', [counts.actual]))]), -1)
    : affine(graph, likelihood, -1 / (elementCount(logits.shape) / classes));
  const tversky = overlapLoss(graph, counts, config);
  const { kind = 'tversky-ce' } = config;
  const both = kind === 'tversky-ce' || kind === 'dice-ce';
  const voxelsOnly = kind === 'cross-entropy' || kind === 'focal';
  const loss = both ? graph.apply('add', [crossEntropy, tversky]) : voxelsOnly ? crossEntropy : tversky;
  return { loss, crossEntropy, tversky, ...counts };
}

interface SoftCounts {
  readonly truePositive: GraphNode;
  readonly predicted: GraphNode;
  readonly actual: GraphNode;
}

function overlapLoss(graph: Graph, counts: SoftCounts, config: LossConfig): GraphNode {
  const [samples, classes] = counts.actual.shape;
  switch (config.kind) {
    case undefined:
    case 'tversky-ce':
    case 'tversky': {
      const overlap = graph.apply('sum', [tverskyIndex(graph, counts, config)]);
      return affine(graph, overlap, -1 / samples, classes);
    }
    case 'focal-tversky': {
      const missing = affine(graph, tverskyIndex(graph, counts, config), -1, 1);
      return affine(graph, graph.apply('sum', [power(graph, missing, 1 / config.gamma)]), 1 / samples);
    }
    case 'generalized-dice':
      return generalizedDice(graph, counts, config.epsilon);
    case 'dice':
    case 'dice-ce':
      return diceLoss(graph, counts, config);
    case 'cross-entropy':
    case 'focal':
      return diceLoss(graph, counts, { epsilon: 1e-6, background: true });
  }
}

/** [N, C] */
function tverskyIndex(
  graph: Graph,
  { truePositive, predicted, actual }: SoftCounts,
  { alpha, beta, epsilon }: { readonly alpha: number; readonly beta: number; readonly epsilon: number },
): GraphNode {
  // TP + α·(actual − TP) + β·(predicted − TP) + ε
  const weighted = graph.apply('add', [affine(graph, actual, alpha), affine(graph, predicted, beta)]);
  const denominator = graph.apply('add', [affine(graph, truePositive, 1 - alpha - beta, epsilon), weighted]);
  return graph.apply('div', [affine(graph, truePositive, 1, epsilon), denominator]);
}

function diceLoss(
  graph: Graph,
  { truePositive, predicted, actual }: SoftCounts,
  { epsilon, background }: { readonly epsilon: number; readonly background: boolean },
): GraphNode {
  const volume = affine(graph, graph.apply('add', [predicted, actual]), 1, epsilon);
  const dice = graph.apply('div', [affine(graph, truePositive, 2, epsilon), volume]);
  const [samples, classes] = dice.shape;
  const kept = background ? dice : graph.apply('sliceChannels', [dice], { start: 1, end: classes });
  return affine(graph, graph.apply('sum', [kept]), -1 / (samples * kept.shape[1]), 1);
}

function generalizedDice(graph: Graph, { truePositive, predicted, actual }: SoftCounts, epsilon: number): GraphNode {
  const [samples, classes] = actual.shape;
  const floor = atLeastOne(graph, actual);
  const weight = graph.apply('div', [graph.constant(1, actual.shape), graph.apply('mul', [floor, floor])]);
  // Σ_c for every sample: [N, C, 1, 1, 1] has no operation of its own, a slice of each class has.
  const overClasses = (x: GraphNode): GraphNode =>
    Array.from({ length: classes }, (_, c) => graph.apply('sliceChannels', [x], { start: c, end: c + 1 })).reduce(
      (sum, one) => graph.apply('add', [sum, one]),
    );
  const overlap = overClasses(graph.apply('mul', [weight, truePositive]));
  const volume = overClasses(graph.apply('mul', [weight, graph.apply('add', [predicted, actual])]));
  const ratio = graph.apply('div', [affine(graph, overlap, 2, epsilon), affine(graph, volume, 1, epsilon)]);
  return affine(graph, graph.apply('sum', [ratio]), -1 / samples, 1);
}

function affine(graph: Graph, x: GraphNode, scale: number, offset = 0): GraphNode {
  return graph.apply('affine', [x], { scale, offset });
}

/** max(x, 1) */
function atLeastOne(graph: Graph, x: GraphNode): GraphNode {
  return affine(graph, graph.apply('relu', [affine(graph, x, 1, -1)]), 1, 1);
}

/** x^exponent for x from 0 to 1. Where the logarithm is needed, x is kept above 1e-7, which bounds the gradient too. */
function power(graph: Graph, x: GraphNode, exponent: number): GraphNode {
  if (Number.isInteger(exponent) && exponent <= 4) {
    let product = x;
    for (let i = 1; i < exponent; i++) product = graph.apply('mul', [product, x]);
    return product;
  }
  const safe = affine(graph, graph.apply('relu', [x]), 1, 1e-7);
  return graph.apply('exp', [affine(graph, graph.apply('log', [safe]), exponent)]);
}
