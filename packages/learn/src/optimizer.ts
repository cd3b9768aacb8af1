/**
 * Adam (Kingma and Ba 2015) as graph nodes, in the form with ε outside the bias correction:
 *   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − rate_t · m/(√v + ε),
 *   rate_t = rate·√(1−β₂ᵗ)/(1−β₁ᵗ), computed on the host and fed as one scalar.
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import type { OptimizerConfig } from './config.js';

/** Suffixes of the moment variables of each weight. */
const momentSuffixes = ['/adam-m', '/adam-v'] as const;

export function buildAdam(
  graph: Graph,
  updates: readonly { readonly weight: GraphNode; readonly gradient: GraphNode }[],
  rate: GraphNode,
  { beta1, beta2, epsilon }: OptimizerConfig,
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
    graph.assign(weight, graph.apply('sub', [weight, graph.apply('scale', [direction, rate])]));
  }
}

/** rate_t for Adam's step t = 1, 2, … */
export function adamRate(rate: number, t: number, { beta1, beta2 }: OptimizerConfig): number {
  return (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
}
