/** NIfTI files in memory for tests: any version, and with the header that the rest of the package hides. */
import type { Volume } from '@quickcolumn/volume';
import { blobStore } from '../files/blob-store.js';
import { diskStore } from '../files/disk-store.js';
import type { VolumeReadOptions } from '../volumes/volume-format.js';
import { encodeNifti, type NiftiEncodeOptions } from './encode.js';
import { type NiftiImage, readNifti } from './read.js';

/** An uncompressed file. */
export function niftiBytes(volume: Volume, options: NiftiEncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const { header, voxels } = encodeNifti(volume, 'x.nii', options);
  const start = header(voxels.length);
  const bytes = new Uint8Array(start.length + voxels.length);
  bytes.set(start);
  bytes.set(voxels, start.length);
  return bytes;
}

export async function parseNifti(bytes: Uint8Array): Promise<NiftiImage> {
  return await readNifti(blobStore([new File([Uint8Array.from(bytes)], 'x.nii')]), 'x.nii');
}

export async function readNiftiFile(path: string, options?: VolumeReadOptions): Promise<NiftiImage> {
  return await readNifti(diskStore, path, options);
}
