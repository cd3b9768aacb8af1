/**
 * Surfaces of label masks and the distances between them.
 *
 * A surface voxel belongs to the mask and has at least one of its 6 neighbours outside it; outside the image counts as
 * outside the mask (scipy: mask & ~binary_erosion(mask)). Distances run between voxel centres, in mm, exact for
 * anisotropic spacing. Every surface voxel weighs the same: unlike the surface-element weighting of DeepMind's
 * `surface-distance`, which differs in the third decimal on scans with thick slices.
 */
import type { Size3 } from '@quickcolumn/volume';
import { type Box, boxSize } from './confusion.js';
import { quantileOfSorted } from './statistics.js';
import type { SurfaceCounts } from './types.js';

export interface Surface {
  /** 1 on surface voxels, the size of the box. */
  readonly mask: Uint8Array;
  /** Indices of the surface voxels in the box, ascending. */
  readonly indices: Uint32Array;
}

export interface SurfaceMetrics {
  readonly hd95Mm: number;
  readonly assdMm: number;
  readonly surfaceDice: number;
  readonly counts: SurfaceCounts;
}

/** Copies a box of a label map as a mask: 1 where the label is `value`. */
export function cropMask(labels: Uint8Array, size: Size3, box: Box, value: number): Uint8Array {
  const [bx, by, bz] = boxSize(box);
  const mask = new Uint8Array(bx * by * bz);
  for (let z = 0, to = 0; z < bz; z++) {
    for (let y = 0; y < by; y++, to += bx) {
      const from = box.minimum[0] + size[0] * (box.minimum[1] + y + size[1] * (box.minimum[2] + z));
      for (let x = 0; x < bx; x++) if (labels[from + x] === value) mask[to + x] = 1;
    }
  }
  return mask;
}

/** Surface voxels of a mask whose surroundings, beyond the box, are empty. */
export function surfaceOf(mask: Uint8Array, size: Size3): Surface {
  const [nx, ny, nz] = size;
  const plane = nx * ny;
  const surface = new Uint8Array(mask.length);
  let count = 0;
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const edge = z === 0 || z === nz - 1 || y === 0 || y === ny - 1;
      for (let x = 0; x < nx; x++, i++) {
        if (mask[i] === 0) continue;
        const inside =
          !edge &&
          x > 0 &&
          x < nx - 1 &&
          (mask[i - 1] & mask[i + 1] & mask[i - nx] & mask[i + nx] & mask[i - plane] & mask[i + plane]) === 1;
        if (inside) continue;
        surface[i] = 1;
        count++;
      }
    }
  }
  const indices = new Uint32Array(count);
  for (let i = 0, n = 0; n < count; i++) if (surface[i] === 1) indices[n++] = i;
  return { mask: surface, indices };
}

/**
 * Metrics from the two directed distance lists, both non-empty (sorted in place).
 * hd95 is the larger of the two directed 95th percentiles (linear interpolation); the average symmetric surface
 * distance and the surface Dice pool the voxels of both surfaces.
 */
export function compareSurfaces(
  truthToPredictionMm: Float32Array,
  predictionToTruthMm: Float32Array,
  toleranceMm: number,
): SurfaceMetrics {
  let sum = 0;
  let within = 0;
  // Float32 distances such as sqrt(1) * 0.7 + rounding must not fall outside a tolerance they equal.
  const limit = toleranceMm * (1 + 1e-6);
  for (const list of [truthToPredictionMm, predictionToTruthMm]) {
    list.sort();
    for (let n = 0; n < list.length; n++) {
      sum += list[n];
      if (list[n] <= limit) within++;
    }
  }
  const total = truthToPredictionMm.length + predictionToTruthMm.length;
  return {
    hd95Mm: Math.max(quantileOfSorted(truthToPredictionMm, 0.95), quantileOfSorted(predictionToTruthMm, 0.95)),
    assdMm: sum / total,
    surfaceDice: within / total,
    counts: {
      truthVoxels: truthToPredictionMm.length,
      predictionVoxels: predictionToTruthMm.length,
      withinTolerance: within,
      distanceSumMm: sum,
    },
  };
}
