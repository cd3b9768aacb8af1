/**
 * The NIfTI-1 and NIfTI-2 headers, read into one shape. Source: nifti1.h and nifti2.h (nifti.nimh.nih.gov).
 *
 * Every number that decides how much memory is needed is checked here, before anything is allocated. Trap: the size
 * field is also the byte-order mark, so a wrong first word means "not NIfTI", not "other endianness".
 */
import type { Affine, Size3 } from '@quickcolumn/volume';
import type { HeaderAssumptions } from '../headers/assumptions.js';
import { type AffineSource, chooseAffine, type NiftiOrientation } from './affine.js';
import { type NiftiDatatype, niftiDatatype, niftiDatatypeName } from './datatypes.js';
import { NiftiError } from './error.js';

/** Bytes to read so that either version's header is complete. */
export const longestHeaderBytes = 540;

/** What a NIfTI header says. */
export interface NiftiHeader extends NiftiOrientation {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** False for .hdr/.img pairs (magic ni1 / ni2). */
  readonly singleFile: boolean;
  /** 8 numbers; [0] is the number of axes. */
  readonly dim: readonly number[];
  readonly size: Size3;
  readonly datatype: NiftiDatatype;
  /** First voxel's byte in the file that holds the voxels. */
  readonly voxOffset: number;
  /** Value = stored·slope + intercept; 1 and 0 when the header asks for no scaling. */
  readonly slope: number;
  readonly intercept: number;
  readonly xyztUnits: number;
  readonly description: string;
  /** The affine in use, in millimetres: sform, else qform, else voxel sizes along assumed axes. */
  readonly affine: Affine;
  readonly affineSource: AffineSource;
  /** What was assumed, for people. */
  readonly notes: readonly string[];
}

/** Number of bytes of the stored voxels. */
export function voxelBytes(header: NiftiHeader): number {
  return header.size[0] * header.size[1] * header.size[2] * header.datatype.bytes;
}

/**
 * Parses the first bytes of a header file or single file (at least 348, or 540 for NIfTI-2; more is ignored).
 * Throws NiftiError naming `name` and the field.
 */
export function parseNiftiHeader(bytes: Uint8Array, name: string, assume: HeaderAssumptions = {}): NiftiHeader {
  const { view, version, littleEndian } = openHeader(bytes, name);
  const two = version === 2;
  const i16 = (at: number): number => view.getInt16(at, littleEndian);
  const i32 = (at: number): number => view.getInt32(at, littleEndian);
  const i64 = (at: number): number => Number(view.getBigInt64(at, littleEndian));
  const f32 = (at: number): number => view.getFloat32(at, littleEndian);
  const f64 = (at: number): number => view.getFloat64(at, littleEndian);
  const list = (count: number, read: (at: number) => number, at: number, stride: number): number[] =>
    Array.from({ length: count }, (_, i) => read(at + i * stride));
  const reals = (count: number, at1: number, at2: number): number[] =>
    two ? list(count, f64, at2, 8) : list(count, f32, at1, 4);

  const singleFile = readMagic(bytes, version, name);
  const dim = two ? list(8, i64, 16, 8) : list(8, i16, 40, 2);
  const size = checkDim(dim, name);
  const datatype = checkDatatype(i16(two ? 12 : 70), name);
  const [storedOffset] = two ? [i64(168)] : [f32(108)];
  const orientation: NiftiOrientation = {
    qformCode: two ? i32(344) : i16(252),
    sformCode: two ? i32(348) : i16(254),
    pixdim: reals(8, 76, 104),
    quatern: reals(3, 256, 352) as [number, number, number],
    qoffset: reals(3, 268, 376) as [number, number, number],
    srow: reals(12, 280, 400),
  };
  const xyztUnits = two ? i32(500) : bytes[123];
  const { affine, source, notes } = chooseAffine({ ...orientation, xyztUnits }, name, assume);
  const [slope, intercept] = checkScaling(reals(2, 112, 176), name);
  return {
    version,
    littleEndian,
    singleFile,
    dim,
    size,
    datatype,
    voxOffset: checkOffset(storedOffset, singleFile, version, name),
    slope,
    intercept,
    xyztUnits,
    description: readText(bytes, two ? 240 : 148, 80),
    affine,
    affineSource: source,
    notes,
    ...orientation,
  };
}

function openHeader(bytes: Uint8Array, name: string): { view: DataView; version: 1 | 2; littleEndian: boolean } {
  if (bytes.length === 0) throw new NiftiError(name, 'file', 'the file is empty');
  if (bytes.length < 4) throw new NiftiError(name, 'header', `the file ends after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const littleEndian of [true, false]) {
    const length = view.getInt32(0, littleEndian);
    if (length !== 348 && length !== 540) continue;
    if (bytes.length < length) {
      throw new NiftiError(name, 'header', `the file ends after ${bytes.length} of ${length} header bytes`);
    }
    return { view, version: length === 348 ? 1 : 2, littleEndian };
  }
  throw new NiftiError(
    name,
    'sizeof_hdr',
    `${view.getInt32(0, true)} is neither 348 (NIfTI-1) nor 540 (NIfTI-2): not a NIfTI file`,
  );
}

function readMagic(bytes: Uint8Array, version: 1 | 2, name: string): boolean {
  const magic = readText(bytes, version === 2 ? 4 : 344, 3);
  if (magic === `n+${version}`) return true;
  if (magic === `ni${version}`) return false;
  if (magic === '' && version === 1) {
    throw new NiftiError(name, 'magic', 'empty: an ANALYZE 7.5 file has no orientation; convert it to NIfTI');
  }
  throw new NiftiError(name, 'magic', `${JSON.stringify(magic)} is not n+${version} or ni${version}: not a NIfTI file`);
}

function checkDim(dim: readonly number[], name: string): Size3 {
  const axes = dim[0];
  if (!(axes >= 1 && axes <= 7)) throw new NiftiError(name, 'dim[0]', `${axes} axes; expected 1 to 7`);
  for (let axis = 1; axis <= axes; axis++) {
    if (!(dim[axis] >= 1)) throw new NiftiError(name, `dim[${axis}]`, `${dim[axis]}; sizes must be at least 1`);
    if (axis > 3 && dim[axis] !== 1) {
      const shape = dim.slice(1, axes + 1).join('×');
      throw new NiftiError(
        name,
        `dim[${axis}]`,
        `a ${axes}D image (${shape}); expected one 3D volume. Extract the volume that you need first`,
      );
    }
  }
  const at = (axis: number): number => (axis <= axes ? dim[axis] : 1);
  return [at(1), at(2), at(3)];
}

function checkDatatype(code: number, name: string): NiftiDatatype {
  const datatype = niftiDatatype(code);
  if (datatype !== undefined) return datatype;
  throw new NiftiError(
    name,
    'datatype',
    `${code} (${niftiDatatypeName(code)}) is not supported; expected one real value a voxel (integers, float32, float64)`,
  );
}

function checkOffset(stored: number, singleFile: boolean, version: 1 | 2, name: string): number {
  const headerBytes = version === 1 ? 348 : 540;
  // Some writers leave 0 in single files; the voxels then follow the header and its four extension bytes.
  const offset = stored === 0 && singleFile ? headerBytes + 4 : stored;
  if (!Number.isSafeInteger(offset) || offset < (singleFile ? headerBytes : 0)) {
    throw new NiftiError(name, 'vox_offset', `${stored}; expected a whole number past the ${headerBytes}-byte header`);
  }
  return offset;
}

function checkScaling([slope, intercept]: readonly number[], name: string): [number, number] {
  // nifti1.h: slope 0 means no scaling; NaN is how nibabel writes the same.
  if (slope === 0 || !Number.isFinite(slope)) return [1, 0];
  if (!Number.isFinite(intercept)) {
    throw new NiftiError(name, 'scl_inter', `${intercept} beside a slope of ${slope}; expected a finite number`);
  }
  return [slope, intercept];
}

function readText(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = at; i < at + length && bytes[i] !== 0; i++) text += String.fromCharCode(bytes[i]);
  return text;
}
