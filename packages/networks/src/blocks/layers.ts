/**
 * The layers that the networks are built from. Images are [N, C, D, H, W]; every convolution has a bias and same
 * padding; weights start He-normal (He et al. 2015, fan-in), biases at 0, batch-norm scale at 1.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from './builder.js';

/** Batch-norm constants of spec section 5 (those of Keras). */
const epsilon = 1e-3;
const momentum = 0.99;

const instanceEpsilon = 1e-5;

const channels = (x: GraphNode): number => x.shape[1];

/** Edge of a cubic kernel, or its sizes along depth, height, width (z, y, x); all odd. */
export type Kernel = number | readonly [number, number, number];

/** Convolution, same padding, stride 1. */
export function conv(
  builder: Builder,
  x: GraphNode,
  out: number,
  options: { kernel: Kernel; bias?: boolean },
): GraphNode {
  const { kernel, bias = true } = options;
  const sizes = typeof kernel === 'number' ? ([kernel, kernel, kernel] as const) : kernel;
  const y = builder.graph.apply('conv3d', [x, heWeight(builder, out, x, sizes)], { stride: 1 });
  return bias ? addBias(builder, y) : y;
}

interface BiasOption {
  readonly bias?: boolean;
}

/** Convolution 2×2×2 with stride 2: halves the grid. */
export function downConv(builder: Builder, x: GraphNode, out: number, { bias = true }: BiasOption = {}): GraphNode {
  const y = builder.graph.apply('conv3d', [x, heWeight(builder, out, x, [2, 2, 2])], { stride: 2 });
  return bias ? addBias(builder, y) : y;
}

function heWeight({ graph, path }: Builder, out: number, x: GraphNode, kernel: readonly number[]): GraphNode {
  const taps = kernel.reduce((product, size) => product * size, 1);
  const sd = Math.sqrt(2 / (channels(x) * taps));
  return graph.variable(`${path}/weight`, [out, channels(x), ...kernel], { kind: 'normal', sd });
}

/** Transposed convolution 2×2×2 with stride 2: doubles the grid. */
export function upConv(builder: Builder, x: GraphNode, out: number, { bias = true }: BiasOption = {}): GraphNode {
  const sd = Math.sqrt(2 / channels(x));
  const w = builder.graph.variable(`${builder.path}/weight`, [channels(x), out, 2, 2, 2], { kind: 'normal', sd });
  const y = builder.graph.apply('convTranspose3d', [x, w]);
  return bias ? addBias(builder, y) : y;
}

export function addBias(builder: Builder, x: GraphNode): GraphNode {
  const bias = builder.graph.variable(`${builder.path}/bias`, [channels(x)], { kind: 'constant', value: 0 });
  return builder.graph.apply('addChannel', [x, bias]);
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) over samples and voxels, running statistics with momentum 0.99. Where
 * the running statistics are frozen it normalises with them, in training too. A builder may ask for instance norm instead.
 */
export function batchNorm(builder: Builder, x: GraphNode): GraphNode {
  if (builder.normalization === 'instance') return instanceNorm(builder, x);
  const { graph, path, frozen = () => false } = builder;
  const training = builder.training && !frozen(`${path}/mean`) && !frozen(`${path}/variance`);
  const shape = [channels(x)];
  const gamma = graph.variable(`${path}/gamma`, shape, { kind: 'constant', value: 1 });
  const beta = graph.variable(`${path}/beta`, shape, { kind: 'constant', value: 0 });
  const runningMean = graph.variable(`${path}/mean`, shape, { kind: 'constant', value: 0 }, false);
  const runningVariance = graph.variable(`${path}/variance`, shape, { kind: 'constant', value: 1 }, false);
  if (!training)
    return graph.apply('batchNorm', [x, runningMean, runningVariance, gamma, beta], { epsilon, training: false });
  const count = x.shape[0] * x.shape[2] * x.shape[3] * x.shape[4];
  const mean = graph.apply('affine', [graph.apply('channelSum', [x])], { scale: 1 / count, offset: 0 });
  const variance = graph.apply('channelVariance', [x, mean]);
  for (const [running, batch] of [
    [runningMean, mean],
    [runningVariance, variance],
  ] as const) {
    if (builder.observe !== undefined) {
      builder.observe(running.name, batch);
      continue;
    }
    const kept = graph.apply('affine', [running], { scale: momentum, offset: 0 });
    graph.assign(
      running,
      graph.apply('add', [kept, graph.apply('affine', [batch], { scale: 1 - momentum, offset: 0 })]),
    );
  }
  return graph.apply('batchNorm', [x, mean, variance, gamma, beta], { epsilon, training: true });
}

/**
 * Instance normalisation (Ulyanov et al. 2016) with learned scale and shift: statistics of each sample's channel, in
 * training and prediction alike, so there is no running state. ε is PyTorch's, as in nnU-Net.
 */
export function instanceNorm(builder: Builder, x: GraphNode): GraphNode {
  const { graph, path } = builder;
  const [samples, width, ...grid] = x.shape;
  const gamma = graph.variable(`${path}/gamma`, [width], { kind: 'constant', value: 1 });
  const beta = graph.variable(`${path}/beta`, [width], { kind: 'constant', value: 0 });
  const mean = (sum: GraphNode): GraphNode =>
    graph.apply('affine', [sum], { scale: 1 / (grid[0] * grid[1] * grid[2]), offset: 0 });
  if (samples === 1) {
    // One sample's statistics are those of the batch, and runtimes have batch norm in one piece.
    const m = mean(graph.apply('channelSum', [x]));
    const variance = graph.apply('channelVariance', [x, m]);
    return graph.apply('batchNorm', [x, m, variance, gamma, beta], { epsilon: instanceEpsilon, training: true });
  }
  const m = mean(graph.apply('spatialSum', [x]));
  const centred = graph.apply('sub', [x, graph.apply('spatialExpand', [m], { grid })]);
  const variance = mean(graph.apply('spatialSumProduct', [centred, centred]));
  // γ for every sample: [C] added to zeros of [N, C, 1, 1, 1], whose sum over the one voxel is [N, C].
  const scale = graph.apply('spatialSum', [
    graph.apply('addChannel', [graph.constant(0, [samples, width, 1, 1, 1]), gamma]),
  ]);
  const sd = graph.apply('sqrt', [graph.apply('affine', [variance], { scale: 1, offset: instanceEpsilon })]);
  const scaled = graph.apply('spatialScale', [centred, graph.apply('div', [scale, sd])]);
  return graph.apply('addChannel', [scaled, beta]);
}

export function leakyRelu(builder: Builder, x: GraphNode): GraphNode {
  return builder.graph.apply('leakyRelu', [x], { slope: 0.01 });
}

export function relu(builder: Builder, x: GraphNode): GraphNode {
  return builder.graph.apply('relu', [x]);
}

export function add(builder: Builder, ...terms: readonly GraphNode[]): GraphNode {
  return terms.reduce((sum, term) => builder.graph.apply('add', [sum, term]));
}

export function concat(builder: Builder, ...images: readonly GraphNode[]): GraphNode {
  return images.length === 1 ? images[0] : builder.graph.apply('concat', images);
}

export function maxPool(builder: Builder, x: GraphNode): GraphNode {
  return builder.graph.apply('maxPool', [x]);
}

/** Convolution, then batch norm. */
export function convNorm(builder: Builder, x: GraphNode, out: number, kernel: Kernel): GraphNode {
  return batchNorm(within(builder, 'norm'), conv(within(builder, 'conv'), x, out, { kernel }));
}

/** Convolution 3×3×3, batch norm, ReLU. */
export function convNormRelu(builder: Builder, x: GraphNode, out: number): GraphNode {
  return relu(builder, convNorm(builder, x, out, 3));
}

/** Two of them: the plain U-Net block of Çiçek et al. (2016). */
export function doubleConv(builder: Builder, x: GraphNode, out: number): GraphNode {
  return convNormRelu(within(builder, 'last'), convNormRelu(within(builder, 'first'), x, out), out);
}
