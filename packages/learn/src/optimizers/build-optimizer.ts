/** The optimiser of a configuration, as graph nodes, behind the clipping of gradients that all of them share. */
import type { Graph } from '@quickcolumn/graph';
import type { Update } from './optimizer.js';
import { type OptimizerConfig, optimizerNamed } from './optimizer-config.js';

/** Appends the update of every weight, and the scalar inputs that `optimizerInputs` gives values to. */
export function buildOptimizer(graph: Graph, updates: readonly Update[], config: OptimizerConfig): void {
  const clipped = config.clipNorm === undefined ? updates : clipGradients(graph, updates, config.clipNorm);
  optimizerNamed(config).build(graph, clipped, graph.input('rate', []), config);
}

/** Values of the optimiser's inputs in step t = 1, 2, … */
export function optimizerInputs(rate: number, t: number, config: OptimizerConfig): Record<string, Float32Array> {
  return optimizerNamed(config).inputs(rate, t, config);
}

/** g·min(1, limit/‖g‖) with the norm over all gradients together (Pascanu et al. 2013), as 1/max(1, ‖g‖/limit). */
function clipGradients(graph: Graph, updates: readonly Update[], limit: number): Update[] {
  const squares = updates.map(({ gradient }) => graph.apply('sum', [graph.apply('mul', [gradient, gradient])]));
  const norm = graph.apply('sqrt', [squares.reduce((sum, one) => graph.apply('add', [sum, one]))]);
  const excess = graph.apply('relu', [graph.apply('affine', [norm], { scale: 1 / limit, offset: -1 })]);
  const factor = graph.apply('div', [graph.constant(1), graph.apply('affine', [excess], { scale: 1, offset: 1 })]);
  return updates.map(({ weight, gradient }) => ({ weight, gradient: graph.apply('scale', [gradient, factor]) }));
}
