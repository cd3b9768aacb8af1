/**
 * Where the values of a label map are: the box and the number of voxels of each. One pass, and whatever looks at a class
 * afterwards looks into its box only.
 */
import { checkVoxels, type Size3 } from '@quickcolumn/volume';

/** Half-open box of voxel indices: minimum included, maximum excluded. */
export interface Box {
  readonly minimum: readonly [number, number, number];
  readonly maximum: readonly [number, number, number];
}

/** Voxels along x, y, z of a box. */
export function boxSize(box: Box): Size3 {
  return [box.maximum[0] - box.minimum[0], box.maximum[1] - box.minimum[1], box.maximum[2] - box.minimum[2]];
}

/** Collects the boxes of values while a caller walks over the rows of a map. */
export interface ExtentRecorder {
  /** A voxel of the row that is being walked, x ascending. */
  note(value: number, x: number): void;
  endRow(y: number, z: number): void;
  /** Box of all voxels noted with one of the values; null without any. */
  boxOf(...values: readonly number[]): Box | null;
}

export function recordExtents([nx, ny, nz]: Size3): ExtentRecorder {
  // Per value: x0, y0, z0, x1, y1, z1 (inclusive); x1 = −1 means not seen.
  const extents = new Int32Array(256 * 6);
  for (let value = 0; value < 256; value++) extents.set([nx, ny, nz, -1, -1, -1], value * 6);
  const seen = new Uint8Array(256);
  const first = new Int32Array(256);
  const last = new Int32Array(256);
  const rowValues: number[] = [];
  return {
    note(value, x) {
      if (seen[value] === 0) {
        seen[value] = 1;
        first[value] = x;
        rowValues.push(value);
      }
      last[value] = x;
    },
    endRow(y, z) {
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
    },
    boxOf(...values) {
      const low = [nx, ny, nz];
      const high = [-1, -1, -1];
      for (const value of values) {
        for (let axis = 0; axis < 3; axis++) {
          low[axis] = Math.min(low[axis], extents[value * 6 + axis]);
          high[axis] = Math.max(high[axis], extents[value * 6 + 3 + axis]);
        }
      }
      if (high[0] < 0) return null;
      return { minimum: [low[0], low[1], low[2]], maximum: [high[0] + 1, high[1] + 1, high[2] + 1] };
    },
  };
}

/** Voxels and boxes of the values of one map. */
export interface LabelExtents {
  /** Voxels of each value, 256 numbers. */
  readonly counts: Float64Array;
  /** Box of all voxels with one of the values, the background excepted; null without any. */
  readonly boxOf: (...values: readonly number[]) => Box | null;
}

/** @throws VolumeError when the number of voxels is not the product of the size */
export function labelExtents(labels: Uint8Array, size: Size3): LabelExtents {
  checkVoxels(labels, size, 'label map');
  const [nx, ny, nz] = size;
  const counts = new Float64Array(256);
  const extents = recordExtents(size);
  for (let z = 0, offset = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++, offset += nx) {
      for (let x = 0; x < nx; x++) {
        const value = labels[offset + x];
        counts[value]++;
        if (value !== 0) extents.note(value, x);
      }
      extents.endRow(y, z);
    }
  }
  return { counts, boxOf: (...values) => extents.boxOf(...values) };
}
