/** What other programs and copies do to NIfTI files. Offsets: nifti1.h. Every damage changes the given copy. */
import type { Random } from '../mutation/random.js';

export type NiftiDamage = (file: DataView, random: Random) => number | void;

const [dim, datatype, pixdim, voxOffset, slope, intercept, units] = [40, 70, 76, 108, 112, 116, 123];
const [qformCode, sformCode, srow] = [252, 254, 280];

const scaled = (file: DataView, at: number, count: number, stride: number, factor: number): void => {
  for (let i = 0; i < count; i++)
    file.setFloat32(at + i * stride, file.getFloat32(at + i * stride, true) * factor, true);
};

/** Columns of the sform, in another order and with other signs. */
const permuteAxes = (file: DataView, order: readonly number[], signs: readonly number[]): void => {
  for (let row = 0; row < 3; row++) {
    const values = [0, 1, 2].map((column) => file.getFloat32(srow + 16 * row + 4 * column, true));
    for (const [column, from] of order.entries()) {
      file.setFloat32(srow + 16 * row + 4 * column, values[from] * signs[column], true);
    }
  }
};

const firstVoxel = (file: DataView): number => file.getFloat32(voxOffset, true);
const planeBytes = (file: DataView): number => 2 * file.getInt16(dim + 2, true) * file.getInt16(dim + 4, true);
const planes = (file: DataView): number => file.getInt16(dim + 6, true);
const bytesOf = (file: DataView): Uint8Array => new Uint8Array(file.buffer, file.byteOffset, file.byteLength);

/** A damage that returns a number keeps only so many bytes of the file. */
export const niftiDamages: Readonly<Record<string, NiftiDamage>> = {
  'copied by half': (file, random) => random.below(file.byteLength),
  'zeros from some byte on': (file, random) => {
    const from = firstVoxel(file) + random.below(file.byteLength - firstVoxel(file) - planeBytes(file));
    bytesOf(file).fill(0, from);
  },
  'no orientation': (file) => {
    file.setInt16(qformCode, 0, true);
    file.setInt16(sformCode, 0, true);
  },
  'other units': (file, random) => {
    file.setUint8(units, random.pick([1, 3, 9, 11]));
  },
  'spacing in other units': (file, random) => {
    const factor = random.pick([1000, 0.001, 10, 0.1]);
    scaled(file, pixdim + 4, 3, 4, factor);
    scaled(file, srow, 12, 4, factor);
  },
  'sform and qform apart': (file, random) => {
    file.setInt16(qformCode, 1, true);
    permuteAxes(
      file,
      random.pick([
        [1, 0, 2],
        [0, 1, 2],
      ]),
      random.pick([
        [1, -1, 1],
        [1, 1, -1],
        [-1, 1, 1],
      ]),
    );
  },
  'axes permuted': (file, random) => {
    file.setInt16(qformCode, 0, true);
    permuteAxes(
      file,
      random.pick([
        [1, 0, 2],
        [0, 2, 1],
        [2, 1, 0],
        [1, 2, 0],
        [2, 0, 1],
      ]),
      [1, 1, 1],
    );
  },
  'axes turned round': (file, random) => {
    file.setInt16(qformCode, 0, true);
    permuteAxes(
      file,
      [0, 1, 2],
      random.pick([
        [1, -1, 1],
        [1, 1, -1],
        [-1, -1, 1],
        [1, -1, -1],
        [-1, 1, -1],
      ]),
    );
  },
  'sizes exchanged': (file) => {
    const [a, b] = [file.getInt16(dim + 2, true), file.getInt16(dim + 4, true)];
    file.setInt16(dim + 2, b, true);
    file.setInt16(dim + 4, a, true);
  },
  'another scale': (file, random) => {
    file.setFloat32(slope, random.pick([2, 0.5, 10, -1, 1 / 32768]), true);
    file.setFloat32(intercept, random.pick([0, 1024, -1024]), true);
  },
  'another offset': (file, random) => {
    file.setFloat32(slope, 1, true);
    file.setFloat32(intercept, random.pick([1024, -1024, -8192]), true);
  },
  'signed as unsigned': (file) => {
    file.setInt16(datatype, 512, true);
  },
  'bytes in the other order': (file) => {
    for (let at = firstVoxel(file); at + 1 < file.byteLength; at += 2)
      file.setInt16(at, file.getInt16(at, false), true);
  },
  'slices exchanged': (file, random) => {
    const bytes = planeBytes(file);
    // The outermost show little lung and are too alike.
    const at = firstVoxel(file) + bytes * (4 + random.below(planes(file) - 16));
    const to = at + bytes * (1 + random.below(7));
    const kept = bytesOf(file).slice(at, at + bytes);
    bytesOf(file).copyWithin(at, to, to + bytes);
    bytesOf(file).set(kept, to);
  },
};
