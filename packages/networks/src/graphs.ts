/** The graph of a network in prediction, and what follows from its graphs: variables, size, operations. */
import { elementCount, Graph, liveNodes, type Variable } from '@quickcolumn/graph';
import { buildHeads, type NetworkConfig, patchMultipleOf } from './config.js';

/** The variables of a network in training, by name: weights, running statistics, auxiliary heads. */
export function networkVariables(config: NetworkConfig, classes: number): ReadonlyMap<string, Variable> {
  // Names and shapes do not depend on the patch: the smallest one will do.
  const graph = new Graph();
  const edge = patchMultipleOf(config);
  const image = graph.input('image', [1, 1, edge, edge, edge]);
  buildHeads({ graph, training: true, path: '' }, image, classes, config);
  return graph.variables;
}

/** Names of the variables that score classes, found by their shapes: other numbers of classes have other ones. */
export function headVariables(config: NetworkConfig): ReadonlySet<string> {
  const two = networkVariables(config, 2);
  const three = networkVariables(config, 3);
  return new Set(
    [...two]
      .filter(([name, { node }]) => node.shape.join() !== three.get(name)?.node.shape.join())
      .map(([name]) => name),
  );
}

/** The prediction graph: input `image` [N, 1, D, H, W], output `probabilities` [N, classes, D, H, W]. */
export function predictionGraph(
  config: NetworkConfig,
  classes: number,
  patch: readonly [number, number, number],
  batch: number,
): Graph {
  const graph = new Graph();
  const image = graph.input('image', [batch, 1, patch[2], patch[1], patch[0]]);
  const { logits } = buildHeads({ graph, training: false, path: '' }, image, classes, config);
  graph.output('probabilities', graph.apply('exp', [graph.apply('logSoftmax', [logits])]));
  return graph;
}

export interface NetworkSize {
  /** Trainable values: weights, biases, batch-norm scale and shift. */
  readonly parameters: number;
  /** Floating-point operations of the convolutions of one forward pass; one multiply-add counts as two. */
  readonly flop: number;
}

/** @param patch Voxels along x, y, z. */
export function networkSize(
  config: NetworkConfig,
  classes: number,
  patch: readonly [number, number, number],
): NetworkSize {
  const graph = predictionGraph(config, classes, patch, 1);
  let parameters = 0;
  for (const { node, trainable } of graph.variables.values()) if (trainable) parameters += elementCount(node.shape);
  let flop = 0;
  for (const node of liveNodes(graph)) {
    if (node.op !== 'conv3d' && node.op !== 'convTranspose3d') continue;
    const [x, w] = node.inputs;
    // A constant kernel copies channels; it learns nothing and costs next to nothing.
    if (w.op === 'constant') continue;
    const positions = node.op === 'conv3d' ? elementCount(node.shape.slice(2)) : elementCount(x.shape.slice(2));
    flop += 2 * node.shape[0] * positions * elementCount(w.shape);
  }
  return { parameters, flop };
}
