/**
 * The exponential moving average of the weights (Polyak and Juditsky 1992; the decay of TensorFlow's ExponentialMovingAverage):
 *   a ← d_t·a + (1 − d_t)·w  after step t = 1, 2, …  with  d_t = min(d, (t − 1) / (t + 8)),
 * so that the first steps do not weigh for long. It is a variable beside each trained weight, in the training step and its
 * checkpoints alone: validation and model get it in the place of the weight.
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import type { NamedTensor } from '../step/step-types.js';

const suffix = '/average';

/** Appends the averages of weights whose updates are in the graph already, and their input `averageShare`. */
export function buildAverages(graph: Graph, weights: readonly GraphNode[]): void {
  const share = graph.input('averageShare', []);
  for (const weight of weights) {
    if (weight.op !== 'variable') continue;
    const updated = graph.assignments.get(weight.name);
    if (updated === undefined) continue;
    const average = graph.variable(`${weight.name}${suffix}`, weight.shape, { kind: 'constant', value: 0 }, false);
    const change = graph.apply('scale', [graph.apply('sub', [updated, average]), share]);
    graph.assign(average, graph.apply('add', [average, change]));
  }
}

/** The value of `averageShare` in step t = 1, 2, …: what the average takes from the weight. */
export function averageInput(decay: number, t: number): { averageShare: Float32Array } {
  return { averageShare: Float32Array.of(1 - Math.min(decay, (t - 1) / (t + 8))) };
}

/** The variables with every weight that has an average replaced by it, without the averages. Nothing is copied. */
export function averagedWeights(variables: ReadonlyMap<string, NamedTensor>): Map<string, NamedTensor> {
  const averaged = new Map<string, NamedTensor>();
  for (const [name, tensor] of variables) {
    if (!name.endsWith(suffix)) averaged.set(name, variables.get(`${name}${suffix}`) ?? tensor);
  }
  return averaged;
}
