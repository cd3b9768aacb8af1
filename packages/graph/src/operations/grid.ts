/**
 * Operations that change the grid: max pooling 2×2×2 and resizing by a whole factor.
 *
 * resize: half-pixel centres, edges clamped: output o reads input (o + 0.5)/factor − 0.5, linearly along each axis
 * (`trilinear`) or by its nearest voxel (`nearest`, floor(o/factor)). It is separable: one matrix per axis.
 */
import { GraphError } from '../errors.js';
import type { Shape } from '../graph.js';
import { expectImage, type Operation } from './operation.js';

export type ResizeMode = 'trilinear' | 'nearest';

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

export const resize: Operation = {
  name: 'resize',
  shape: ([x], { factor }) => {
    const [n, c, ...grid] = expectImage('resize', x);
    return [n, c, ...grid.map((size) => size * Number(factor))];
  },
  gradient: ({ attributes }, dy, g) => [g.apply('resizeGradient', [dy], attributes)],
  evaluate: ([x], { factor, mode }) => resizeData(x.data, x.shape, Number(factor), mode as ResizeMode, false),
};

/** The adjoint of `resize`. Input: dy on the fine grid. */
export const resizeGradient: Operation = {
  name: 'resizeGradient',
  shape: ([dy], { factor }) => {
    const [n, c, ...grid] = expectImage('resizeGradient', dy);
    return [n, c, ...grid.map((size) => size / Number(factor))];
  },
  evaluate: ([dy], { factor, mode }) => resizeData(dy.data, dy.shape, Number(factor), mode as ResizeMode, true),
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

export const maxPool: Operation = {
  name: 'maxPool',
  shape: ([x]) => {
    const [n, c, ...grid] = expectImage('maxPool', x);
    if (grid.some((size) => size % 2 !== 0)) throw new GraphError('maxPool', `grid [${grid}] is not even`);
    return [n, c, ...grid.map((size) => size / 2)];
  },
  gradient: (node, dy, g) => [g.apply('maxPoolGradient', [dy, node, node.inputs[0]])],
  evaluate: ([x]) => Float64Array.from(maxima(x.data, x.shape), (index) => x.data[index]),
};

/** dy at each block's maximum, 0 elsewhere. Inputs: dy, the maxPool node, its image. */
export const maxPoolGradient: Operation = {
  name: 'maxPoolGradient',
  shape: ([, , x]) => x.shape,
  evaluate: ([dy, , x]) => {
    const dx = new Float64Array(x.data.length);
    maxima(x.data, x.shape).forEach((index, i) => {
      dx[index] = dy.data[i];
    });
    return dx;
  },
};
