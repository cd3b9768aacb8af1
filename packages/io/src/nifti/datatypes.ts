/**
 * Data types of NIfTI (nifti1.h, `datatype`) and the typed arrays they are read into and written from.
 */
import type { VoxelArray } from '@quickcolumn/volume';
import { scalarNameOf, type ScalarType, scalarTypes } from '../voxels/scalars.js';

/** How the voxels of one NIfTI data type are stored. */
export interface NiftiDatatype extends ScalarType {
  /** Number in the header. */
  readonly code: number;
}

const datatypes: readonly NiftiDatatype[] = [
  { code: 2, ...scalarTypes.uint8 },
  { code: 4, ...scalarTypes.int16 },
  { code: 8, ...scalarTypes.int32 },
  { code: 16, ...scalarTypes.float32 },
  { code: 64, ...scalarTypes.float64 },
  { code: 256, ...scalarTypes.int8 },
  { code: 512, ...scalarTypes.uint16 },
  { code: 768, ...scalarTypes.uint32 },
  { code: 1024, ...scalarTypes.int64 },
  { code: 1280, ...scalarTypes.uint64 },
];

const unsupported: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'binary (1 bit)',
  32: 'complex64',
  128: 'RGB24',
  1536: 'float128',
  1792: 'complex128',
  2048: 'complex256',
  2304: 'RGBA32',
};

/** The data type with this code, or undefined when this reader does not take it. */
export function niftiDatatype(code: number): NiftiDatatype | undefined {
  return datatypes.find((datatype) => datatype.code === code);
}

/** A readable name of any data type code, also of those that are not supported. */
export function niftiDatatypeName(code: number): string {
  return niftiDatatype(code)?.name ?? unsupported[code] ?? 'not defined by NIfTI';
}

/** The data type that stores a typed array as it is. */
export function niftiDatatypeOf(voxels: VoxelArray): NiftiDatatype {
  const name = scalarNameOf(voxels);
  const datatype = datatypes.find((candidate) => candidate.name === name);
  if (datatype === undefined) throw new TypeError(`no NIfTI data type for ${name}`);
  return datatype;
}
