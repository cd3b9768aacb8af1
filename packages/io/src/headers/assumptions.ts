/**
 * What a user knows of a file that its header does not say: which sides of the patient the voxel axes run to, and the unit
 * of its lengths. A header that says it is always believed; one that does not is refused unless the user assumes it.
 */
import { type Affine, affineOfCodes, type Vector3 } from '@quickcolumn/volume';

/** Millimetres of the units that can be assumed. */
const unitMm = { mm: 1, m: 1000, um: 0.001 } as const;

export type LengthUnit = keyof typeof unitMm;
export const lengthUnits: readonly LengthUnit[] = ['mm', 'm', 'um'];

/** Taken only where the header is silent: about the orientation, or with another unit than millimetres. */
export interface HeaderAssumptions {
  /** Three letters such as LPS: where the voxel axes run to. The first voxel is then the origin. */
  readonly orientation?: string;
  readonly units?: LengthUnit;
}

/** For the fields of an error: the options of a job that would help. */
export const orientationOption = {
  options: { 'assumeOrientation <codes>': 'say which sides of the patient the voxel axes run to, such as LPS' },
};
export const unitsOption = { options: { 'assumeUnits <unit>': 'say what its lengths are in: mm, m or um' } };

/** For readers that only want to know which files belong together. */
export const anyPlace: HeaderAssumptions = { orientation: 'LPS', units: 'mm' };

/** An affine that a user knows better than the header, and what is told about it. */
export interface Assumed {
  readonly affine: Affine;
  readonly notes: readonly string[];
}

/** A grid along axis codes. @throws VolumeError for other codes */
export function assumeOrientation(codes: string, spacingMm: Vector3, origin?: Vector3): Assumed {
  const notes = [`its header gives no orientation; assumed ${codes}`];
  return { affine: affineOfCodes(codes, spacingMm, origin), notes };
}

/** The affine in millimetres, of a header that is taken to be in `units`. */
export function assumeUnits(affine: Affine, units: LengthUnit): Assumed {
  const scaled = affine.map((value, at) => (at < 12 ? value * unitMm[units] : value));
  return { affine: scaled, notes: [`its header does not say millimetres; assumed ${units}`] };
}
