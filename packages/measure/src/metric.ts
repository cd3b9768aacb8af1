/**
 * How far steps between voxels reach. Voxel axes are at right angles on most grids, and spacings say all; a tilted gantry
 * that was stated as a sheared grid has slanted axes, where only the affine tells.
 */
import { type Affine, largestAxisCosine, spacingMm, type Vector3 } from '@quickcolumn/volume';

export interface GridMetric {
  /** Distance between neighbouring voxels along x, y, z. */
  readonly spacingMm: Vector3;
  /** The 3×3 part of the affine, row by row, in mm; absent where the axes are at right angles. */
  readonly slanted?: readonly number[];
}

/** Headers in float32 carry about 1e-6 of rounding; a gantry tilted by 0.1° has 0.0017. */
const rightAngle = 1e-4;

export function metricOf(affine: Affine): GridMetric {
  const spacing = { spacingMm: spacingMm(affine) };
  if (largestAxisCosine(affine) <= rightAngle) return spacing;
  return { ...spacing, slanted: [0, 1, 2, 4, 5, 6, 8, 9, 10].map((at) => affine[at]) };
}

/** Millimetres of a step of so many voxels along x, y and z. */
export function stepMm({ spacingMm: [sx, sy, sz], slanted }: GridMetric, x: number, y: number, z: number): number {
  if (slanted === undefined) return Math.hypot(x * sx, y * sy, z * sz);
  return Math.hypot(...placeMm(slanted, x, y, z));
}

/** A voxel index in millimetres, from the first voxel. */
export function placeMm(slanted: readonly number[], x: number, y: number, z: number): Vector3 {
  const row = (r: number): number => slanted[r] * x + slanted[r + 1] * y + slanted[r + 2] * z;
  return [row(0), row(3), row(6)];
}
