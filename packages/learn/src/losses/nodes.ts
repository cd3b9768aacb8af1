/** Small expressions that the losses share. */
import type { Graph, GraphNode } from '@quickcolumn/graph';

export function affine(graph: Graph, x: GraphNode, scale: number, offset = 0): GraphNode {
  return graph.apply('affine', [x], { scale, offset });
}

/** max(x, least) */
export function atLeast(graph: Graph, x: GraphNode, least: number): GraphNode {
  return affine(graph, graph.apply('relu', [affine(graph, x, 1, -least)]), 1, least);
}

/** The weights scaled to a mean of 1. */
export function relative(weights: readonly number[]): number[] {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

/** Each class of x [N, C] times its weight, as C nodes [N, 1]. */
export function weighedClasses(graph: Graph, x: GraphNode, weights: readonly number[]): GraphNode[] {
  return weights.map((weight, c) => affine(graph, graph.apply('sliceChannels', [x], { start: c, end: c + 1 }), weight));
}

/**
 * Σ_n Σ_c x of x [N, C], or Σ_n Σ_c v·x with the weights scaled to a mean of 1.
 * @param weights one for each of the C classes; absent: the plain sum
 */
export function classSum(graph: Graph, x: GraphNode, weights?: readonly number[]): GraphNode {
  if (weights === undefined) return graph.apply('sum', [x]);
  const classes = weighedClasses(graph, x, relative(weights));
  return graph.apply('sum', [classes.reduce((sum, one) => graph.apply('add', [sum, one]))]);
}

/** x^exponent for x from 0 to 1. Where the logarithm is needed, x is kept above 1e-7, which bounds the gradient too. */
export function power(graph: Graph, x: GraphNode, exponent: number): GraphNode {
  if (Number.isInteger(exponent) && exponent <= 4) {
    let product = x;
    for (let i = 1; i < exponent; i++) product = graph.apply('mul', [product, x]);
    return product;
  }
  const safe = affine(graph, graph.apply('relu', [x]), 1, 1e-7);
  return graph.apply('exp', [affine(graph, graph.apply('log', [safe]), exponent)]);
}
