/**
 * Operations along the channel axis (axis 1 of [N, C, ...]): bias, sums per channel, joining and cutting, and the
 * closed form of batch normalisation and its gradient.
 *
 * batchNorm: y = γ·(x − mean)/√(variance + ε) + β. With `training: true`, mean and variance are the biased statistics
 * of x itself and the gradient accounts for it (Ioffe and Szegedy 2015):
 *   dx = a·dy + b·x + c,  a = γ·s,  b = −γ·s³·(Σdy·x − mean·Σdy)/M,  c = −a·Σdy/M − b·mean,  s = 1/√(variance + ε).
 */
import { GraphError } from '../errors.js';
import type { GraphNode, Shape } from '../graph.js';
import { expectShape, type Operation, sameShape, voxelCount } from './operation.js';

function eachVoxel(shape: Shape, f: (index: number, channel: number, sample: number) => void): void {
  const voxels = voxelCount(shape);
  let index = 0;
  for (let n = 0; n < shape[0]; n++)
    for (let c = 0; c < shape[1]; c++) for (let v = 0; v < voxels; v++) f(index++, c, n);
}

/** y[n,c,…] = x[n,c,…] + b[c]. */
export const addChannel: Operation = {
  name: 'addChannel',
  shape: ([x, b]) => {
    expectShape('addChannel', 'the bias', b, [x.shape[1]]);
    return x.shape;
  },
  gradient: (_node, dy, g) => [dy, g.apply('channelSum', [dy])],
  evaluate: ([x, b]) => {
    const y = x.data.slice();
    eachVoxel(x.shape, (i, c) => {
      y[i] += b.data[c];
    });
    return y;
  },
};

/** Σ over samples and voxels: [N, C, …] → [C]. */
export const channelSum: Operation = {
  name: 'channelSum',
  shape: ([x]) => [x.shape[1]],
  evaluate: ([x], _attributes, shape) => {
    const sums = new Float64Array(shape[0]);
    eachVoxel(x.shape, (i, c) => {
      sums[c] += x.data[i];
    });
    return sums;
  },
};

/** Σ a·b over samples and voxels: [C]. */
export const channelSumProduct: Operation = {
  name: 'channelSumProduct',
  shape: ([a, b]) => [sameShape('channelSumProduct', a, b)[1]],
  evaluate: ([a, b], _attributes, shape) => {
    const sums = new Float64Array(shape[0]);
    eachVoxel(a.shape, (i, c) => {
      sums[c] += a.data[i] * b.data[i];
    });
    return sums;
  },
};

/** Biased variance over samples and voxels, given the mean [C]. */
export const channelVariance: Operation = {
  name: 'channelVariance',
  shape: ([x, mean]) => {
    expectShape('channelVariance', 'the mean', mean, [x.shape[1]]);
    return mean.shape;
  },
  evaluate: ([x, mean]) => {
    const sums = new Float64Array(mean.shape[0]);
    eachVoxel(x.shape, (i, c) => {
      sums[c] += (x.data[i] - mean.data[c]) ** 2;
    });
    return sums.map((sum) => (sum * mean.shape[0]) / x.data.length);
  },
};

export const batchNorm: Operation = {
  name: 'batchNorm',
  shape: ([x, ...perChannel]) => {
    if (perChannel.length !== 4) throw new GraphError('batchNorm', 'expected x, mean, variance, gamma, beta');
    for (const node of perChannel) expectShape('batchNorm', 'a per-channel input', node, [x.shape[1]]);
    return x.shape;
  },
  gradient: ({ inputs: [x, mean, variance, gamma], attributes }, dy, g) => {
    const count = x.shape[0] * voxelCount(x.shape);
    const times = (a: GraphNode, b: GraphNode): GraphNode => g.apply('mul', [a, b]);
    const affine = (a: GraphNode, scale: number, offset = 0): GraphNode => g.apply('affine', [a], { scale, offset });
    const s = g.apply('div', [
      g.constant(1, mean.shape),
      g.apply('sqrt', [affine(variance, 1, Number(attributes.epsilon))]),
    ]);
    const sumDy = g.apply('channelSum', [dy]);
    const covariance = g.apply('sub', [g.apply('channelSumProduct', [dy, x]), times(mean, sumDy)]);
    const dGamma = times(covariance, s);
    const a = times(gamma, s);
    const training = attributes.training === true;
    const b = training ? affine(times(times(a, times(s, s)), covariance), -1 / count) : g.constant(0, mean.shape);
    const c = training
      ? affine(g.apply('add', [affine(times(a, sumDy), 1 / count), times(b, mean)]), -1)
      : g.constant(0, mean.shape);
    return [g.apply('channelCombine', [dy, x, a, b, c]), null, null, dGamma, sumDy];
  },
  evaluate: ([x, mean, variance, gamma, beta], { epsilon }) => {
    const y = new Float64Array(x.data.length);
    eachVoxel(x.shape, (i, c) => {
      y[i] =
        (gamma.data[c] * (x.data[i] - mean.data[c])) / Math.sqrt(variance.data[c] + Number(epsilon)) + beta.data[c];
    });
    return y;
  },
};

/** y = a[c]·u + b[c]·v + k[c]. Inputs: u, v, a, b, k. */
export const channelCombine: Operation = {
  name: 'channelCombine',
  shape: ([u, v]) => sameShape('channelCombine', u, v),
  evaluate: ([u, v, a, b, k]) => {
    const y = new Float64Array(u.data.length);
    eachVoxel(u.shape, (i, c) => {
      y[i] = a.data[c] * u.data[i] + b.data[c] * v.data[i] + k.data[c];
    });
    return y;
  },
};

/** Joins images along the channels. */
export const concat: Operation = {
  name: 'concat',
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
    let start = 0;
    return inputs.map((node) => {
      const piece = g.apply('sliceChannels', [dy], { start, end: start + node.shape[1] });
      start += node.shape[1];
      return piece;
    });
  },
  evaluate: (inputs, _attributes, shape) => {
    const y = new Float64Array(shape.reduce((p, s) => p * s, 1));
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
export const sliceChannels: Operation = {
  name: 'sliceChannels',
  shape: ([x], { start, end }) => {
    if (Number(start) < 0 || Number(end) > x.shape[1] || Number(start) >= Number(end)) {
      throw new GraphError('sliceChannels', `channels ${start}…${end} of [${x.shape}]`);
    }
    return [x.shape[0], Number(end) - Number(start), ...x.shape.slice(2)];
  },
  gradient: ({ inputs: [x], attributes: { start, end } }, dy, g) => {
    const zeros = (channels: number): GraphNode[] =>
      channels > 0 ? [g.constant(0, [x.shape[0], channels, ...x.shape.slice(2)])] : [];
    const pieces = [...zeros(Number(start)), dy, ...zeros(x.shape[1] - Number(end))];
    return [pieces.length === 1 ? dy : g.apply('concat', pieces)];
  },
  evaluate: ([x], { start }, shape) => {
    const voxels = voxelCount(shape);
    const y = new Float64Array(shape.reduce((p, s) => p * s, 1));
    const length = shape[1] * voxels;
    for (let n = 0; n < shape[0]; n++) {
      const from = (n * x.shape[1] + Number(start)) * voxels;
      y.set(x.data.subarray(from, from + length), n * length);
    }
    return y;
  },
};
