/**
 * Cubic B-spline interpolation: coefficients by recursive filtering, and samples at arbitrary coordinates.
 *
 * Unser, Aldroubi & Eden, "B-spline signal processing" (IEEE Trans. Signal Process. 41, 1993). Borders are mirrored
 * about the centre of the first and last voxel (scipy's mode 'mirror'), for the filter and the samples alike, so results
 * equal scipy.ndimage.map_coordinates(order=3, mode='mirror'). The recursion starts from its exact mirrored sum.
 */
import { forEachStrip, stripOf } from './strips.js';
import { checkVoxels } from './volume-checks.js';
import type { Size3, VoxelArray } from './volume.js';

const pole = Math.sqrt(3) - 2;
const gain = (1 - pole) * (1 - 1 / pole);

/**
 * B-spline coefficients of a volume, one a voxel, for `sampleCubic`. Always a new array.
 * @throws VolumeError when voxels and size do not fit
 */
export function splineCoefficients(voxels: VoxelArray, size: Size3): Float32Array {
  checkVoxels(voxels, size, 'splineCoefficients');
  const coefficients = new Float32Array(voxels);
  for (let axis = 0; axis < 3; axis++) {
    if (size[axis] === 1) continue;
    forEachStrip(size, axis, (place) => {
      const strip = stripOf(size[axis], place.width);
      place.load(coefficients, strip);
      filterStrip(strip, size[axis], place.width);
      place.store(strip, coefficients, size[axis]);
    });
  }
  return coefficients;
}

/**
 * Turn samples into spline coefficients along the rows of a strip, in place. Sample k of line l is at k·width + l.
 * Lines shorter than two samples are their own coefficients.
 */
export function filterStrip(strip: Float64Array, length: number, width: number): void {
  if (length < 2) return;
  const last = (length - 1) * width;
  const poleToLast = pole ** (length - 1);
  // First causal coefficient: the geometric sum over the mirrored signal of period 2(n−1), closed.
  const closing = gain / (1 - poleToLast * poleToLast);
  for (let l = 0; l < width; l++) {
    let sum = strip[l] + poleToLast * strip[last + l];
    let power = pole;
    for (let k = 1; k < length - 1 && Math.abs(power) > 1e-20; k++) {
      sum += power * (strip[k * width + l] + poleToLast * strip[last - k * width + l]);
      power *= pole;
    }
    strip[l] = sum * closing;
  }
  for (let at = width; at < last + width; at++) strip[at] = gain * strip[at] + pole * strip[at - width];
  const start = pole / (pole * pole - 1);
  for (let at = last; at < last + width; at++) strip[at] = start * (strip[at] + pole * strip[at - width]);
  for (let at = last - 1; at >= 0; at--) strip[at] = pole * (strip[at + width] - strip[at]);
}

/** Index of a position beyond the ends of 0 … n−1, mirrored about the end samples (which are not repeated). */
export function mirrorIndex(index: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const folded = ((index % period) + period) % period;
  return folded < n ? folded : period - folded;
}

/** The four weights of samples floor(x)−1 … floor(x)+2 at fraction t = x − floor(x), into weights[at …]. */
export function cubicWeights(t: number, weights: Float64Array, at: number): void {
  const s = 1 - t;
  weights[at] = (s * s * s) / 6;
  weights[at + 1] = (t * t * (t - 2) * 3 + 4) / 6;
  weights[at + 2] = (s * s * (s - 2) * 3 + 4) / 6;
  weights[at + 3] = (t * t * t) / 6;
}

// Scratch of sampleCubic: it is called once a voxel and must not allocate.
const columns = new Int32Array(4);
const rows = new Int32Array(4);
const slices = new Int32Array(4);
const weightsY = new Float64Array(4);
const weightsZ = new Float64Array(4);

/**
 * Value of the spline at voxel coordinates (x, y, z), anywhere: beyond the volume it is mirrored.
 * @param coefficients from `splineCoefficients`
 * @param size size of the volume they were made from
 */
export function sampleCubic(coefficients: Float32Array, size: Size3, x: number, y: number, z: number): number {
  const nx = size[0];
  const ny = size[1];
  const nz = size[2];
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const iz = Math.floor(z);
  const t = x - ix;
  const s = 1 - t;
  const w0 = (s * s * s) / 6;
  const w1 = (t * t * (t - 2) * 3 + 4) / 6;
  const w2 = (s * s * (s - 2) * 3 + 4) / 6;
  const w3 = (t * t * t) / 6;
  cubicWeights(y - iy, weightsY, 0);
  cubicWeights(z - iz, weightsZ, 0);
  let sum = 0;
  if (ix >= 1 && iy >= 1 && iz >= 1 && ix < nx - 2 && iy < ny - 2 && iz < nz - 2) {
    for (let k = 0; k < 4; k++) {
      let at = ((iz - 1 + k) * ny + iy - 1) * nx + ix - 1;
      let plane = 0;
      for (let j = 0; j < 4; j++) {
        plane +=
          weightsY[j] *
          (w0 * coefficients[at] + w1 * coefficients[at + 1] + w2 * coefficients[at + 2] + w3 * coefficients[at + 3]);
        at += nx;
      }
      sum += weightsZ[k] * plane;
    }
    return sum;
  }
  for (let j = 0; j < 4; j++) {
    columns[j] = mirrorIndex(ix - 1 + j, nx);
    rows[j] = mirrorIndex(iy - 1 + j, ny) * nx;
    slices[j] = mirrorIndex(iz - 1 + j, nz) * nx * ny;
  }
  for (let k = 0; k < 4; k++) {
    let plane = 0;
    for (let j = 0; j < 4; j++) {
      const at = slices[k] + rows[j];
      plane +=
        weightsY[j] *
        (w0 * coefficients[at + columns[0]] +
          w1 * coefficients[at + columns[1]] +
          w2 * coefficients[at + columns[2]] +
          w3 * coefficients[at + columns[3]]);
    }
    sum += weightsZ[k] * plane;
  }
  return sum;
}
