/**
 * Sizes and typed arrays: the small checks and helpers that every module of this package begins with.
 */
import { VolumeError } from './errors.js';
import type { Size3, VoxelArray } from './volume.js';

/** Number of voxels of a grid. */
export function voxelCount(size: Size3): number {
  return size[0] * size[1] * size[2];
}

/** An array of the same element type as `voxels`, filled with zeros. */
export function emptyLike<T extends VoxelArray>(voxels: T, length: number): T {
  // Node's Buffer is a Uint8Array whose constructor is deprecated and leaves the memory as it was.
  if (voxels instanceof Uint8Array) return new Uint8Array(length) as T;
  const construct = voxels.constructor as new (length: number) => T;
  return new construct(length);
}

/**
 * Refuse sizes that are not three positive integers.
 * @param where name of the argument, for the message
 * @throws VolumeError
 */
export function checkSize(size: Size3, where: string): void {
  if (size.length !== 3 || size.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new VolumeError(`${where}: size [${size.join(', ')}] must be three whole numbers of at least 1`, {
      size: [...size],
    });
  }
}

/**
 * Refuse an array whose length is not the number of voxels of `size`.
 * @param where name of the calling function, for the message
 * @throws VolumeError
 */
export function checkVoxels(voxels: { readonly length: number }, size: Size3, where: string): void {
  checkSize(size, where);
  if (voxels.length !== voxelCount(size)) {
    throw new VolumeError(
      `${where}: ${voxels.length} voxels do not fill a grid of ${size.join('×')} = ${voxelCount(size)}; ` +
        'pass the size that belongs to this array (x, y, z)',
      { length: voxels.length, size: [...size] },
    );
  }
}
