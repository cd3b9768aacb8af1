/**
 * Whether the rows of the slices are as long as the header says. In an image each voxel is like the one below it, a row
 * further on; where a converter exchanged the sizes, or the header is another file's, it is like one at another distance.
 */
import type { Volume } from '@quickcolumn/volume';

/** Slices that are looked at, and voxels of each. */
const [slicesSeen, voxelsSeen] = [3, 20_000];
/** Distances are tried up to this many rows. */
const mostRows = 2;
/** Another distance is right where voxels differ less than this share of what they do at the stated one. */
const share = 0.6;
/** Shorter rows tell nothing. */
const shortestRow = 24;

/** What is wrong with the length of rows, in words; undefined where nothing is. */
export function rowLengthProblem({ voxels, size: [columns, rows, slices] }: Volume): string | undefined {
  if (columns < shortestRow || rows < shortestRow) return undefined;
  const plane = columns * rows;
  const longest = mostRows * columns;
  const step = Math.max(1, Math.floor(plane / voxelsSeen));
  const difference = (distance: number): number => {
    let sum = 0;
    for (let n = 0; n < slicesSeen; n++) {
      const start = Math.floor(((n + 1) * slices) / (slicesSeen + 1)) * plane;
      for (let at = start; at + longest < start + plane; at += step) {
        sum += Math.min(1000, Math.abs(voxels[at] - voxels[at + distance]));
      }
    }
    return sum;
  };
  const stated = difference(columns);
  let [best, least] = [columns, stated];
  // Near neighbours of the same row are alike, too.
  for (let distance = Math.ceil(columns / 2); distance <= longest; distance++) {
    const found = difference(distance);
    if (found < least) [best, least] = [distance, found];
  }
  if (least >= share * stated) return undefined;
  return `its rows do not fit below each other with ${columns} voxels, but with ${best}: the sizes of the header are wrong`;
}
