/**
 * A small network on which precisions are compared: what a training step of the QC-HC U-Net does, three levels deep with 16,
 * 32 and 64 channels. Convolutions, batch norms, quick connections, concatenations, pooling, up-sampling and the update
 * are in it in about the shares that they have there. The trap: single large convolutions flatter the narrower format,
 * because conversions and elementwise passes between them gain nothing by it.
 */
import { differentiate, elementCount, Graph, type GraphNode } from '@quickcolumn/graph';
import type { NamedTensor } from '../contract/runtime.js';

/** Depth, height, width. */
const grid = [32, 48, 48];
const widths = [16, 32, 64];
const classes = 4;
const epsilon = 1e-3;

/**
 * The forward pass, or with `training` the whole step, gradients and update included. The input is `image`,
 * [1, 1, D, H, W]; one value comes back, so that bringing data in and out is not what is timed.
 */
export function sampleNetwork(training: boolean): Graph {
  const graph = new Graph();
  const image = graph.input('image', [1, 1, ...grid]);
  const layers = layersOf(graph, training);
  const scores = graph.apply('logSoftmax', [forward(graph, layers, image)]);
  // The mean of log-probabilities: as a loss as good as any, where only time counts.
  const loss = graph.apply('affine', [graph.apply('sum', [scores])], {
    scale: -1 / elementCount(scores.shape),
    offset: 0,
  });
  graph.output('loss', loss);
  if (!training) return graph;
  const weights = [...graph.variables.values()].filter(({ trainable }) => trainable).map(({ node }) => node);
  differentiate(graph, loss, weights).forEach((gradient, index) => {
    const change = graph.apply('affine', [gradient], { scale: -1e-3, offset: 0 });
    graph.assign(weights[index], graph.apply('add', [weights[index], change]));
  });
  return graph;
}

/** Weights of the usual size: with all of one value batch norms would divide by nothing but ε. */
export function sampleWeights(graph: Graph): Map<string, NamedTensor> {
  const values = new Map<string, NamedTensor>();
  for (const [name, { node, initializer }] of graph.variables) {
    if (initializer.kind !== 'normal') continue;
    const data = Float32Array.from({ length: elementCount(node.shape) }, (_, i) => wave(i) * initializer.sd);
    values.set(name, { shape: node.shape, data });
  }
  return values;
}

export function sampleImage(): Float32Array {
  return Float32Array.from({ length: elementCount(grid) }, (_, i) => wave(i));
}

/** As irregular as drawn numbers, and the same everywhere. */
const wave = (i: number): number => Math.SQRT2 * Math.sin(i * 12.9898);

interface Layers {
  readonly conv: (x: GraphNode, out: number, kernel: 1 | 3) => GraphNode;
  readonly upConv: (x: GraphNode, out: number) => GraphNode;
  readonly norm: (x: GraphNode) => GraphNode;
}

function layersOf(graph: Graph, training: boolean): Layers {
  const weight = (shape: readonly number[], fanIn: number): GraphNode =>
    graph.variable(`weight${graph.variables.size}`, shape, { kind: 'normal', sd: Math.sqrt(2 / fanIn) });
  const perChannel = (x: GraphNode, value: number, trainable: boolean): GraphNode =>
    graph.variable(`channels${graph.variables.size}`, [x.shape[1]], { kind: 'constant', value }, trainable);
  return {
    conv(x, out, kernel) {
      const [, channels] = x.shape;
      const w = weight([out, channels, kernel, kernel, kernel], channels * kernel ** 3);
      const y = graph.apply('conv3d', [x, w], { stride: 1 });
      return graph.apply('addChannel', [y, perChannel(y, 0, true)]);
    },
    upConv: (x, out) => graph.apply('convTranspose3d', [x, weight([x.shape[1], out, 2, 2, 2], x.shape[1])]),
    norm(x) {
      const gamma = perChannel(x, 1, true);
      const beta = perChannel(x, 0, true);
      if (!training) {
        const statistics = [perChannel(x, 0, false), perChannel(x, 1, false)] as const;
        return graph.apply('batchNorm', [x, ...statistics, gamma, beta], { epsilon, training });
      }
      const [, , depth, height, width] = x.shape;
      const scale = 1 / (depth * height * width);
      const mean = graph.apply('affine', [graph.apply('channelSum', [x])], { scale, offset: 0 });
      const variance = graph.apply('channelVariance', [x, mean]);
      return graph.apply('batchNorm', [x, mean, variance, gamma, beta], { epsilon, training });
    },
  };
}

function forward(graph: Graph, { conv, upConv, norm }: Layers, image: GraphNode): GraphNode {
  const relu = (x: GraphNode): GraphNode => graph.apply('relu', [x]);
  const add = (a: GraphNode, b: GraphNode): GraphNode => graph.apply('add', [a, b]);
  /** ReLU(u + v + quick), u = BN(conv(x)), v = BN(conv(ReLU(u))). */
  const block = (x: GraphNode, width: number, quick: GraphNode): GraphNode => {
    const u = norm(conv(x, width, 3));
    return relu(add(add(u, norm(conv(relu(u), width, 3))), quick));
  };
  let x = conv(image, widths[0], 3);
  const skips: GraphNode[] = [];
  for (const [level, width] of widths.entries()) {
    if (level > 0) x = graph.apply('maxPool', [x]);
    x = graph.apply('concat', [block(x, width, x), x]);
    skips.push(x);
  }
  const scores: GraphNode[] = [];
  for (const level of [1, 0]) {
    const width = widths[level];
    const joined = graph.apply('concat', [skips[level], relu(norm(upConv(x, width)))]);
    x = block(joined, width, norm(conv(joined, width, 1)));
    scores.push(conv(x, classes, 1));
  }
  const [coarse, fine] = scores;
  return add(graph.apply('resize', [coarse], { factor: 2, mode: 'trilinear' }), fine);
}
