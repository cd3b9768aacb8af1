/** Every network by the name in its configuration, and its size. */
import { elementCount, Graph, type GraphNode, liveNodes } from '@quickcolumn/graph';
import { z } from 'zod';
import type { Builder } from './blocks.js';
import { type QchcUnetConfig, qchcUnet } from './qchc-unet.js';
import { type Unet3dConfig, unet3d } from './unet3d.js';

export type NetworkConfig = QchcUnetConfig | Unet3dConfig;

const rootFilters = z.int().min(1).max(256);

/** Checks a network configuration from a file; unknown options are errors. */
export const networkSchema: z.ZodType<NetworkConfig> = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('qchc-unet'),
    rootFilters,
    resize: z.enum(['trilinear', 'nearest']),
    bottomLevel: z.boolean(),
    quickConnection: z.boolean(),
    hypercolumn: z.boolean(),
  }),
  z.strictObject({ name: z.literal('unet3d'), rootFilters }),
]);

/** Factor that every side of a patch must be a multiple of. */
export const patchMultiple = 16;

/** Image [N, 1, D, H, W] → logits [N, classes, D, H, W]. */
export function buildNetwork(builder: Builder, image: GraphNode, classes: number, config: NetworkConfig): GraphNode {
  switch (config.name) {
    case 'qchc-unet':
      return qchcUnet(builder, image, classes, config);
    case 'unet3d':
      return unet3d(builder, image, classes, config);
  }
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
  const logits = buildNetwork({ graph, training: false, path: '' }, image, classes, config);
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
    const positions = node.op === 'conv3d' ? elementCount(node.shape.slice(2)) : elementCount(x.shape.slice(2));
    flop += 2 * node.shape[0] * positions * elementCount(w.shape);
  }
  return { parameters, flop };
}
