/**
 * The affine of a NIfTI header: sform (method 3) when its code is positive, else qform (method 2), else voxel sizes
 * alone (method 1: diagonal, origin at the first voxel). Formulas: nifti1.h, "3D IMAGE (VOLUME) ORIENTATION".
 *
 * Trap: near 180° rotations the stored quaternion can have b²+c²+d² slightly above 1 (float32 rounding); taking the
 * square root of the negative remainder is how other readers get NaN affines.
 */
import type { Affine } from '@quickcolumn/volume';
import { affineProblem, columnLength, determinant3, largestAxisCosine } from '../headers/affine-check.js';
import { NiftiError } from './error.js';

/** Which part of the header the affine came from. */
export type AffineSource = 'sform' | 'qform' | 'pixdim';

/** The orientation fields of a header, as stored. Units: millimetres unless `xyzt_units` says otherwise. */
export interface NiftiOrientation {
  readonly qformCode: number;
  readonly sformCode: number;
  /** 8 numbers; [0] is qfac, [1..3] the voxel sizes. */
  readonly pixdim: readonly number[];
  /** b, c, d of the unit quaternion. */
  readonly quatern: readonly [number, number, number];
  readonly qoffset: readonly [number, number, number];
  /** srow_x, srow_y, srow_z: 12 numbers. */
  readonly srow: readonly number[];
}

const quaternionTolerance = 1e-3;

/** Picks and checks the affine. Throws NiftiError for non-finite or singular ones, naming the header field. */
export function chooseAffine(orientation: NiftiOrientation, name: string): { affine: Affine; source: AffineSource } {
  const { sformCode, qformCode, pixdim, srow } = orientation;
  if (sformCode > 0) {
    const affine = [...srow, 0, 0, 0, 1];
    checkAffine(affine, name, 'srow');
    return { affine, source: 'sform' };
  }
  if (qformCode > 0) {
    const affine = qformAffine(orientation, name);
    checkAffine(affine, name, 'qform (pixdim, quatern, qoffset)');
    return { affine, source: 'qform' };
  }
  const [, dx, dy, dz] = pixdim.map(Math.abs);
  const affine = [dx, 0, 0, 0, 0, dy, 0, 0, 0, 0, dz, 0, 0, 0, 0, 1];
  checkAffine(affine, name, 'pixdim');
  return { affine, source: 'pixdim' };
}

/** Affine of the qform fields: rotation from the quaternion, third column flipped when qfac is negative. */
function qformAffine(orientation: NiftiOrientation, name: string): Affine {
  const { pixdim, quatern, qoffset } = orientation;
  const sum = quatern[0] ** 2 + quatern[1] ** 2 + quatern[2] ** 2;
  if (!(sum <= 1 + quaternionTolerance)) {
    throw new NiftiError(
      name,
      'quatern',
      `(${quatern.join(', ')}) is not part of a unit quaternion; the file is damaged`,
    );
  }
  // Above 1 by rounding: a 180° turn, so a = 0, and normalise the rest as nifti1_io.c does.
  const scale = sum > 1 ? 1 / Math.sqrt(sum) : 1;
  const a = Math.sqrt(Math.max(0, 1 - sum));
  const [b, c, d] = quatern.map((value) => value * scale);
  const dx = Math.abs(pixdim[1]);
  const dy = Math.abs(pixdim[2]);
  const dz = Math.abs(pixdim[3]) * (pixdim[0] < 0 ? -1 : 1);
  return [
    (a * a + b * b - c * c - d * d) * dx,
    2 * (b * c - a * d) * dy,
    2 * (b * d + a * c) * dz,
    qoffset[0],
    2 * (b * c + a * d) * dx,
    (a * a + c * c - b * b - d * d) * dy,
    2 * (c * d - a * b) * dz,
    qoffset[1],
    2 * (b * d - a * c) * dx,
    2 * (c * d + a * b) * dy,
    (a * a + d * d - b * b - c * c) * dz,
    qoffset[2],
    0,
    0,
    0,
    1,
  ];
}

/** Throws NiftiError(field) when an affine has non-finite numbers or its axes do not span space. */
function checkAffine(affine: Affine, name: string, field: string): void {
  const problem = affineProblem(affine);
  if (problem !== undefined) throw new NiftiError(name, field, problem);
}

/** Quaternion, qfac and voxel sizes of an affine, or undefined when it is not rigid (sheared axes). */
export function rigidParts(
  affine: Affine,
):
  | { qfac: 1 | -1; quatern: readonly [number, number, number]; spacingMm: readonly [number, number, number] }
  | undefined {
  const spacingMm = [0, 1, 2].map((column) => columnLength(affine, column)) as [number, number, number];
  const r = [0, 1, 2].map((row) => [0, 1, 2].map((column) => affine[row * 4 + column] / spacingMm[column]));
  // float32 headers carry about 1e-6 of rounding; larger angles are real shear and belong in the sform alone.
  if (largestAxisCosine(affine) > 1e-5) return undefined;
  const qfac = determinant3(affine) < 0 ? -1 : 1;
  for (const row of r) row[2] *= qfac;
  const [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = r;
  // Take the largest of the four components first; dividing by a small one loses all digits.
  const trace = xx + yy + zz;
  let q: [number, number, number, number];
  if (trace > 0) {
    const s = 2 * Math.sqrt(1 + trace);
    q = [s / 4, (zy - yz) / s, (xz - zx) / s, (yx - xy) / s];
  } else if (xx >= yy && xx >= zz) {
    const s = 2 * Math.sqrt(1 + xx - yy - zz);
    q = [(zy - yz) / s, s / 4, (xy + yx) / s, (xz + zx) / s];
  } else if (yy >= zz) {
    const s = 2 * Math.sqrt(1 + yy - xx - zz);
    q = [(xz - zx) / s, (xy + yx) / s, s / 4, (yz + zy) / s];
  } else {
    const s = 2 * Math.sqrt(1 + zz - xx - yy);
    q = [(yx - xy) / s, (xz + zx) / s, (yz + zy) / s, s / 4];
  }
  const norm = Math.hypot(...q) * (q[0] < 0 ? -1 : 1);
  return { qfac, quatern: [q[1] / norm, q[2] / norm, q[3] / norm], spacingMm };
}
