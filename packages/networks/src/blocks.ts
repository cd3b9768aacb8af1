/**
 * Named blocks that the networks are built from. Images are [N, C, D, H, W]; every convolution has a bias and same
 * padding; weights start He-normal (He et al. 2015, fan-in), biases at 0, batch-norm scale at 1.
 *
 * A `Builder` carries the graph, the mode and the path of names, so that a variable's name says where it sits:
 * `encoder0/conv1/weight`.
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';

export interface Builder {
  readonly graph: Graph;
  /** Training uses the statistics of the batch and updates the running ones; prediction uses the running ones. */
  readonly training: boolean;
  /** Prefix of variable names, '' at the root. */
  readonly path: string;
}

/** Batch-norm constants of spec section 5 (those of Keras). */
const epsilon = 1e-3;
const momentum = 0.99;

export function within(builder: Builder, name: string): Builder {
  return { ...builder, path: builder.path === '' ? name : `${builder.path}/${name}` };
}

const channels = (x: GraphNode): number => x.shape[1];

/** Convolution k×k×k, same padding, stride 1. */
export function conv(
  builder: Builder,
  x: GraphNode,
  out: number,
  options: { kernel: number; bias?: boolean },
): GraphNode {
  const { graph, path } = builder;
  const { kernel, bias = true } = options;
  const sd = Math.sqrt(2 / (channels(x) * kernel ** 3));
  const w = graph.variable(`${path}/weight`, [out, channels(x), kernel, kernel, kernel], { kind: 'normal', sd });
  const y = graph.apply('conv3d', [x, w], { stride: 1 });
  return bias ? addBias(builder, y) : y;
}

/** Transposed convolution 2×2×2 with stride 2: doubles the grid. */
export function upConv(builder: Builder, x: GraphNode, out: number): GraphNode {
  const sd = Math.sqrt(2 / channels(x));
  const w = builder.graph.variable(`${builder.path}/weight`, [channels(x), out, 2, 2, 2], { kind: 'normal', sd });
  return addBias(builder, builder.graph.apply('convTranspose3d', [x, w]));
}

export function addBias(builder: Builder, x: GraphNode): GraphNode {
  const bias = builder.graph.variable(`${builder.path}/bias`, [channels(x)], { kind: 'constant', value: 0 });
  return builder.graph.apply('addChannel', [x, bias]);
}

/** Batch normalisation (Ioffe and Szegedy 2015) over samples and voxels, running statistics with momentum 0.99. */
export function batchNorm(builder: Builder, x: GraphNode): GraphNode {
  const { graph, path, training } = builder;
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
    const kept = graph.apply('affine', [running], { scale: momentum, offset: 0 });
    graph.assign(
      running,
      graph.apply('add', [kept, graph.apply('affine', [batch], { scale: 1 - momentum, offset: 0 })]),
    );
  }
  return graph.apply('batchNorm', [x, mean, variance, gamma, beta], { epsilon, training: true });
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
export function convNorm(builder: Builder, x: GraphNode, out: number, kernel: number): GraphNode {
  return batchNorm(within(builder, 'norm'), conv(within(builder, 'conv'), x, out, { kernel }));
}
