/**
 * One pass over two label maps: joint counts of (truth, prediction) values and the box that each value occupies.
 *
 * A CT is mostly background in both maps, so that case has its own short path; everything one-vs-rest follows from the
 * joint counts without touching the voxels again.
 */
import { type Box, recordExtents } from '@quickcolumn/measure';
import type { Size3 } from '@quickcolumn/volume';
import { EvaluationError } from '../errors.js';
import type { ConfusionCounts } from '../types.js';

export interface JointCounts {
  /** counts[truth * 256 + prediction], 65 536 numbers. */
  readonly counts: Float64Array;
  /** Box of the voxels where truth or prediction has one of the values; null where none has. */
  readonly boxOf: (...values: readonly number[]) => Box | null;
  readonly voxels: number;
}

/**
 * Counts value pairs of two label maps of the same size.
 * @param ignored voxels that are background in both maps and do not count.
 * @throws EvaluationError when an array's length is not the product of the size.
 */
export function countPairs(truth: Uint8Array, prediction: Uint8Array, size: Size3, ignored = 0): JointCounts {
  const [nx, ny, nz] = size;
  const voxels = nx * ny * nz;
  for (const [name, labels] of [
    ['truth', truth],
    ['prediction', prediction],
  ] as const) {
    if (labels.length !== voxels) {
      throw new EvaluationError(`${name} has ${labels.length} voxels, its size ${size.join('×')} needs ${voxels}`, {
        field: name,
      });
    }
  }
  const counts = new Float64Array(65_536);
  const extents = recordExtents(size);
  let background = 0;
  for (let z = 0, offset = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++, offset += nx) {
      for (let x = 0; x < nx; x++) {
        const t = truth[offset + x];
        const p = prediction[offset + x];
        if (t === 0 && p === 0) {
          background++;
          continue;
        }
        counts[t * 256 + p]++;
        if (t !== 0) extents.note(t, x);
        if (p !== 0) extents.note(p, x);
      }
      extents.endRow(y, z);
    }
  }
  counts[0] += background - ignored;
  return { counts, boxOf: (...values) => extents.boxOf(...values), voxels: voxels - ignored };
}

/** One-vs-rest counts of a class value. */
export function confusionOf(joint: JointCounts, value: number): ConfusionCounts {
  const truePositives = joint.counts[value * 256 + value];
  let inTruth = 0;
  let inPrediction = 0;
  for (let other = 0; other < 256; other++) {
    inTruth += joint.counts[value * 256 + other];
    inPrediction += joint.counts[other * 256 + value];
  }
  const falsePositives = inPrediction - truePositives;
  const falseNegatives = inTruth - truePositives;
  return {
    truePositives,
    falsePositives,
    falseNegatives,
    trueNegatives: joint.voxels - truePositives - falsePositives - falseNegatives,
  };
}
