/**
 * Resizing volumes to another number of voxels over the same physical box.
 *
 * Edges coincide, so output voxel i samples the input at (i + 0.5)·n_in/n_out − 0.5 (its affine: `resizedAffine`). The
 * filters are separable and run axis by axis, the most shrinking axis first. No smoothing precedes shrinking: this is
 * interpolation, as in scipy's map_coordinates and the pipelines this one is compared with.
 */
import { VolumeError } from './errors.js';
import { cubicWeights, filterStrip, mirrorIndex } from './spline.js';
import { forEachStrip, stripOf } from './strips.js';
import { checkSize, checkVoxels, emptyLike, voxelCount } from './volume-checks.js';
import type { Size3, VoxelArray } from './volume.js';

/** Taps along one axis, t of them an output: output i is the sum over j of weight[i·t + j] × input[index[i·t + j]]. */
interface AxisPlan {
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/**
 * Resize with the interpolating cubic B-spline, mirrored at the borders. Values may overshoot the input's range beside
 * sharp edges. Returns a new array, also when the sizes are equal.
 * @throws VolumeError when voxels and size do not fit, or a size is not positive
 */
export function resizeCubic(voxels: VoxelArray, size: Size3, newSize: Size3): Float32Array {
  checkVoxels(voxels, size, 'resizeCubic');
  checkSize(newSize, 'resizeCubic: new size');
  return resizeAxes(voxels, size, newSize, (source, axis, at, length) => {
    const n = at[axis];
    const plan = cubicPlan(n, length);
    const result = new Float32Array((source.length / n) * length);
    forEachStrip(at, axis, (place) => {
      const { width } = place;
      const samples = stripOf(n + length, width);
      place.load(source, samples);
      filterStrip(samples, n, width);
      const out = samples.subarray(n * width, (n + length) * width);
      combineStrip(samples, out, plan, length, width);
      place.store(out, result, length);
    });
    return result;
  });
}

/**
 * Resize linearly (trilinear), the border voxels extended outwards. Returns a new array, also when the sizes are equal.
 * @throws VolumeError when voxels and size do not fit, or a size is not positive
 */
export function resizeLinear(voxels: VoxelArray, size: Size3, newSize: Size3): Float32Array {
  checkVoxels(voxels, size, 'resizeLinear');
  checkSize(newSize, 'resizeLinear: new size');
  return resizeAxes(voxels, size, newSize, (source, axis, at, length) =>
    linearAlong(source, at[axis], length, axis === 0 ? 1 : axis === 1 ? at[0] : at[0] * at[1]),
  );
}

/**
 * Resize by taking the nearest voxel (half-way positions take the upper one). Any element type; no value is invented.
 * @throws VolumeError when voxels and size do not fit, or a size is not positive
 */
export function resizeNearest<T extends VoxelArray>(voxels: T, size: Size3, newSize: Size3): T {
  checkVoxels(voxels, size, 'resizeNearest');
  checkSize(newSize, 'resizeNearest: new size');
  const [xs, ys, zs] = [0, 1, 2].map((axis) => nearestIndex(size[axis], newSize[axis]));
  const result = emptyLike(voxels, voxelCount(newSize));
  let at = 0;
  for (let z = 0; z < newSize[2]; z++) {
    for (let y = 0; y < newSize[1]; y++) {
      const row = (zs[z] * size[1] + ys[y]) * size[0];
      for (let x = 0; x < newSize[0]; x++) result[at++] = voxels[row + xs[x]];
    }
  }
  return result;
}

/**
 * Resize labels smoothly: what linear interpolation of each class's one-hot volume and argmax over the classes give,
 * without making the one-hot volumes. Ties go to the lower value.
 * @param classValues every value that may occur in `labels`
 * @throws VolumeError when a label is not one of classValues, or sizes do not fit
 */
export function resizeLabels(
  labels: Uint8Array,
  size: Size3,
  newSize: Size3,
  classValues: readonly number[],
): Uint8Array {
  checkVoxels(labels, size, 'resizeLabels');
  checkSize(newSize, 'resizeLabels: new size');
  const values = Uint8Array.from(classValues).sort();
  checkLabels(labels, size, values);
  const [xs, ys, zs] = [0, 1, 2].map((axis) => linearPlan(size[axis], newSize[axis]));
  const share = new Float64Array(256);
  const result = new Uint8Array(voxelCount(newSize));
  const [nx, ny] = size;
  let at = 0;
  for (let z = 0; z < newSize[2]; z++) {
    const [z0, z1] = [zs.index[2 * z] * nx * ny, zs.index[2 * z + 1] * nx * ny];
    const [wz0, wz1] = [zs.weight[2 * z], zs.weight[2 * z + 1]];
    for (let y = 0; y < newSize[1]; y++) {
      const [y0, y1] = [ys.index[2 * y] * nx, ys.index[2 * y + 1] * nx];
      const [wy0, wy1] = [ys.weight[2 * y], ys.weight[2 * y + 1]];
      const [r00, r10, r01, r11] = [z0 + y0, z0 + y1, z1 + y0, z1 + y1];
      const [w00, w10, w01, w11] = [wz0 * wy0, wz0 * wy1, wz1 * wy0, wz1 * wy1];
      for (let x = 0; x < newSize[0]; x++) {
        const x0 = xs.index[2 * x];
        const x1 = xs.index[2 * x + 1];
        const a = labels[r00 + x0];
        const b = labels[r00 + x1];
        const c = labels[r10 + x0];
        const d = labels[r10 + x1];
        const e = labels[r01 + x0];
        const f = labels[r01 + x1];
        const g = labels[r11 + x0];
        const h = labels[r11 + x1];
        // Away from surfaces, which is nearly everywhere, all eight neighbours agree.
        if (a === b && a === c && a === d && a === e && a === f && a === g && a === h) {
          result[at++] = a;
          continue;
        }
        const u0 = xs.weight[2 * x];
        const u1 = xs.weight[2 * x + 1];
        share[a] += w00 * u0;
        share[b] += w00 * u1;
        share[c] += w10 * u0;
        share[d] += w10 * u1;
        share[e] += w01 * u0;
        share[f] += w01 * u1;
        share[g] += w11 * u0;
        share[h] += w11 * u1;
        let best = values[0];
        for (let v = 1; v < values.length; v++) {
          // The margin makes shares equal that differ by rounding only, so that ties are ties.
          if (share[values[v]] > share[best] + 1e-9) best = values[v];
        }
        result[at++] = best;
        share[a] = share[b] = share[c] = share[d] = share[e] = share[f] = share[g] = share[h] = 0;
      }
    }
  }
  return result;
}

type AlongAxis = (source: Float32Array, axis: number, at: Size3, length: number) => Float32Array;

function resizeAxes(voxels: VoxelArray, size: Size3, newSize: Size3, along: AlongAxis): Float32Array {
  let current = voxels instanceof Float32Array ? voxels : new Float32Array(voxels);
  const at: [number, number, number] = [size[0], size[1], size[2]];
  const ratio = (axis: number): number => newSize[axis] / size[axis];
  for (const axis of [0, 1, 2].sort((a, b) => ratio(a) - ratio(b))) {
    if (newSize[axis] === at[axis]) continue;
    current = along(current, axis, at, newSize[axis]);
    at[axis] = newSize[axis];
  }
  return current === voxels ? new Float32Array(current) : current;
}

function cubicPlan(n: number, length: number): AxisPlan {
  const index = new Int32Array(length * 4);
  const weight = new Float64Array(length * 4);
  for (let i = 0; i < length; i++) {
    const x = ((i + 0.5) * n) / length - 0.5;
    const floor = Math.floor(x);
    cubicWeights(x - floor, weight, i * 4);
    for (let j = 0; j < 4; j++) index[i * 4 + j] = mirrorIndex(floor - 1 + j, n);
  }
  return { index, weight };
}

function linearPlan(n: number, length: number): AxisPlan {
  const index = new Int32Array(length * 2);
  const weight = new Float64Array(length * 2);
  for (let i = 0; i < length; i++) {
    const x = Math.min(Math.max(((i + 0.5) * n) / length - 0.5, 0), n - 1);
    const floor = Math.floor(x);
    index[i * 2] = floor;
    index[i * 2 + 1] = Math.min(floor + 1, n - 1);
    weight[i * 2] = 1 - (x - floor);
    weight[i * 2 + 1] = x - floor;
  }
  return { index, weight };
}

function nearestIndex(n: number, length: number): Int32Array {
  // Whole numbers up to the division: half-way positions are then exact for every size.
  return Int32Array.from({ length }, (_, i) => Math.floor(((2 * i + 1) * n) / (2 * length)));
}

function combineStrip(from: Float64Array, to: Float64Array, plan: AxisPlan, length: number, width: number): void {
  const { index, weight } = plan;
  for (let i = 0; i < length; i++) {
    const a = index[4 * i] * width;
    const b = index[4 * i + 1] * width;
    const c = index[4 * i + 2] * width;
    const d = index[4 * i + 3] * width;
    const wa = weight[4 * i];
    const wb = weight[4 * i + 1];
    const wc = weight[4 * i + 2];
    const wd = weight[4 * i + 3];
    const row = i * width;
    for (let l = 0; l < width; l++) {
      to[row + l] = wa * from[a + l] + wb * from[b + l] + wc * from[c + l] + wd * from[d + l];
    }
  }
}

/** Linear resize along an axis whose neighbours are `inner` values apart. */
function linearAlong(source: Float32Array, n: number, length: number, inner: number): Float32Array {
  const { index, weight } = linearPlan(n, length);
  const outer = source.length / (n * inner);
  const result = new Float32Array(outer * length * inner);
  for (let o = 0; o < outer; o++) {
    const start = o * n * inner;
    for (let i = 0; i < length; i++) {
      const a = start + index[2 * i] * inner;
      const b = start + index[2 * i + 1] * inner;
      const wa = weight[2 * i];
      const wb = weight[2 * i + 1];
      const row = (o * length + i) * inner;
      for (let l = 0; l < inner; l++) result[row + l] = wa * source[a + l] + wb * source[b + l];
    }
  }
  return result;
}

function checkLabels(labels: Uint8Array, size: Size3, values: Uint8Array): void {
  const known = new Uint8Array(256);
  for (const value of values) known[value] = 1;
  for (let at = 0; at < labels.length; at++) {
    if (known[labels[at]] === 0) {
      const place = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
      throw new VolumeError(
        `label ${labels[at]} at voxel (${place.join(', ')}) is not one of the classes ${[...values].join(', ')}; ` +
          'add the class or correct the label file',
        { label: labels[at], voxel: place, classes: [...values] },
      );
    }
  }
}
