/**
 * Optimisers as graph nodes. Scalars that change from step to step are computed on the host and fed in.
 *
 * Adam (Kingma and Ba 2015), in the form with ε outside the bias correction:
 *   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − rate_t · m/(√v + ε),  rate_t = rate·√(1−β₂ᵗ)/(1−β₁ᵗ).
 * AdamW (Loshchilov and Hutter 2019, Alg. 2): the same, and w ← w − rate·decay·w beside it.
 * SGD as PyTorch has it: g ← g + decay·w,  v ← μv + g,  w ← w − rate·v, with Nesterov w ← w − rate·(g + μv).
 * Weight decay goes over every trainable variable, biases and norms included, as nnU-Net does.
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import type { AdamConfig, AdamWConfig, OptimizerConfig, SgdConfig } from './objective-config.js';

/** Suffixes of the moment variables of each weight. */
const momentSuffixes = ['/adam-m', '/adam-v'] as const;
const velocitySuffix = '/sgd-v';

export interface Update {
  readonly weight: GraphNode;
  readonly gradient: GraphNode;
}

/** Appends the update of every weight, and the scalar inputs that `optimizerInputs` gives values to. */
export function buildOptimizer(graph: Graph, updates: readonly Update[], config: OptimizerConfig): void {
  const clipped = config.clipNorm === undefined ? updates : clipGradients(graph, updates, config.clipNorm);
  const rate = graph.input('rate', []);
  if (config.kind === 'sgd') buildSgd(graph, clipped, rate, config);
  else buildAdam(graph, clipped, rate, config);
}

/** Values of the optimiser's inputs in step t = 1, 2, … */
export function optimizerInputs(rate: number, t: number, config: OptimizerConfig): Record<string, Float32Array> {
  switch (config.kind) {
    case 'adam':
      return { rate: Float32Array.of(adamRate(rate, t, config)) };
    case 'adamw':
      return { rate: Float32Array.of(adamRate(rate, t, config)), decay: Float32Array.of(rate * config.weightDecay) };
    case 'sgd':
      return { rate: Float32Array.of(rate) };
  }
}

/** g·min(1, limit/‖g‖) with the norm over all gradients together (Pascanu et al. 2013), as 1/max(1, ‖g‖/limit). */
function clipGradients(graph: Graph, updates: readonly Update[], limit: number): Update[] {
  const squares = updates.map(({ gradient }) => graph.apply('sum', [graph.apply('mul', [gradient, gradient])]));
  const norm = graph.apply('sqrt', [squares.reduce((sum, one) => graph.apply('add', [sum, one]))]);
  const excess = graph.apply('relu', [graph.apply('affine', [norm], { scale: 1 / limit, offset: -1 })]);
  const factor = graph.apply('div', [graph.constant(1), graph.apply('affine', [excess], { scale: 1, offset: 1 })]);
  return updates.map(({ weight, gradient }) => ({ weight, gradient: graph.apply('scale', [gradient, factor]) }));
}

function buildAdam(graph: Graph, updates: readonly Update[], rate: GraphNode, config: AdamConfig | AdamWConfig): void {
  const { beta1, beta2, epsilon } = config;
  const decay = config.kind === 'adamw' ? graph.input('decay', []) : undefined;
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
function adamRate(rate: number, t: number, { beta1, beta2 }: AdamConfig | AdamWConfig): number {
  return (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
}

function buildSgd(
  graph: Graph,
  updates: readonly Update[],
  rate: GraphNode,
  { momentum, nesterov, weightDecay }: SgdConfig,
): void {
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
}
