/**
 * Writing NIfTI single files (.nii, .nii.gz): header and voxels are streamed through gzip without a copy of the voxels,
 * to a temporary name that becomes the real one only when everything is on disk.
 */
import { constants, createWriteStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Volume } from '@quickcolumn/volume';
import { writeFileAtomic } from './files.js';
import { encodeNiftiHeader, type NiftiEncodeOptions, rawBytes } from './nifti-encode.js';
import { NiftiError } from './nifti-error.js';

/** Options of writeNifti. */
export interface NiftiWriteOptions extends NiftiEncodeOptions {
  /** Replace an existing file (default false). */
  readonly force?: boolean;
  /** Gzip level 1 to 9 of a .nii.gz; default 6 for uint8 (labels), 1 for the rest. */
  readonly level?: number;
}

const chunkBytes = 1 << 20;

/**
 * Writes a volume as it is (no scaling; the voxel array's type is the stored type). Throws NiftiError when the name,
 * the volume or an existing file forbids it, FileError when the system does; no partial file stays.
 */
export async function writeNifti(path: string, volume: Volume, options: NiftiWriteOptions = {}): Promise<void> {
  const gzip = /\.nii\.gz$/i.test(path);
  if (!gzip && !/\.nii$/i.test(path)) {
    throw new NiftiError(path, 'file', 'NIfTI files are written as .nii or .nii.gz; change the name');
  }
  const header = encodeNiftiHeader(volume, path, options);
  if (options.force !== true && (await exists(path))) {
    throw new NiftiError(path, 'file', 'already exists; choose another name or force it');
  }
  await writeFileAtomic(path, async (temporary) => {
    const source = Readable.from(chunks(header, rawBytes(volume)), { objectMode: false, highWaterMark: chunkBytes });
    const target = createWriteStream(temporary, { flags: 'wx' });
    if (gzip)
      await pipeline(source, createGzip({ level: gzipLevel(volume, options.level), chunkSize: chunkBytes }), target);
    else await pipeline(source, target);
  });
}

function gzipLevel({ voxels }: Volume, level: number | undefined): number {
  // Measured on chest CTs: level 6 halves a label file for 0.2 s; on noisy intensities it saves 4 % for 3 times the time.
  return level ?? (voxels instanceof Uint8Array ? 6 : 1);
}

function* chunks(header: Uint8Array, voxels: Uint8Array): Generator<Uint8Array> {
  yield header;
  for (let at = 0; at < voxels.length; at += chunkBytes) yield voxels.subarray(at, at + chunkBytes);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}
