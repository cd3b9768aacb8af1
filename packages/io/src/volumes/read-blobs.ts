/** Reading a scan, or a label map, that a user has chosen in a browser; Node has Blobs too. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { blobStore, type NamedBlob } from '../files/blob-store.js';
import { volumeName } from './names.js';
import { type FileLabels, type FileVolume, readLabelsFrom, readVolumeFrom } from './read-from.js';
import type { VolumeReadOptions } from './volume-format.js';

/**
 * Reads a scan from a `File`, or from the several that it is made of (.hdr and .img; a header with detached data), in any
 * order. Throws the format's own error, FormatError for other names; QuickcolumnError `usage` when it is not clear which
 * file to read.
 */
export async function readVolumeBlobs(
  files: NamedBlob | readonly NamedBlob[],
  options: VolumeReadOptions = {},
): Promise<FileVolume> {
  const list = listOf(files);
  return await readVolumeFrom(blobStore(list), mainName(list), options);
}

/** Reads a label map: whole numbers 0 to 255 of any stored type. Throws as `readVolumeBlobs` does. */
export async function readLabelsBlobs(
  files: NamedBlob | readonly NamedBlob[],
  options: VolumeReadOptions = {},
): Promise<FileLabels> {
  const list = listOf(files);
  return await readLabelsFrom(blobStore(list), mainName(list), options);
}

const listOf = (files: NamedBlob | readonly NamedBlob[]): readonly NamedBlob[] =>
  files instanceof Blob ? [files] : files;

/** Of several files the one that stands for the volume; data beside it have other names. */
function mainName(files: readonly NamedBlob[]): string {
  const main = files.length === 1 ? files : files.filter(({ name }) => volumeName(name) !== undefined);
  if (main.length === 1) return main[0].name;
  const given = files.map(({ name }) => name).join(', ') || 'nothing';
  throw new QuickcolumnError(
    'usage',
    `one scan at a time: one file, or one header (.hdr, .nhdr, .mhd) with its data; got ${given}`,
  );
}
