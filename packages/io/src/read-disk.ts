/** The readers that the rest of Quickcolumn uses in Node: a scan, or a label map, from any supported file on disk. */
import { basename } from 'node:path';
import { diskStore } from './disk-store.js';
import type { NiftiImage, NiftiReadOptions } from './nifti-parse.js';
import { readNifti as readNiftiFrom } from './nifti-read.js';
import {
  type FileLabels,
  type FileVolume,
  readLabelsFrom,
  readVolumeFrom,
  volumeFilesOf,
  type VolumeReadOptions,
} from './read-volume.js';

/** Names that stand for a whole volume when a folder is searched: not the .img of a pair. */
const caseExtension = /\.(nii(\.gz)?|hdr(\.gz)?|nrrd|nhdr|mha|mhd)$/i;

/**
 * The name of the case that a file in a folder holds, without folders and extension; undefined for files that are no
 * volume, and for names with a leading dot (macOS leaves ._NAME beside every file on foreign disks).
 */
export function volumeName(path: string): string | undefined {
  const file = basename(path);
  if (file.startsWith('.') || !caseExtension.test(file)) return undefined;
  return file.replace(caseExtension, '');
}

/** Reads a scan. Throws NiftiError, NrrdError or MetaImageError, each naming the file and the field. */
export async function readVolume(path: string, options: VolumeReadOptions = {}): Promise<FileVolume> {
  return await readVolumeFrom(diskStore, path, options);
}

/** Reads a label map: whole numbers 0 to 255 of any stored type. Throws a reader's error at the first other value. */
export async function readLabels(path: string, options: VolumeReadOptions = {}): Promise<FileLabels> {
  return await readLabelsFrom(diskStore, path, options);
}

/** The named file and every other one that its volume is made of (pairs, detached data), the named one first. */
export async function volumeFiles(path: string): Promise<string[]> {
  return await volumeFilesOf(diskStore, path);
}

/**
 * Reads a NIfTI-1 or NIfTI-2 image; for a pair, give either the header or the image file. Whether a file is compressed
 * is seen from its content. Throws NiftiError naming the file and the field.
 */
export async function readNifti(path: string, options: NiftiReadOptions = {}): Promise<NiftiImage> {
  return await readNiftiFrom(diskStore, path, options);
}
