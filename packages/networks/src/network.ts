/** Every network by the name in its configuration, and its size. */
import { elementCount, Graph, type GraphNode, liveNodes, type Variable } from '@quickcolumn/graph';
import { z } from 'zod';
import { type AttentionUnet3dConfig, attentionUnet3d } from './attention-unet3d.js';
import type { Builder } from './blocks.js';
import { type DeepUnet3dConfig, deepUnet3d } from './deep-unet3d.js';
import { type DenseUnet3dConfig, denseUnet3d } from './dense-unet3d.js';
import { type DruNetConfig, druNet } from './dru-net.js';
import { type Nnunet3dConfig, nnunet3d } from './nnunet3d.js';
import { type QchcUnetConfig, qchcUnet } from './qchc-unet.js';
import { type ResidualUnet3dConfig, residualUnet3d } from './residual-unet3d.js';
import { type S3dUnetConfig, s3dUnet } from './s3d-unet.js';
import type { NetworkHeads } from './u-shape.js';
import { type Unet3dConfig, unet3d } from './unet3d.js';
import { type UnetPpConfig, unetPp } from './unet-pp.js';
import { type VbNetConfig, vbNet } from './vb-net.js';

export type NetworkConfig =
  | QchcUnetConfig
  | Unet3dConfig
  | ResidualUnet3dConfig
  | DenseUnet3dConfig
  | DruNetConfig
  | UnetPpConfig
  | AttentionUnet3dConfig
  | VbNetConfig
  | S3dUnetConfig
  | DeepUnet3dConfig
  | Nnunet3dConfig;

export type NetworkName = NetworkConfig['name'];

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
  z.strictObject({ name: z.literal('residual-unet3d'), rootFilters }),
  z.strictObject({ name: z.literal('dense-unet3d'), rootFilters }),
  z.strictObject({ name: z.literal('dru-net'), rootFilters }),
  z.strictObject({ name: z.literal('unet-pp'), rootFilters, deepSupervision: z.boolean() }),
  z.strictObject({ name: z.literal('attention-unet3d'), rootFilters }),
  z.strictObject({ name: z.literal('vb-net'), rootFilters }),
  z.strictObject({ name: z.literal('s3d-unet'), rootFilters }),
  z.strictObject({ name: z.literal('deep-unet3d'), rootFilters }),
  z.strictObject({
    name: z.literal('nnunet3d'),
    rootFilters,
    maxFilters: z.int().min(1).max(1024),
    deepSupervision: z.boolean(),
  }),
]);

/** Factor that every side of a patch must be a multiple of. */
export const patchMultiple = 16;

/** Image [N, 1, D, H, W] → logits [N, classes, D, H, W], and in training those of the auxiliary heads. */
export function buildHeads(builder: Builder, image: GraphNode, classes: number, config: NetworkConfig): NetworkHeads {
  switch (config.name) {
    case 'qchc-unet':
      return { logits: qchcUnet(builder, image, classes, config), auxiliary: [] };
    case 'unet3d':
      return { logits: unet3d(builder, image, classes, config), auxiliary: [] };
    case 'residual-unet3d':
      return residualUnet3d(builder, image, classes, config);
    case 'dense-unet3d':
      return denseUnet3d(builder, image, classes, config);
    case 'dru-net':
      return druNet(builder, image, classes, config);
    case 'unet-pp':
      return unetPp(builder, image, classes, config);
    case 'attention-unet3d':
      return attentionUnet3d(builder, image, classes, config);
    case 'vb-net':
      return vbNet(builder, image, classes, config);
    case 's3d-unet':
      return s3dUnet(builder, image, classes, config);
    case 'deep-unet3d':
      return deepUnet3d(builder, image, classes, config);
    case 'nnunet3d':
      return nnunet3d(builder, image, classes, config);
  }
}

/** Image [N, 1, D, H, W] → logits [N, classes, D, H, W], without the auxiliary heads. */
export function buildNetwork(builder: Builder, image: GraphNode, classes: number, config: NetworkConfig): GraphNode {
  return buildHeads(builder, image, classes, config).logits;
}

/** The smallest training graph of a network: names and shapes of its variables do not depend on the patch. */
function smallest(config: NetworkConfig, classes: number): { readonly graph: Graph; readonly heads: NetworkHeads } {
  const graph = new Graph();
  const edge = patchMultiple;
  const image = graph.input('image', [1, 1, edge, edge, edge]);
  return { graph, heads: buildHeads({ graph, training: true, path: '' }, image, classes, config) };
}

/** Heads that a training of this network compares with the truth: 1, more with deep supervision. */
export function headCount(config: NetworkConfig): number {
  return 1 + smallest(config, 2).heads.auxiliary.length;
}

/** The variables of a network in training, by name: weights, running statistics, auxiliary heads. */
export function networkVariables(config: NetworkConfig, classes: number): ReadonlyMap<string, Variable> {
  return smallest(config, classes).graph.variables;
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
    // A constant kernel copies channels; it learns nothing and costs next to nothing.
    if (w.op === 'constant') continue;
    const positions = node.op === 'conv3d' ? elementCount(node.shape.slice(2)) : elementCount(x.shape.slice(2));
    flop += 2 * node.shape[0] * positions * elementCount(w.shape);
  }
  return { parameters, flop };
}
