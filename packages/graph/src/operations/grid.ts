/**
 * Operations that change the grid: max pooling 2×2×2 and resizing by a whole factor.
 *
 * resize: half-pixel centres, edges clamped: output o reads input (o + 0.5)/factor − 0.5, linearly along each axis
 * (`trilinear`) or by its nearest voxel (`nearest`, floor(o/factor)). It is separable: one matrix per axis.
 */
import { GraphError } from '../errors.js';
import type { Shape } from '../node.js';
import { expectImage, expectShape, type Operation } from './operation.js';
import type { AttributesOf } from './specs.js';

export type ResizeMode = AttributesOf<'resize'>['mode'];

/** The [size·factor, size] matrix (row-major) that resizes one axis. */
export function resizeMatrix(size: number, factor: number, mode: ResizeMode): Float64Array {
  const matrix = new Float64Array(size * factor * size);
  for (let o = 0; o < size * factor; o++) {
    if (mode === 'nearest') {
      matrix[o * size + Math.floor(o / factor)] = 1;
      continue;
    }
    const at = Math.min(Math.max((o + 0.5) / factor - 0.5, 0), size - 1);
    const low = Math.floor(at);
    const high = Math.min(low + 1, size - 1);
    matrix[o * size + low] += 1 - (at - low);
    matrix[o * size + high] += at - low;
  }
  return matrix;
}

/** y = (A_d ⊗ A_h ⊗ A_w) x on the last three axes; `transposed` applies the adjoint. */
function resizeData(
  data: Float64Array,
  shape: Shape,
  factor: number,
  mode: ResizeMode,
  transposed: boolean,
): Float64Array {
  let current = data;
  const sizes = [...shape];
  for (let axis = 2; axis < 5; axis++) {
    const from = sizes[axis];
    const to = transposed ? from / factor : from * factor;
    const coarse = Math.min(from, to);
    const matrix = resizeMatrix(coarse, factor, mode);
    const outer = sizes.slice(0, axis).reduce((p, s) => p * s, 1);
    const inner = sizes.slice(axis + 1).reduce((p, s) => p * s, 1);
    const next = new Float64Array(outer * to * inner);
    for (let a = 0; a < outer; a++)
      for (let o = 0; o < to; o++)
        for (let i = 0; i < from; i++) {
          const weight = transposed ? matrix[i * coarse + o] : matrix[o * coarse + i];
          if (weight === 0) continue;
          for (let b = 0; b < inner; b++)
            next[(a * to + o) * inner + b] += weight * current[(a * from + i) * inner + b];
        }
    current = next;
    sizes[axis] = to;
  }
  return current;
}

export const resize: Operation<'resize'> = {
  shape: ([x], { factor }) => {
    const [n, c, ...grid] = expectImage('resize', x);
    return [n, c, ...grid.map((size) => size * factor)];
  },
  gradient: ({ attributes }, dy, g) => [() => g.apply('resizeGradient', [dy], attributes)],
  evaluate: ([x], { factor, mode }) => resizeData(x.data, x.shape, factor, mode, false),
};

/** The adjoint of `resize`. Input: dy on the fine grid. */
export const resizeGradient: Operation<'resizeGradient'> = {
  shape: ([dy], { factor }) => {
    const [n, c, ...grid] = expectImage('resizeGradient', dy);
    if (grid.some((size) => size % factor !== 0)) {
      throw new GraphError('resizeGradient', `grid [${grid}] is not a multiple of the factor ${factor}`);
    }
    return [n, c, ...grid.map((size) => size / factor)];
  },
  gradient: ({ attributes }, d, g) => [() => g.apply('resize', [d], attributes)],
  evaluate: ([dy], { factor, mode }) => resizeData(dy.data, dy.shape, factor, mode, true),
};

/** Index in x of the maximum of each 2×2×2 block; the first one in scan order where several are equal. */
function maxima(x: Float64Array, shape: Shape): Int32Array {
  const [n, c, d, h, w] = shape;
  const found = new Int32Array((n * c * d * h * w) / 8);
  let at = 0;
  for (let plane = 0; plane < n * c; plane++)
    for (let z = 0; z < d; z += 2)
      for (let r = 0; r < h; r += 2)
        for (let e = 0; e < w; e += 2) {
          let best = -1;
          for (let k = 0; k < 8; k++) {
            const index = ((plane * d + z + (k >> 2)) * h + r + ((k >> 1) & 1)) * w + e + (k & 1);
            if (best < 0 || x[index] > x[best]) best = index;
          }
          found[at++] = best;
        }
  return found;
}

export const maxPool: Operation<'maxPool'> = {
  shape: ([x]) => {
    const [n, c, ...grid] = expectImage('maxPool', x);
    if (grid.some((size) => size % 2 !== 0)) throw new GraphError('maxPool', `grid [${grid}] is not even`);
    return [n, c, ...grid.map((size) => size / 2)];
  },
  gradient: (node, dy, g) => [() => g.apply('maxPoolGradient', [dy, node, node.inputs[0]])],
  evaluate: ([x]) => Float64Array.from(maxima(x.data, x.shape), (index) => x.data[index]),
};

/**
 * dy at each block's maximum, 0 elsewhere. Inputs: dy, the maxPool node, its image, which only say where. Its gradient
 * for dy is the value at each block's maximum: the sum over the block of what a mask of the maxima leaves, and block
 * sums are the adjoint of resizing to the nearest voxel.
 */
export const maxPoolGradient: Operation<'maxPoolGradient'> = {
  shape: ([dy, y, x]) => {
    const [n, c, ...grid] = expectImage('maxPoolGradient', x);
    const pooled = [n, c, ...grid.map((size) => size / 2)];
    expectShape('maxPoolGradient', 'dy', dy, pooled);
    expectShape('maxPoolGradient', 'the pooled image', y, pooled);
    return x.shape;
  },
  gradient: ({ inputs: [dy, y, x] }, d, g) => [
    () => {
      const maximum = g.apply('maxPoolGradient', [g.constant(1, dy.shape), y, x]);
      return g.apply('resizeGradient', [g.apply('mul', [d, maximum])], { factor: 2, mode: 'nearest' });
    },
    'none',
    'none',
  ],
  evaluate: ([dy, , x]) => {
    const dx = new Float64Array(x.data.length);
    maxima(x.data, x.shape).forEach((index, i) => {
      dx[index] = dy.data[i];
    });
    return dx;
  },
};
