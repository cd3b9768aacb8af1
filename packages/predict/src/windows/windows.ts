/**
 * Where the sliding windows of a prediction lie (system specification, section 7).
 *
 * Along one axis of n voxels, windows of w voxels with overlap o: ceil((n − o) / (w − o)) of them, each w − o voxels
 * after the one before, the last one moved back so that it ends at the edge. The windows of a volume are the product
 * of the three axes, which lets the merging keep its weights per axis instead of per voxel.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Size3 } from '@quickcolumn/volume';

/** First voxel of every window along x, y and z; each list ascending. */
export interface WindowGrid {
  readonly starts: readonly [readonly number[], readonly number[], readonly number[]];
  readonly count: number;
}

/** One for each of x, y and z. */
export type AxisFlags = readonly [boolean, boolean, boolean];

/**
 * First voxels of the windows along one axis, ascending, unique, covering 0 … length − 1.
 *
 * @param length voxels of the axis, at least `window` (pad first).
 * @throws QuickcolumnError `usage` when window and overlap do not form a grid.
 */
export function windowStarts(length: number, window: number, overlap: number): number[] {
  if (!Number.isInteger(window) || window < 1) {
    throw new QuickcolumnError('usage', `patch: ${window} is not a positive whole number of voxels`);
  }
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= window) {
    throw new QuickcolumnError(
      'usage',
      `overlap: ${overlap} is not between 0 and ${window - 1}; it must be smaller than the patch (${window} voxels)`,
    );
  }
  if (length < window) {
    throw new QuickcolumnError('usage', `an axis of ${length} voxels is shorter than the window of ${window}; pad it`);
  }
  const stride = window - overlap;
  const steps = Math.max(1, Math.ceil((length - overlap) / stride));
  return Array.from({ length: steps }, (_, index) => Math.min(index * stride, length - window));
}

/**
 * The windows of a volume of `size` voxels (x, y, z); every axis at least as long as the patch.
 * @param options.reversed axes along which the first window ends at the far edge; default none
 */
export function windowGrid(
  size: Size3,
  patch: Size3,
  { overlap, reversed }: { readonly overlap: Size3; readonly reversed?: AxisFlags | undefined },
): WindowGrid {
  const [x, y, z] = size.map((length, axis) => {
    const starts = windowStarts(length, patch[axis], overlap[axis]);
    return reversed?.[axis] ? starts.map((start) => length - patch[axis] - start).reverse() : starts;
  });
  return { starts: [x, y, z], count: x.length * y.length * z.length };
}

/** Corners of the windows, x fastest. */
export function windowCorners(grid: WindowGrid): Size3[] {
  const [xs, ys, zs] = grid.starts;
  return zs.flatMap((z) => ys.flatMap((y) => xs.map((x): Size3 => [x, y, z])));
}
