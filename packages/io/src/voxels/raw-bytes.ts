/** Voxels as the bytes that they are, for writing. */
import type { VoxelArray } from '@quickcolumn/volume';

/** The voxels' bytes in the byte order of this machine, as a view. */
export function rawBytes(voxels: VoxelArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(voxels.buffer as ArrayBuffer, voxels.byteOffset, voxels.byteLength);
}
