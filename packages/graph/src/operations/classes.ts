/**
 * Operations of the loss: log-softmax over the classes (axis 1), labels as one-hot maps, sums over the voxels of each
 * sample and class, and the sum of everything.
 */
import type { GraphNode, NodeBuilder, Shape } from '../node.js';
import { expectShape, type Operation, sameShape, voxelCount } from './operation.js';

function softmaxTerms(shape: Shape, f: (first: number, stride: number, classes: number) => void): void {
  const voxels = voxelCount(shape);
  for (let n = 0; n < shape[0]; n++) for (let v = 0; v < voxels; v++) f(n * shape[1] * voxels + v, voxels, shape[1]);
}

export const logSoftmax: Operation<'logSoftmax'> = {
  shape: ([x]) => x.shape,
  gradient: (node, dy, g) => [() => g.apply('logSoftmaxGradient', [dy, node])],
  evaluate: ([x]) => {
    const y = new Float64Array(x.data.length);
    softmaxTerms(x.shape, (first, stride, classes) => {
      let top = -Infinity;
      for (let c = 0; c < classes; c++) top = Math.max(top, x.data[first + c * stride]);
      let sum = 0;
      for (let c = 0; c < classes; c++) sum += Math.exp(x.data[first + c * stride] - top);
      for (let c = 0; c < classes; c++) y[first + c * stride] = x.data[first + c * stride] - top - Math.log(sum);
    });
    return y;
  },
};

/** Σ over the classes, at every class: v − (v − exp(0)·Σ_c v). */
function classSum(g: NodeBuilder, v: GraphNode): GraphNode {
  return g.apply('sub', [v, g.apply('logSoftmaxGradient', [v, g.constant(0, v.shape)])]);
}

/**
 * dx = dy − exp(y)·Σ_c dy, for y = logSoftmax(x). Its own gradient, given d: for dy it is d − Σ_c d·exp(y), for y it is
 * −d·exp(y)·Σ_c dy.
 */
export const logSoftmaxGradient: Operation<'logSoftmaxGradient'> = {
  shape: ([dy, y]) => sameShape('logSoftmaxGradient', dy, y),
  gradient: ({ inputs: [dy, y] }, d, g) => {
    const weighted = g.apply('mul', [d, g.apply('exp', [y])]);
    return [
      () => g.apply('sub', [d, classSum(g, weighted)]),
      () => g.apply('affine', [g.apply('mul', [weighted, classSum(g, dy)])], { scale: -1, offset: 0 }),
    ];
  },
  evaluate: ([dy, y]) => {
    const dx = new Float64Array(dy.data.length);
    softmaxTerms(dy.shape, (first, stride, classes) => {
      let sum = 0;
      for (let c = 0; c < classes; c++) sum += dy.data[first + c * stride];
      for (let c = 0; c < classes; c++) {
        const i = first + c * stride;
        dx[i] = dy.data[i] - Math.exp(y.data[i]) * sum;
      }
    });
    return dx;
  },
};

/** Labels [N, …] (class indices as uint8) → [N, classes, …] of 0 and 1. */
export const oneHot: Operation<'oneHot'> = {
  shape: ([labels], { classes }) => [labels.shape[0], classes, ...labels.shape.slice(1)],
  gradient: () => ['none'],
  evaluate: ([labels], { classes }, shape) => {
    const voxels = voxelCount(shape);
    const y = new Float64Array(labels.data.length * classes);
    labels.data.forEach((label, i) => {
      const sample = Math.floor(i / voxels);
      if (label < classes) y[(sample * classes + label) * voxels + (i % voxels)] = 1;
    });
    return y;
  },
};

function sums(shape: Shape, value: (index: number) => number): Float64Array {
  const voxels = voxelCount(shape);
  const result = new Float64Array(shape[0] * shape[1]);
  for (let row = 0; row < result.length; row++) for (let v = 0; v < voxels; v++) result[row] += value(row * voxels + v);
  return result;
}

/** Σ over voxels: [N, C, …] → [N, C]. */
export const spatialSum: Operation<'spatialSum'> = {
  shape: ([x]) => x.shape.slice(0, 2),
  gradient: ({ inputs: [x] }, dy, g) => [() => g.apply('spatialExpand', [dy], { grid: x.shape.slice(2) })],
  evaluate: ([x]) => sums(x.shape, (i) => x.data[i]),
};

/** Σ a·b over voxels: [N, C]. */
export const spatialSumProduct: Operation<'spatialSumProduct'> = {
  shape: ([a, b]) => sameShape('spatialSumProduct', a, b).slice(0, 2),
  gradient: ({ inputs: [a, b] }, dy, g) => [
    () => g.apply('spatialScale', [b, dy]),
    () => g.apply('spatialScale', [a, dy]),
  ],
  evaluate: ([a, b]) => sums(a.shape, (i) => a.data[i] * b.data[i]),
};

/** y[n,c,…] = x[n,c,…]·s[n,c]. */
export const spatialScale: Operation<'spatialScale'> = {
  shape: ([x, s]) => {
    expectShape('spatialScale', 'the factor', s, x.shape.slice(0, 2));
    return x.shape;
  },
  gradient: ({ inputs: [x, s] }, dy, g) => [
    () => g.apply('spatialScale', [dy, s]),
    () => g.apply('spatialSumProduct', [dy, x]),
  ],
  evaluate: ([x, s]) => {
    const voxels = voxelCount(x.shape);
    return x.data.map((value, i) => value * s.data[Math.floor(i / voxels)]);
  },
};

/** [N, C] → [N, C, …grid], every voxel the same. */
export const spatialExpand: Operation<'spatialExpand'> = {
  shape: ([s], { grid }) => [...s.shape, ...grid],
  gradient: (_node, dy, g) => [() => g.apply('spatialSum', [dy])],
  evaluate: ([s], _attributes, shape) => {
    const voxels = voxelCount(shape);
    return Float64Array.from({ length: s.data.length * voxels }, (_, i) => s.data[Math.floor(i / voxels)]);
  },
};

/** The sum of all elements, a scalar. */
export const sum: Operation<'sum'> = {
  shape: () => [],
  gradient: ({ inputs: [x] }, dy, g) => [() => g.apply('scale', [g.constant(1, x.shape), dy])],
  evaluate: ([x]) => Float64Array.of(x.data.reduce((total, value) => total + value, 0)),
};
