/** What the values of a scan are like, from one pass over its voxels. */
import type { VoxelArray } from '@quickcolumn/volume';

/** Lowest and highest value that bins count, and their width; in HU where the scan is in HU. */
export const binsFrom = -1200;
const binsTo = 3000;
export const binWidth = 10;

export interface Intensities {
  readonly voxels: number;
  /** NaN and infinities; nothing else counts them. */
  readonly notFinite: number;
  readonly min: number;
  readonly max: number;
  /** Voxels that have the lowest value: what a scanner or program pads with. */
  readonly atMin: number;
  /** Voxels below the first bin. */
  readonly below: number;
  /** Bin i counts values from −1200 + 10·i to below −1190 + 10·i. */
  readonly bins: Float64Array;
}

export function intensitiesOf(voxels: VoxelArray): Intensities {
  const bins = new Float64Array((binsTo - binsFrom) / binWidth);
  let [notFinite, atMin, below] = [0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < voxels.length; i++) {
    const value = voxels[i];
    // NaN for infinities, too.
    if (value - value !== 0) {
      notFinite++;
      continue;
    }
    if (value > max) max = value;
    if (value < min) {
      min = value;
      atMin = 0;
    }
    if (value === min) atMin++;
    if (value < binsFrom) below++;
    else if (value < binsTo) bins[Math.floor((value - binsFrom) / binWidth)]++;
  }
  return { voxels: voxels.length, notFinite, min, max, atMin, below, bins };
}
