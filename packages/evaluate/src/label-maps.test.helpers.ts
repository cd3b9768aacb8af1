/** Small label maps for the tests of this package. Not exported from index.ts. */
import type { Affine, LabelClass, Size3, Vector3, Volume } from '@quickcolumn/volume';

export const lungClasses: readonly LabelClass[] = [
  { value: 0, name: 'background', color: [0, 0, 0] },
  { value: 1, name: 'left lung', color: [70, 130, 200], role: 'left-lung' },
  { value: 2, name: 'right lung', color: [90, 180, 120], role: 'right-lung' },
  { value: 3, name: 'infection', color: [220, 60, 50], role: 'lesion' },
];

export const lesionOnly: readonly LabelClass[] = [{ value: 1, name: 'lesion', color: [220, 60, 50], role: 'lesion' }];

/** Affine of an axis-aligned RAS grid. */
function rasAffine(spacing: Vector3): Affine {
  return [spacing[0], 0, 0, 0, 0, spacing[1], 0, 0, 0, 0, spacing[2], 0, 0, 0, 0, 1];
}

/** A label map whose voxels come from a function of the voxel indices. */
export function labelMap(
  size: Size3,
  spacing: Vector3,
  labelAt: (x: number, y: number, z: number) => number,
): Volume<Uint8Array> {
  const voxels = new Uint8Array(size[0] * size[1] * size[2]);
  for (let z = 0, i = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) for (let x = 0; x < size[0]; x++) voxels[i++] = labelAt(x, y, z);
  }
  return { voxels, size, affine: rasAffine(spacing) };
}

/** Whether a voxel index lies in one of the ellipsoids [cx, cy, cz, rx, ry, rz]. */
export function inEllipsoids(ellipsoids: readonly (readonly number[])[], x: number, y: number, z: number): boolean {
  return ellipsoids.some(
    ([cx, cy, cz, rx, ry, rz]) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1,
  );
}
