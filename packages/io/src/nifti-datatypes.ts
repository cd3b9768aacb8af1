/**
 * Data types of NIfTI (nifti1.h, `datatype`) and the typed arrays they are read into and written from.
 * 64-bit integers have no ordinary typed array: they are read as Float64 and must be exact there.
 */
import type { VoxelArray } from '@quickcolumn/volume';

/** How the voxels of one NIfTI data type are stored. */
export interface NiftiDatatype {
  /** Number in the header. */
  readonly code: number;
  readonly name: string;
  readonly bytes: 1 | 2 | 4 | 8;
  /** A view on raw bytes in host order; 64-bit integers view as Float64 and are converted in place afterwards. */
  readonly view: (buffer: ArrayBuffer) => VoxelArray;
}

const datatypes: readonly NiftiDatatype[] = [
  { code: 2, name: 'uint8', bytes: 1, view: (buffer) => new Uint8Array(buffer) },
  { code: 4, name: 'int16', bytes: 2, view: (buffer) => new Int16Array(buffer) },
  { code: 8, name: 'int32', bytes: 4, view: (buffer) => new Int32Array(buffer) },
  { code: 16, name: 'float32', bytes: 4, view: (buffer) => new Float32Array(buffer) },
  { code: 64, name: 'float64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
  { code: 256, name: 'int8', bytes: 1, view: (buffer) => new Int8Array(buffer) },
  { code: 512, name: 'uint16', bytes: 2, view: (buffer) => new Uint16Array(buffer) },
  { code: 768, name: 'uint32', bytes: 4, view: (buffer) => new Uint32Array(buffer) },
  { code: 1024, name: 'int64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
  { code: 1280, name: 'uint64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
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
  // The tag, not constructor.name: a Node Buffer is a Uint8Array too.
  const name = voxels[Symbol.toStringTag].replace('Array', '').toLowerCase();
  const datatype = datatypes.find((candidate) => candidate.name === name);
  if (datatype === undefined) throw new TypeError(`no NIfTI data type for ${name}`);
  return datatype;
}
