/**
 * Elastic deformation: Gaussian-smoothed white noise, in the normalisation of batchgenerators (Simard et al. 2003):
 * per axis, gaussian_filter(uniform(−1, 1), sigma) · alpha voxels.
 *
 * Smoothing white noise over every voxel of a patch would cost more than everything else together. With
 * sigma ≥ 9 the field has nothing finer than a few voxels, so it is made on a grid of one node per 4 voxels and
 * interpolated linearly in between. The sum of the 4³ uniform numbers (variance 1/3 each) of a cell is, to a good
 * approximation, one normal number, which gives the amplitude below; elastic.test.ts holds it to the formula.
 */
import type { Size3 } from '@quickcolumn/volume';
import type { RandomStream } from '@quickcolumn/random';

/** Voxels from one node to the next. */
export const nodeSpacing = 4;

/** Displacements in voxels along x, y, z at coarse nodes; node (i, j, k) lies at patch voxel 4·(i, j, k). */
export interface DisplacementField {
  readonly size: Size3;
  readonly along: readonly [Float32Array, Float32Array, Float32Array];
}

/** A field that covers a whole patch. `alpha`: amplitude before smoothing; `sigma`: smoothing in voxels. */
export function drawElasticField(
  random: RandomStream,
  patch: Size3,
  options: { alpha: number; sigma: number },
): DisplacementField {
  const kernel = gaussianKernel(options.sigma / nodeSpacing);
  const margin = kernel.length - 1;
  const size: Size3 = [nodes(patch[0]), nodes(patch[1]), nodes(patch[2])];
  const noisy: Size3 = [size[0] + margin, size[1] + margin, size[2] + margin];
  const amplitude = options.alpha / Math.sqrt(3 * nodeSpacing ** 3);

  const component = (): Float32Array => {
    let field = new Float32Array(noisy[0] * noisy[1] * noisy[2]);
    random.addNormal(field, amplitude);
    field = smoothAxis(field, [1, noisy[0], noisy[1] * noisy[2]], kernel);
    field = smoothAxis(field, [size[0], noisy[1], noisy[2]], kernel);
    return smoothAxis(field, [size[0] * size[1], noisy[2], 1], kernel);
  };
  return { size, along: [component(), component(), component()] };
}

/** Enough nodes for every voxel to lie between two. */
function nodes(length: number): number {
  return Math.floor((length - 1) / nodeSpacing) + 2;
}

/** Gaussian weights that sum to 1, cut at 4 sigma as scipy.ndimage.gaussian_filter does. */
function gaussianKernel(sigma: number): Float64Array {
  const radius = Math.ceil(4 * sigma);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

/** Convolves the middle of [inner, length, outer] (inner fastest), keeping only positions the kernel fits into. */
function smoothAxis(
  field: Float32Array,
  [inner, length, outer]: readonly [number, number, number],
  kernel: Float64Array,
): Float32Array<ArrayBuffer> {
  const kept = length - kernel.length + 1;
  const out = new Float32Array(inner * kept * outer);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < kept; k++) {
      const to = (o * kept + k) * inner;
      for (let tap = 0; tap < kernel.length; tap++) {
        const weight = kernel[tap];
        const from = (o * length + k + tap) * inner;
        for (let i = 0; i < inner; i++) out[to + i] += weight * field[from + i];
      }
    }
  }
  return out;
}

/**
 * Interpolates the displacements of one patch row (fixed y, z) into three arrays of the row's length.
 * `scratch` must hold field.size[0] values.
 */
export function readFieldRow(
  field: DisplacementField,
  y: number,
  z: number,
  out: { rows: readonly [Float32Array, Float32Array, Float32Array]; scratch: Float32Array },
): void {
  const [nx, ny] = field.size;
  const { rows, scratch } = out;
  const j = Math.floor(y / nodeSpacing);
  const k = Math.floor(z / nodeSpacing);
  const ty = y / nodeSpacing - j;
  const tz = z / nodeSpacing - k;
  const corner = (k * ny + j) * nx;
  for (let axis = 0; axis < 3; axis++) {
    const nodesAlong = field.along[axis];
    const row = rows[axis];
    for (let i = 0; i < nx; i++) {
      const at = corner + i;
      const near = nodesAlong[at] * (1 - ty) + nodesAlong[at + nx] * ty;
      const far = nodesAlong[at + nx * ny] * (1 - ty) + nodesAlong[at + nx * ny + nx] * ty;
      scratch[i] = near * (1 - tz) + far * tz;
    }
    for (let x = 0; x < row.length; x++) {
      const i = Math.floor(x / nodeSpacing);
      row[x] = scratch[i] + (scratch[i + 1] - scratch[i]) * (x / nodeSpacing - i);
    }
  }
}
