/**
 * Exact Euclidean distance transform in millimetres, for any spacing.
 *
 * Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions" (Theory of Computing 8, 2012): squared
 * distances axis by axis, each line the lower envelope of one parabola a voxel. The first axis starts from a binary mask,
 * where two sweeps suffice. Spacing is along the voxel axes: a sheared grid has no exact transform of this kind.
 */
import { VolumeError } from './errors.js';
import { forEachStrip, stripOf } from './strips.js';
import { checkVoxels } from './volume-checks.js';
import type { Size3, Vector3 } from './volume.js';

export interface DistanceOptions {
  /** Return squared distances, mm². Default false. */
  readonly squared?: boolean;
}

/**
 * Distance in millimetres of every voxel's centre to the centre of the nearest non-zero voxel: 0 on the mask, Infinity
 * everywhere when the mask is empty.
 * @param spacingMm distance between neighbouring voxels along x, y, z
 * @throws VolumeError when mask and size do not fit, or a spacing is not positive
 */
export function distanceTransform(
  mask: Uint8Array,
  size: Size3,
  spacingMm: Vector3,
  options: DistanceOptions = {},
): Float32Array {
  checkVoxels(mask, size, 'distanceTransform');
  if (spacingMm.some((mm) => !(mm > 0 && mm < Infinity))) {
    throw new VolumeError(`distanceTransform: spacing [${spacingMm.join(', ')}] must be positive millimetres`, {
      spacingMm: [...spacingMm],
    });
  }
  const squared = squaredAlongX(mask, size[0], spacingMm[0]);
  for (const axis of [1, 2]) envelopeAlong(squared, size, axis, spacingMm[axis]);
  if (options.squared !== true) for (let at = 0; at < squared.length; at++) squared[at] = Math.sqrt(squared[at]);
  return squared;
}

function squaredAlongX(mask: Uint8Array, nx: number, mm: number): Float32Array {
  const squared = new Float32Array(mask.length);
  for (let row = 0; row < mask.length; row += nx) {
    let steps = Infinity;
    for (let at = row; at < row + nx; at++) {
      steps = mask[at] !== 0 ? 0 : steps + 1;
      squared[at] = steps;
    }
    steps = Infinity;
    for (let at = row + nx - 1; at >= row; at--) {
      steps = mask[at] !== 0 ? 0 : steps + 1;
      const distance = Math.min(steps, squared[at]) * mm;
      squared[at] = distance * distance;
    }
  }
  return squared;
}

function envelopeAlong(squared: Float32Array, size: Size3, axis: number, mm: number): void {
  const n = size[axis];
  if (n === 1) return;
  // Parabolas of the envelope so far, in voxels of this axis: apex position, height + apex², start of its reign.
  const apex = new Int32Array(n);
  const raised = new Float64Array(n);
  const from = new Float64Array(n + 1);
  const mm2 = mm * mm;
  const perMm2 = 1 / mm2;
  forEachStrip(size, axis, (place) => {
    const { width } = place;
    const strip = stripOf(n, width);
    place.load(squared, strip);
    for (let l = 0; l < width; l++) {
      let top = -1;
      for (let q = 0; q < n; q++) {
        const f = strip[q * width + l];
        if (f === Infinity) continue;
        const own = f * perMm2 + q * q;
        let start = -Infinity;
        while (top >= 0) {
          start = (own - raised[top]) / (2 * (q - apex[top]));
          if (start > from[top]) break;
          top--;
          start = -Infinity;
        }
        top++;
        apex[top] = q;
        raised[top] = own;
        from[top] = start;
      }
      // An empty line stays at Infinity: the next axis may still bring it a distance.
      if (top < 0) continue;
      from[top + 1] = Infinity;
      for (let q = 0, k = 0; q < n; q++) {
        while (from[k + 1] < q) k++;
        strip[q * width + l] = (q * (q - 2 * apex[k]) + raised[k]) * mm2;
      }
    }
    place.store(strip, squared, n);
  });
}
