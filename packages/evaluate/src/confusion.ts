/**
 * One pass over two label maps: joint counts of (truth, prediction) values and the box that each value occupies.
 *
 * A CT is mostly background in both maps, so that case has its own short path; everything one-vs-rest follows from the
 * joint counts without touching the voxels again.
 */
import type { Size3 } from '@quickcolumn/volume';
import { EvaluationError } from './errors.js';
import type { ConfusionCounts } from './types.js';

/** Half-open box of voxel indices: minimum included, maximum excluded. */
export interface Box {
  readonly minimum: readonly [number, number, number];
  readonly maximum: readonly [number, number, number];
}

export interface JointCounts {
  /** counts[truth * 256 + prediction], 65 536 numbers. */
  readonly counts: Float64Array;
  /** Box of the voxels where truth or prediction has the value; null where none has. */
  readonly boxOf: (value: number) => Box | null;
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
  // Per value: x0, y0, z0, x1, y1, z1 (inclusive); x0 = nx means not seen.
  const extents = new Int32Array(256 * 6);
  for (let value = 0; value < 256; value++) extents.set([nx, ny, nz, -1, -1, -1], value * 6);

  const seen = new Uint8Array(256);
  const first = new Int32Array(256);
  const last = new Int32Array(256);
  const rowValues: number[] = [];
  const note = (value: number, x: number): void => {
    if (seen[value] === 0) {
      seen[value] = 1;
      first[value] = x;
      rowValues.push(value);
    }
    last[value] = x;
  };
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
        if (t !== 0) note(t, x);
        if (p !== 0) note(p, x);
      }
      for (const value of rowValues) {
        const at = value * 6;
        if (first[value] < extents[at]) extents[at] = first[value];
        if (y < extents[at + 1]) extents[at + 1] = y;
        if (z < extents[at + 2]) extents[at + 2] = z;
        if (last[value] > extents[at + 3]) extents[at + 3] = last[value];
        if (y > extents[at + 4]) extents[at + 4] = y;
        if (z > extents[at + 5]) extents[at + 5] = z;
        seen[value] = 0;
      }
      rowValues.length = 0;
    }
  }
  counts[0] += background - ignored;
  const boxOf = (value: number): Box | null => {
    const at = value * 6;
    if (extents[at + 3] < 0) return null;
    return {
      minimum: [extents[at], extents[at + 1], extents[at + 2]],
      maximum: [extents[at + 3] + 1, extents[at + 4] + 1, extents[at + 5] + 1],
    };
  };
  return { counts, boxOf, voxels: voxels - ignored };
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

/** Voxels along x, y, z of a box. */
export function boxSize(box: Box): Size3 {
  return [box.maximum[0] - box.minimum[0], box.maximum[1] - box.minimum[1], box.maximum[2] - box.minimum[2]];
}
