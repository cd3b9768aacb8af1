/** Whether an affine read from a file can place voxels in space; shared by all volume formats. */
import type { Affine } from '@quickcolumn/volume';

const singularTolerance = 1e-6;

/** What is wrong with an affine (16 numbers), or undefined: non-finite numbers, or axes that do not span space. */
export function affineProblem(affine: Affine): string | undefined {
  if (!affine.every(Number.isFinite)) {
    return `the affine has non-finite numbers: ${affine.slice(0, 12).join(' ')}`;
  }
  const lengths = [0, 1, 2].map((column) => columnLength(affine, column));
  const relative = Math.abs(determinant3(affine)) / (lengths[0] * lengths[1] * lengths[2]);
  // Written so that a NaN (a column of zeros, or an overflow) is refused too.
  if (relative > singularTolerance) return undefined;
  return `the affine is singular (column lengths ${lengths.join(', ')}): its axes do not span space`;
}

/** Length of one column of the upper 3×3 part: the voxel size along that axis. */
export function columnLength(affine: Affine, column: number): number {
  return Math.hypot(affine[column], affine[4 + column], affine[8 + column]);
}

export function determinant3(m: Affine): number {
  return m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]);
}
