/**
 * A NIfTI file to be written: the volume's affine as sform, and as qform too when it is rigid. Given the header of the scan
 * that the volume belongs to (`like`), its orientation fields are kept to the bit, so that every program places scan and
 * result alike.
 */
import type { Affine, Volume } from '@quickcolumn/volume';
import { columnLength } from '../headers/affine-check.js';
import { checkVolume } from '../headers/check-volume.js';
import type { EncodedVolume, VolumeEncodeOptions } from '../volumes/volume-format.js';
import { hostIsLittleEndian } from '../voxels/byte-order.js';
import { rawBytes } from '../voxels/raw-bytes.js';
import { millimetres, type NiftiOrientation, rigidParts } from './affine.js';
import { niftiDatatypeOf } from './datatypes.js';
import { NiftiError } from './error.js';

/** What of a header a file on the same grid is written with; a `NiftiHeader` has all of it. */
export interface NiftiProperties extends NiftiOrientation {
  readonly version: 1 | 2;
  readonly affine: Affine;
  readonly xyztUnits: number;
  readonly description: string;
}

/** Options of the NIfTI encoder. */
export interface NiftiEncodeOptions extends VolumeEncodeOptions<NiftiProperties> {
  /** NIfTI version; `like`'s by default, else 1. Version 2 keeps affines in float64 and sizes above 32767. */
  readonly version?: 1 | 2;
}

/**
 * A single file, compressed as a whole where the name ends in .gz. At most 79 ASCII characters of the description are kept.
 * Throws NiftiError when the volume cannot be stored: wrong voxel count, size, or affine.
 */
export function encodeNifti(volume: Volume, path: string, options: NiftiEncodeOptions = {}): EncodedVolume {
  const header = encodeNiftiHeader(volume, path, options);
  return {
    header: () => header,
    voxels: rawBytes(volume.voxels),
    ...(/\.gz$/i.test(path) && { compression: { of: 'file', as: 'gzip' } as const }),
  };
}

/** Header bytes up to the first voxel (352, or 544 for version 2), in the byte order of this machine, as the voxels are. */
function encodeNiftiHeader(volume: Volume, path: string, options: NiftiEncodeOptions): Uint8Array<ArrayBuffer> {
  const version = options.version ?? options.like?.version ?? 1;
  checkVolume(volume, {
    largestSize: version === 1 ? 32767 : 2 ** 31,
    title: `NIfTI-${version}`,
    sizeField: (axis) => `dim[${axis + 1}]`,
    refuse: (field, problem) => new NiftiError(path, field, problem),
  });
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
  const units = options.like?.xyztUnits ?? millimetres;
  if (two) view.setInt32(500, units, le);
  else bytes[123] = units;
  writeText(bytes, two ? 240 : 148, (options.description ?? options.like?.description ?? '').slice(0, 79));
  return bytes;
}

function chooseOrientation({ affine }: Volume, version: 1 | 2, like: NiftiProperties | undefined): NiftiOrientation {
  const round = version === 1 ? Math.fround : (value: number): number => value;
  // The same grid: keep every orientation field, also codes and quaternions that we would choose differently.
  if (like !== undefined && like.affine.every((value, i) => round(value) === round(affine[i]))) return like;
  return orientationOf(affine, like === undefined ? 1 : Math.max(like.sformCode, like.qformCode, 1));
}

/** An affine as header fields. @param space code of the space that it maps to, such as 1 for a scanner's */
export function orientationOf(affine: Affine, space: number): NiftiOrientation {
  const rigid = rigidParts(affine);
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
