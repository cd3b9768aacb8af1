/** Small expressions that the losses share. */
import type { Graph, GraphNode } from '@quickcolumn/graph';

export function affine(graph: Graph, x: GraphNode, scale: number, offset = 0): GraphNode {
  return graph.apply('affine', [x], { scale, offset });
}

/** max(x, 1) */
export function atLeastOne(graph: Graph, x: GraphNode): GraphNode {
  return affine(graph, graph.apply('relu', [affine(graph, x, 1, -1)]), 1, 1);
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
