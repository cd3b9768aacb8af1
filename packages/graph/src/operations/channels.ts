/**
 * Operations along the channel axis (axis 1 of [N, C, ...]): bias, sums per channel, joining and cutting, and the
 * closed form of batch normalisation and its gradient.
 *
 * batchNorm: y = γ·(x − mean)/√(variance + ε) + β. With `training: true`, mean and variance are the biased statistics
 * of x itself and the gradient accounts for it (Ioffe and Szegedy 2015):
 *   dx = a·dy + b·x + c,  a = γ·s,  b = −γ·s³·(Σdy·x − mean·Σdy)/M,  c = −a·Σdy/M − b·mean,  s = 1/√(variance + ε).
 */
import { GraphError } from '../errors.js';
import { elementCount, type GraphNode, type NodeBuilder, type OperationNode, type Shape } from '../node.js';
import { expectShape, type Operation, sameShape, voxelCount } from './operation.js';

function eachVoxel(shape: Shape, f: (index: number, channel: number, sample: number) => void): void {
  const voxels = voxelCount(shape);
  let index = 0;
  for (let n = 0; n < shape[0]; n++)
    for (let c = 0; c < shape[1]; c++) for (let v = 0; v < voxels; v++) f(index++, c, n);
}

/** x[n,c,…]·a[c]. */
function timesChannel(g: NodeBuilder, x: GraphNode, a: GraphNode): GraphNode {
  const zero = g.constant(0, a.shape);
  return g.apply('channelCombine', [x, x, a, zero, zero]);
}

/** M: how many values a channel has, over samples and voxels. */
const countOf = (x: GraphNode): number => x.shape[0] * voxelCount(x.shape);

const times = (g: NodeBuilder, a: GraphNode, b: GraphNode): GraphNode => g.apply('mul', [a, b]);

/** y[n,c,…] = x[n,c,…] + b[c]. */
export const addChannel: Operation<'addChannel'> = {
  shape: ([x, b]) => {
    expectShape('addChannel', 'the bias', b, [x.shape[1]]);
    return x.shape;
  },
  gradient: (_node, dy, g) => [() => dy, () => g.apply('channelSum', [dy])],
  evaluate: ([x, b]) => {
    const y = x.data.slice();
    eachVoxel(x.shape, (i, c) => {
      y[i] += b.data[c];
    });
    return y;
  },
};

/** Σ over samples and voxels: [N, C, …] → [C]. */
export const channelSum: Operation<'channelSum'> = {
  shape: ([x]) => [x.shape[1]],
  gradient: ({ inputs: [x] }, dy, g) => [() => g.apply('addChannel', [g.constant(0, x.shape), dy])],
  evaluate: ([x], _attributes, shape) => {
    const sums = new Float64Array(shape[0]);
    eachVoxel(x.shape, (i, c) => {
      sums[c] += x.data[i];
    });
    return sums;
  },
};

/** Σ a·b over samples and voxels: [C]. */
export const channelSumProduct: Operation<'channelSumProduct'> = {
  shape: ([a, b]) => [sameShape('channelSumProduct', a, b)[1]],
  gradient: ({ inputs: [a, b] }, dy, g) => [() => timesChannel(g, b, dy), () => timesChannel(g, a, dy)],
  evaluate: ([a, b], _attributes, shape) => {
    const sums = new Float64Array(shape[0]);
    eachVoxel(a.shape, (i, c) => {
      sums[c] += a.data[i] * b.data[i];
    });
    return sums;
  },
};

/**
 * v = Σ(x − mean)²/M over samples and voxels: the biased variance, given the mean [C].
 * dx = 2·dy·(x − mean)/M, dmean = −2·dy·(Σx/M − mean), which is 0 at the mean itself.
 */
export const channelVariance: Operation<'channelVariance'> = {
  shape: ([x, mean]) => {
    expectShape('channelVariance', 'the mean', mean, [x.shape[1]]);
    return mean.shape;
  },
  gradient: ({ inputs: [x, mean] }, dy, g) => {
    const zero = g.constant(0, mean.shape);
    const scaled = (by: number): GraphNode => g.apply('affine', [dy], { scale: by, offset: 0 });
    return [
      () => {
        const slope = scaled(2 / countOf(x));
        const shift = g.apply('affine', [times(g, slope, mean)], { scale: -1, offset: 0 });
        return g.apply('channelCombine', [x, x, slope, zero, shift]);
      },
      () => {
        const average = g.apply('affine', [g.apply('channelSum', [x])], { scale: 1 / countOf(x), offset: 0 });
        return times(g, scaled(-2), g.apply('sub', [average, mean]));
      },
    ];
  },
  evaluate: ([x, mean]) => {
    const sums = new Float64Array(mean.shape[0]);
    eachVoxel(x.shape, (i, c) => {
      sums[c] += (x.data[i] - mean.data[c]) ** 2;
    });
    return sums.map((sum) => (sum * mean.shape[0]) / x.data.length);
  },
};

/** Whether mean and variance are the statistics of the image itself, over samples and voxels. */
export function hasOwnStatistics({ inputs: [x, mean, variance] }: OperationNode<'batchNorm'>): boolean {
  if (mean.op !== 'affine' || mean.attributes.offset !== 0 || variance.op !== 'channelVariance') return false;
  const [sum] = mean.inputs;
  const isMean = sum.op === 'channelSum' && sum.inputs[0] === x;
  const scaled = Math.abs(mean.attributes.scale * countOf(x) - 1) < 1e-9;
  return isMean && scaled && variance.inputs[0] === x && variance.inputs[1] === mean;
}

const foreignStatistics = {
  unsupported: 'with training: true, mean and variance have to be the statistics of the image; use training: false',
} as const;

export const batchNorm: Operation<'batchNorm'> = {
  shape: ([x, ...perChannel]) => {
    for (const node of perChannel) expectShape('batchNorm', 'a per-channel input', node, [x.shape[1]]);
    return x.shape;
  },
  gradient: (node, dy, g) => {
    const {
      inputs: [x, mean, variance, gamma],
      attributes: { epsilon, training },
    } = node;
    const count = countOf(x);
    const affine = (a: GraphNode, scale: number, offset = 0): GraphNode => g.apply('affine', [a], { scale, offset });
    const s = g.apply('div', [g.constant(1, mean.shape), g.apply('sqrt', [affine(variance, 1, epsilon)])]);
    const sumDy = g.apply('channelSum', [dy]);
    const covariance = g.apply('sub', [g.apply('channelSumProduct', [dy, x]), times(g, mean, sumDy)]);
    const dGamma = times(g, covariance, s);
    const a = times(g, gamma, s);
    const cubed = (): GraphNode => times(g, times(g, a, times(g, s, s)), covariance);
    const ofScale = [() => dGamma, () => sumDy] as const;
    if (!training) {
      const zero = (): GraphNode => g.constant(0, mean.shape);
      return [
        () => g.apply('channelCombine', [dy, x, a, zero(), zero()]),
        () => affine(times(g, a, sumDy), -1),
        () => affine(cubed(), -0.5),
        ...ofScale,
      ];
    }
    // The image's gradient takes in what comes through its statistics, so none flows to those.
    if (!hasOwnStatistics(node)) return [foreignStatistics, foreignStatistics, foreignStatistics, ...ofScale];
    const b = affine(cubed(), -1 / count);
    const c = affine(g.apply('add', [affine(times(g, a, sumDy), 1 / count), times(g, b, mean)]), -1);
    return [() => g.apply('channelCombine', [dy, x, a, b, c]), 'none', 'none', ...ofScale];
  },
  evaluate: ([x, mean, variance, gamma, beta], { epsilon }) => {
    const y = new Float64Array(x.data.length);
    eachVoxel(x.shape, (i, c) => {
      y[i] = (gamma.data[c] * (x.data[i] - mean.data[c])) / Math.sqrt(variance.data[c] + epsilon) + beta.data[c];
    });
    return y;
  },
};

/** y = a[c]·u + b[c]·v + k[c]. Inputs: u, v, a, b, k. */
export const channelCombine: Operation<'channelCombine'> = {
  shape: ([u, v, ...perChannel]) => {
    for (const node of perChannel) expectShape('channelCombine', 'a factor', node, [u.shape[1]]);
    return sameShape('channelCombine', u, v);
  },
  gradient: ({ inputs: [u, v, a, b] }, dy, g) => [
    () => timesChannel(g, dy, a),
    () => timesChannel(g, dy, b),
    () => g.apply('channelSumProduct', [dy, u]),
    () => g.apply('channelSumProduct', [dy, v]),
    () => g.apply('channelSum', [dy]),
  ],
  evaluate: ([u, v, a, b, k]) => {
    const y = new Float64Array(u.data.length);
    eachVoxel(u.shape, (i, c) => {
      y[i] = a.data[c] * u.data[i] + b.data[c] * v.data[i] + k.data[c];
    });
    return y;
  },
};

/** Joins images along the channels. */
export const concat: Operation<'concat'> = {
  shape: (inputs) => {
    const [first] = inputs;
    for (const node of inputs) {
      const grid = [node.shape[0], first.shape[1], ...node.shape.slice(2)];
      if (grid.join() !== first.shape.join()) {
        throw new GraphError('concat', `shapes [${first.shape}] and [${node.shape}] differ beside the channels`);
      }
    }
    const channels = inputs.reduce((sum, node) => sum + node.shape[1], 0);
    return [first.shape[0], channels, ...first.shape.slice(2)];
  },
  gradient: ({ inputs }, dy, g) => {
    let next = 0;
    return inputs.map(({ shape: [, channels] }) => {
      const start = next;
      next += channels;
      return () => g.apply('sliceChannels', [dy], { start, end: start + channels });
    });
  },
  evaluate: (inputs, _attributes, shape) => {
    const y = new Float64Array(elementCount(shape));
    const voxels = voxelCount(shape);
    let at = 0;
    for (let n = 0; n < shape[0]; n++)
      for (const { data, shape: own } of inputs) {
        const length = own[1] * voxels;
        y.set(data.subarray(n * length, (n + 1) * length), at);
        at += length;
      }
    return y;
  },
};

/** Channels start … end−1. */
export const sliceChannels: Operation<'sliceChannels'> = {
  shape: ([x], { start, end }) => {
    if (start < 0 || end > x.shape[1] || start >= end) {
      throw new GraphError('sliceChannels', `channels ${start}…${end} of [${x.shape}]`);
    }
    return [x.shape[0], end - start, ...x.shape.slice(2)];
  },
  gradient: ({ inputs: [x], attributes: { start, end } }, dy, g) => {
    const zeros = (channels: number): GraphNode[] =>
      channels > 0 ? [g.constant(0, [x.shape[0], channels, ...x.shape.slice(2)])] : [];
    return [
      () => {
        const pieces = [...zeros(start), dy, ...zeros(x.shape[1] - end)];
        return pieces.length === 1 ? dy : g.apply('concat', pieces);
      },
    ];
  },
  evaluate: ([x], { start }, shape) => {
    const voxels = voxelCount(shape);
    const y = new Float64Array(elementCount(shape));
    const length = shape[1] * voxels;
    for (let n = 0; n < shape[0]; n++) {
      const from = (n * x.shape[1] + start) * voxels;
      y.set(x.data.subarray(from, from + length), n * length);
    }
    return y;
  },
};
