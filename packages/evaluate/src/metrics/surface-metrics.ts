/**
 * Metrics of two surfaces from the distances between them. Every surface voxel weighs the same: unlike the surface-element
 * weighting of DeepMind's `surface-distance`, which differs in the third decimal on scans with thick slices.
 */
import { quantileOfSorted } from '../statistics/statistics.js';
import type { SurfaceCounts } from '../types.js';

export interface SurfaceMetrics {
  readonly hd95Mm: number;
  readonly assdMm: number;
  readonly surfaceDice: number;
  readonly counts: SurfaceCounts;
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
