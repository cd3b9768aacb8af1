/**
 * The affine of a NIfTI header: sform (method 3) when its code is positive, else qform (method 2). With neither (method 1)
 * voxel sizes are all there is: nobody can say where the patient's left is, programs differ, and the file is refused unless
 * the user assumes it. Lengths are in millimetres, or assumed to be. Formulas: nifti1.h, "3D IMAGE (VOLUME) ORIENTATION".
 *
 * Trap: near 180° rotations the stored quaternion can have b²+c²+d² slightly above 1 (float32 rounding); taking the
 * square root of the negative remainder is how other readers get NaN affines.
 */
import { type Affine, axisCodes, compareGrids, largestAxisCosine, type Size3 } from '@quickcolumn/volume';
import {
  type Assumed,
  assumeOrientation,
  assumeUnits,
  type HeaderAssumptions,
  orientationOption,
  unitsOption,
} from '../headers/assumptions.js';
import { affineProblem, columnLength, determinant3 } from '../headers/affine-check.js';
import { NiftiError } from './error.js';

/** Which part of the header the affine came from; `pixdim`: voxel sizes, with an orientation that was assumed. */
export type AffineSource = 'sform' | 'qform' | 'pixdim';

/** The orientation fields of a header, as stored. Units: what `xyzt_units` says. */
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
/** Spacings that differ by less than this share are rounded. */
const sameSpacing = 0.01;

export interface ChosenAffine extends Assumed {
  readonly source: AffineSource;
}

/**
 * Picks and checks the affine, in millimetres. Throws NiftiError naming the header field: for non-finite or singular ones,
 * and for what the header does not say and nobody assumes.
 */
export function chooseAffine(
  orientation: NiftiOrientation & { readonly xyztUnits: number },
  name: string,
  assume: HeaderAssumptions = {},
): ChosenAffine {
  const placed = placedAffine(orientation, name, assume.orientation);
  const units = orientation.xyztUnits & spatialUnits;
  if (units === millimetres) return placed;
  if (assume.units !== undefined) {
    const { affine, notes } = assumeUnits(placed.affine, assume.units);
    return { ...placed, affine, notes: [...placed.notes, ...notes] };
  }
  if (units === 0) return placed;
  const came = `${units} (${unitNames[units] ?? 'not defined by NIfTI'})`;
  throw new NiftiError(
    name,
    'xyzt_units',
    `${came} as the unit of lengths; expected ${millimetres} (millimetres)`,
    unitsOption,
  );
}

/** The bits of `xyzt_units` that are about lengths; 0 says nothing, and means millimetres everywhere. */
const spatialUnits = 7;
export const millimetres = 2;
const unitNames: Readonly<Record<number, string>> = { 1: 'metres', 3: 'micrometres' };

function placedAffine(orientation: NiftiOrientation, name: string, assumed: string | undefined): ChosenAffine {
  const { sformCode, qformCode, pixdim, srow } = orientation;
  if (sformCode > 0) {
    const affine = [...srow, 0, 0, 0, 1];
    checkAffine(affine, name, 'srow');
    return { affine, source: 'sform', notes: [] };
  }
  if (qformCode > 0) {
    const affine = qformAffine(orientation, name);
    checkAffine(affine, name, 'qform (pixdim, quatern, qoffset)');
    return { affine, source: 'qform', notes: [] };
  }
  if (assumed === undefined) {
    throw new NiftiError(
      name,
      'qform_code, sform_code',
      "both are 0: the header does not say where the patient's left is; expected one above 0",
      orientationOption,
    );
  }
  const [, dx, dy, dz] = pixdim.map(Math.abs);
  const { affine, notes } = assumeOrientation(assumed, [dx, dy, dz]);
  checkAffine(affine, name, 'pixdim');
  return { affine, source: 'pixdim', notes };
}

/**
 * Where parts of a header contradict each other, for people: another program may place the scan elsewhere, or a conversion
 * went wrong. The sform was taken. A qform cannot hold shear, so that of a sheared grid need only have the same sides.
 */
export function contradictions(orientation: NiftiOrientation, size: Size3): string[] {
  const { sformCode, qformCode, pixdim, srow } = orientation;
  if (!(sformCode > 0)) return [];
  const affine = [...srow, 0, 0, 0, 1];
  const lengths = [0, 1, 2].map((column) => columnLength(affine, column));
  const notes: string[] = [];
  if (lengths.some((mm, axis) => Math.abs(mm - Math.abs(pixdim[axis + 1])) > sameSpacing * mm)) {
    const [of, stated] = [lengths, pixdim.slice(1, 4)].map((mm) => mm.map((value) => value.toFixed(3)).join('×'));
    notes.push(`its sform has a voxel spacing of ${of}, its pixdim ${stated}; the sform is used`);
  }
  const other = qformCode > 0 ? qformOrNothing(orientation) : undefined;
  if (other === undefined) return notes;
  const codes = [affine, other].map(axisCodes);
  const isSheared = largestAxisCosine(affine) > 1e-3;
  const isSame = isSheared || compareGrids({ size, affine }, { size, affine: other }, Math.min(...lengths) / 2).same;
  if (codes[0] !== codes[1]) notes.push(`its sform has the axes ${codes[0]}, its qform ${codes[1]}; the sform is used`);
  else if (!isSame) notes.push('its sform and its qform place it more than half a voxel apart; the sform is used');
  return notes;
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

/** The qform beside a good sform, where it says anything. */
function qformOrNothing(orientation: NiftiOrientation): Affine | undefined {
  try {
    const affine = qformAffine(orientation, '');
    return affineProblem(affine) === undefined ? affine : undefined;
  } catch (error) {
    if (error instanceof NiftiError) return undefined;
    throw error;
  }
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
