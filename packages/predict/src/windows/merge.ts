/**
 * Merging overlapping windows: a weighted sum per class, divided once by the sum of the weights (a true mean).
 *
 * The windows are a product of three axes and so is the weight of a voxel inside its window (all ones, or a
 * Gaussian). The total weight of a voxel is therefore the product of three per-axis sums, and no weight volume is
 * kept: memory is one float32 per class and voxel. The trap: averaging pairwise as windows arrive weighs later
 * windows more, which is not what "divided equally" means.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { Size3 } from '@quickcolumn/volume';
import type { Disagreement } from './disagreement.js';
import type { AxisFlags, WindowGrid } from './windows.js';

/** 'uniform' counts every voxel of a window alike; 'gaussian' trusts the centre of a window more than its rim. */
export type WindowWeighting = 'uniform' | 'gaussian';

/** Accumulates windows on one grid; every method that returns voxels uses x fastest. */
export interface Merger {
  /**
   * Adds the [C, D, H, W] probabilities of one patch whose first voxel is `corner`; in the order of `windowCorners` where
   * disagreement is measured.
   * @param passVariance of each voxel between the passes that the probabilities are the mean of
   */
  add(corner: Size3, probabilities: Float32Array, passVariance?: Float32Array): void;
  /** Divides by the weights, in place. Call once, after the last window. */
  finish(): void;
  /** Probabilities of class index `c` inside a box of the grid; a view of the accumulator if the box is the grid. */
  classProbability(c: number, corner: Size3, size: Size3): Float32Array;
  /**
   * Standard deviation of the members' class probabilities inside a box: 0 where all say the same, 0.5 where they are
   * sure of two classes half and half, at most √½ where of more, NaN where there was one. Of a merger with a map, after the last window.
   * @param passes how many each window is the mean of
   */
  spread(corner: Size3, size: Size3, passes: number): Float32Array;
}

/** Bytes the accumulators of a merge take. */
export function mergeBytes(size: Size3, classes: number): number {
  return size[0] * size[1] * size[2] * classes * Float32Array.BYTES_PER_ELEMENT;
}

/** Weights along one axis of a window; never 0, so that every voxel can be divided. */
function windowWeights(length: number, weighting: WindowWeighting): Float64Array {
  if (weighting === 'uniform') return new Float64Array(length).fill(1);
  const sigma = length / 8;
  const centre = (length - 1) / 2;
  return Float64Array.from({ length }, (_, index) =>
    Math.max(1e-3, Math.exp(-((index - centre) ** 2) / (2 * sigma ** 2))),
  );
}

function axisTotals(length: number, starts: readonly number[], weights: Float64Array): Float64Array {
  const totals = new Float64Array(length);
  for (const start of starts) for (let i = 0; i < weights.length; i++) totals[start + i] += weights[i];
  return totals;
}

/**
 * A merger for the windows of `grid` on a volume of `size` voxels.
 *
 * @param patch voxels of a window along x, y, z.
 * @param options.disagreement collects how far the windows are apart; with `ofPasses` a map is kept, too: one float32 a voxel
 */
export function createMerger(
  size: Size3,
  patch: Size3,
  options: {
    grid: WindowGrid;
    classes: number;
    weighting?: WindowWeighting;
    disagreement?: Disagreement;
  },
): Merger {
  const { grid, classes, weighting = 'uniform', disagreement } = options;
  const [sx, sy, sz] = size;
  const [px, py, pz] = patch;
  const voxels = sx * sy * sz;
  const sums = Array.from({ length: classes }, () => new Float32Array(voxels));
  const weights = patch.map((length) => windowWeights(length, weighting));
  const totals = size.map((length, axis) => axisTotals(length, grid.starts[axis], weights[axis]));
  const variance = disagreement?.ofPasses === undefined ? undefined : new Float32Array(voxels);

  /** Compares a window with the mean of those before it, whose weights are known from where windows lie. */
  const compare = (corner: Size3, probabilities: Float32Array, { overlap, sum }: Disagreement): void => {
    const before = corner.map((start, axis) => {
      const earlier = grid.starts[axis].filter((other) => other < start);
      return axisTotals(size[axis], earlier, weights[axis]);
    });
    if (before.every((axis, n) => axis[corner[n]] === 0)) return;
    for (let c = 0; c < classes; c++) {
      const merged = sums[c];
      let [from, product, both] = [c * px * py * pz, 0, 0];
      for (let z = 0; z < pz; z++) {
        for (let y = 0; y < py; y++) {
          const rowWeight = weights[2][z] * weights[1][y];
          const whole = before[2][corner[2] + z] * totals[1][corner[1] + y] + weights[2][z] * before[1][corner[1] + y];
          let to = ((corner[2] + z) * sy + corner[1] + y) * sx + corner[0];
          for (let x = 0; x < px; x++, to++, from++) {
            const earlier = whole * totals[0][corner[0] + x] + rowWeight * before[0][corner[0] + x];
            if (earlier === 0) continue;
            const weight = rowWeight * weights[0][x];
            const factor = (weight * earlier) / (weight + earlier);
            const [p, mean] = [probabilities[from], merged[to] / earlier];
            product += factor * p * mean;
            both += factor * (p + mean);
            if (variance !== undefined) variance[to] += (factor * (p - mean) ** 2) / 2;
          }
        }
      }
      overlap[c] += product;
      sum[c] += both;
    }
  };

  /** Of a mean of passes the variance counts as much as the window does. */
  const addPasses = (corner: Size3, passVariance: Float32Array, to: Float32Array): void => {
    copyRows(patch, (y, z) => {
      const rowWeight = weights[2][z] * weights[1][y];
      const from = (z * py + y) * px;
      const at = ((corner[2] + z) * sy + corner[1] + y) * sx + corner[0];
      for (let x = 0; x < px; x++) to[at + x] += rowWeight * weights[0][x] * passVariance[from + x];
    });
  };

  return {
    add(corner, probabilities, passVariance): void {
      if (disagreement !== undefined) compare(corner, probabilities, disagreement);
      if (variance !== undefined && passVariance !== undefined) addPasses(corner, passVariance, variance);
      for (let c = 0; c < classes; c++) {
        const sum = sums[c];
        let from = c * px * py * pz;
        for (let z = 0; z < pz; z++) {
          for (let y = 0; y < py; y++) {
            const rowWeight = weights[2][z] * weights[1][y];
            let to = ((corner[2] + z) * sy + corner[1] + y) * sx + corner[0];
            for (let x = 0; x < px; x++) sum[to++] += rowWeight * weights[0][x] * probabilities[from++];
          }
        }
      }
    },
    finish(): void {
      for (const sum of sums) {
        let at = 0;
        for (let z = 0; z < sz; z++) {
          for (let y = 0; y < sy; y++) {
            const rowTotal = totals[2][z] * totals[1][y];
            for (let x = 0; x < sx; x++) sum[at++] /= rowTotal * totals[0][x];
          }
        }
      }
    },
    spread(corner, box, passes): Float32Array {
      if (variance === undefined) throw new QuickcolumnError('internal', 'a merger without a map of disagreement');
      const map = copyBox(variance, size, corner, box);
      const ones = patch.map((length) => new Float64Array(length).fill(1));
      const asked = size.map((length, axis) => axisTotals(length, grid.starts[axis], ones[axis]));
      copyRows(box, (j, k) => {
        const [y, z] = [corner[1] + j, corner[2] + k];
        for (let i = 0, at = (k * box[1] + j) * box[0]; i < box[0]; i++, at++) {
          const x = corner[0] + i;
          const members = asked[0][x] * asked[1][y] * asked[2][z] * passes;
          const total = totals[0][x] * totals[1][y] * totals[2][z];
          map[at] = members === 1 ? Number.NaN : Math.sqrt(map[at] / total);
        }
      });
      return map;
    },
    classProbability(c, corner, box): Float32Array {
      if (box.every((length, axis) => length === size[axis])) return sums[c];
      return copyBox(sums[c], size, corner, box);
    },
  };
}

/** Copies a box out of a volume (x fastest). */
function copyBox(voxels: Float32Array, size: Size3, corner: Size3, box: Size3): Float32Array {
  const out = new Float32Array(box[0] * box[1] * box[2]);
  readPatch(voxels, size, { corner, patch: box, out });
  return out;
}

/** Copies one patch of a volume into `out`, which must hold patch[0]·patch[1]·patch[2] values. */
export function readPatch(
  voxels: Float32Array,
  size: Size3,
  options: { corner: Size3; patch: Size3; out: Float32Array },
): void {
  const { corner, patch, out } = options;
  copyRows(patch, (y, z) => {
    const from = ((corner[2] + z) * size[1] + corner[1] + y) * size[0] + corner[0];
    out.set(voxels.subarray(from, from + patch[0]), (z * patch[1] + y) * patch[0]);
  });
}

function copyRows(box: Size3, row: (y: number, z: number) => void): void {
  for (let z = 0; z < box[2]; z++) for (let y = 0; y < box[1]; y++) row(y, z);
}

/** A volume padded to at least the patch, and where the original begins in it. */
export interface Padded {
  readonly voxels: Float32Array;
  readonly size: Size3;
  readonly corner: Size3;
}

/** Size after padding every axis to at least the patch. */
export function paddedSize(size: Size3, patch: Size3): Size3 {
  return [Math.max(size[0], patch[0]), Math.max(size[1], patch[1]), Math.max(size[2], patch[2])];
}

/**
 * Pads a volume with `value` on both sides where it is smaller than the patch. The odd voxel is at the end, or where an axis
 * is `reversed`, at the beginning.
 */
export function padToPatch(
  voxels: Float32Array,
  size: Size3,
  patch: Size3,
  { value, reversed }: { readonly value: number; readonly reversed?: AxisFlags | undefined },
): Padded {
  const target = paddedSize(size, patch);
  const before = (axis: number): number => Math.floor((target[axis] - size[axis] + (reversed?.[axis] ? 1 : 0)) / 2);
  const corner: Size3 = [before(0), before(1), before(2)];
  if (target.every((length, axis) => length === size[axis])) return { voxels, size, corner };
  const out = new Float32Array(target[0] * target[1] * target[2]).fill(value);
  copyRows(size, (y, z) => {
    const from = (z * size[1] + y) * size[0];
    const to = ((corner[2] + z) * target[1] + corner[1] + y) * target[0] + corner[0];
    out.set(voxels.subarray(from, from + size[0]), to);
  });
  return { voxels: out, size: target, corner };
}
