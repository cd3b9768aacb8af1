/**
 * Reading NIfTI from bytes in memory: pure, also for browsers (where the caller decompresses). Files on disk go through
 * `readNifti`, which streams and never holds the compressed and the decompressed file at once.
 */
import type { Volume } from '@quickcolumn/volume';
import { NiftiError } from './nifti-error.js';
import { type NiftiHeader, parseNiftiHeader, voxelBytes } from './nifti-header.js';
import { allocateVoxels, decodeVoxels, defaultMaxBytes } from './nifti-voxels.js';

/** A volume and the header it came from. */
export interface NiftiImage {
  readonly volume: Volume;
  readonly header: NiftiHeader;
}

/** Options of all NIfTI readers. */
export interface NiftiReadOptions {
  /** Refuse images whose voxels need more bytes than this (default 8 GiB). */
  readonly maxBytes?: number;
}

/** True when bytes start like a gzip file (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Parses an uncompressed NIfTI image. `bytes` is a single file, or the header of a pair with `imageBytes` beside it;
 * `name` stands in the messages. The input is not changed or kept. Throws NiftiError.
 */
export function parseNifti(
  bytes: Uint8Array,
  name: string,
  options: NiftiReadOptions & { readonly imageBytes?: Uint8Array } = {},
): NiftiImage {
  if (isGzip(bytes)) throw new NiftiError(name, 'gzip', 'the bytes are gzip-compressed; decompress them first');
  const header = parseNiftiHeader(bytes, name);
  const { imageBytes } = options;
  if (!header.singleFile && imageBytes === undefined) {
    throw new NiftiError(name, 'magic', 'a header of a .hdr/.img pair; give the .img bytes too');
  }
  const source = imageBytes ?? bytes;
  const available = source.length - header.voxOffset;
  const buffer = allocateVoxels(header, name, available, options.maxBytes ?? defaultMaxBytes);
  new Uint8Array(buffer).set(source.subarray(header.voxOffset, header.voxOffset + voxelBytes(header)));
  return { volume: finishVolume(buffer, header, name), header };
}

/** Stored bytes (owned, changed) and header to a volume. */
export function finishVolume(buffer: ArrayBuffer, header: NiftiHeader, name: string): Volume {
  return { voxels: decodeVoxels(buffer, header, name), size: header.size, affine: header.affine };
}
