/**
 * The header of a NIfTI file to be written: the volume's affine as sform, and as qform too when it is rigid. Given the
 * header of the scan that the volume belongs to (`like`), its orientation fields are kept to the bit, so that every
 * program places scan and result alike.
 */
import type { Volume } from '@quickcolumn/volume';
import { columnLength } from './affine-check.js';
import { hostIsLittleEndian } from './byte-order.js';
import { checkAffine, type NiftiOrientation, rigidParts } from './nifti-affine.js';
import { niftiDatatypeOf } from './nifti-datatypes.js';
import { NiftiError } from './nifti-error.js';
import type { NiftiHeader } from './nifti-header.js';

/** Options of the NIfTI encoder. */
export interface NiftiEncodeOptions {
  /** Header of the image whose grid this volume shares: its orientation fields and units are kept. */
  readonly like?: NiftiHeader;
  /** At most 79 ASCII characters; `like`'s by default. */
  readonly description?: string;
  /** NIfTI version; `like`'s by default, else 1. Version 2 keeps affines in float64 and sizes above 32767. */
  readonly version?: 1 | 2;
}

/**
 * Header bytes up to the first voxel (352, or 544 for version 2), in the byte order of this machine, as the voxels are.
 * Throws NiftiError(name) when the volume cannot be stored: wrong voxel count, size, or affine.
 */
export function encodeNiftiHeader(volume: Volume, name: string, options: NiftiEncodeOptions = {}): Uint8Array {
  const version = options.version ?? options.like?.version ?? 1;
  checkVolume(volume, version, name);
  const two = version === 2;
  const bytes = new Uint8Array(two ? 544 : 352);
  const view = new DataView(bytes.buffer);
  const le = hostIsLittleEndian;
  const datatype = niftiDatatypeOf(volume.voxels);
  const orientation = chooseOrientation(volume, version, options.like);
  const real = (at1: number, at2: number, values: readonly number[]): void => {
    for (const [i, value] of values.entries()) {
      if (two) view.setFloat64(at2 + 8 * i, value, le);
      else view.setFloat32(at1 + 4 * i, value, le);
    }
  };
  const short = (at1: number, at2: number, value: number): void => view.setInt16(two ? at2 : at1, value, le);
  const code = (at1: number, at2: number, value: number): void =>
    two ? view.setInt32(at2, value, le) : view.setInt16(at1, value, le);

  view.setInt32(0, two ? 540 : 348, le);
  writeText(bytes, two ? 4 : 344, two ? 'n+2\0\r\n\x1a\n' : 'n+1\0');
  for (const [i, value] of [3, ...volume.size, 1, 1, 1, 1].entries()) {
    if (two) view.setBigInt64(16 + 8 * i, BigInt(value), le);
    else view.setInt16(40 + 2 * i, value, le);
  }
  short(70, 12, datatype.code);
  short(72, 14, datatype.bytes * 8);
  if (two) view.setBigInt64(168, 544n, le);
  else view.setFloat32(108, 352, le);
  real(112, 176, [1, 0]);
  real(76, 104, orientation.pixdim);
  real(256, 352, orientation.quatern);
  real(268, 376, orientation.qoffset);
  real(280, 400, orientation.srow);
  code(252, 344, orientation.qformCode);
  code(254, 348, orientation.sformCode);
  const millimetres = 2;
  const units = options.like?.xyztUnits ?? millimetres;
  if (two) view.setInt32(500, units, le);
  else bytes[123] = units;
  writeText(bytes, two ? 240 : 148, (options.description ?? options.like?.description ?? '').slice(0, 79));
  return bytes;
}

/** A whole uncompressed single-file image in memory; for small volumes and browsers. Throws NiftiError. */
export function encodeNifti(volume: Volume, name: string, options: NiftiEncodeOptions = {}): Uint8Array {
  const header = encodeNiftiHeader(volume, name, options);
  const voxels = rawBytes(volume);
  const bytes = new Uint8Array(header.length + voxels.length);
  bytes.set(header);
  bytes.set(voxels, header.length);
  return bytes;
}

/** The voxels' bytes, as a view. */
export function rawBytes({ voxels }: Volume): Uint8Array {
  return new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
}

function checkVolume({ voxels, size, affine }: Volume, version: 1 | 2, name: string): void {
  const largest = version === 1 ? 32767 : 2 ** 31;
  for (const [axis, length] of size.entries()) {
    if (!Number.isInteger(length) || length < 1 || length > largest) {
      throw new NiftiError(name, `dim[${axis + 1}]`, `${length}; NIfTI-${version} stores sizes from 1 to ${largest}`);
    }
  }
  if (voxels.length !== size[0] * size[1] * size[2]) {
    throw new NiftiError(name, 'voxels', `${voxels.length} values for ${size.join('×')} voxels`);
  }
  if (affine.length !== 16) throw new NiftiError(name, 'affine', `${affine.length} numbers; expected 16`);
  checkAffine(affine, name, 'affine');
}

function chooseOrientation({ affine }: Volume, version: 1 | 2, like: NiftiHeader | undefined): NiftiOrientation {
  const round = version === 1 ? Math.fround : (value: number): number => value;
  // The same grid: keep every orientation field, also codes and quaternions that we would choose differently.
  if (like !== undefined && like.affine.every((value, i) => round(value) === round(affine[i]))) return like;
  const rigid = rigidParts(affine);
  const space = like === undefined ? 1 : Math.max(like.sformCode, like.qformCode, 1);
  return {
    sformCode: space,
    qformCode: rigid === undefined ? 0 : space,
    pixdim: [rigid?.qfac ?? 1, columnLength(affine, 0), columnLength(affine, 1), columnLength(affine, 2), 1, 1, 1, 1],
    quatern: rigid?.quatern ?? [0, 0, 0],
    qoffset: [affine[3], affine[7], affine[11]],
    srow: affine.slice(0, 12),
  };
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[at + i] = code < 128 ? code : 0x3f;
  }
}
