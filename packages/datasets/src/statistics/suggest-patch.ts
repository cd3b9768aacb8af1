/**
 * A patch for a median shape: as much of it as the budget of voxels allows, with its proportions, in multiples of 16 (the
 * networks halve four times). The idea is nnU-Net's (Isensee et al., Nature Methods 18:203, 2021), the rounding our own.
 */
import { type Size3, voxelCount } from '@quickcolumn/volume';

const multiple = 16;
/** The paper's patch, 160 × 160 × 80. */
const paperVoxels = 160 * 160 * 80;

/** Never larger than the shape rounded up to multiples of 16, nor smaller than 16 along any axis. */
export function suggestPatch(shape: Size3, voxels: number = paperVoxels): Size3 {
  const up = (length: number): number => Math.max(1, Math.ceil(length / multiple)) * multiple;
  const patch: [number, number, number] = [up(shape[0]), up(shape[1]), up(shape[2])];
  while (voxelCount(patch) > voxels) {
    // The axis that covers most of its shape gives way first: proportions stay.
    const shrinkable = [0, 1, 2].filter((axis) => patch[axis] > multiple);
    if (shrinkable.length === 0) break;
    const covered = (axis: number): number => patch[axis] / shape[axis];
    const axis = shrinkable.reduce((best, candidate) => (covered(candidate) > covered(best) ? candidate : best));
    patch[axis] -= multiple;
  }
  return patch;
}
