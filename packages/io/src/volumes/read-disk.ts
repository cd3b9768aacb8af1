/** The readers that the rest of Quickcolumn uses in Node: a scan, or a label map, from any supported file on disk. */
import type { HeaderAssumptions } from '../headers/assumptions.js';
import { diskStore } from '../files/disk-store.js';
import { type FileLabels, type FileVolume, readLabelsFrom, readVolumeFrom, volumeFilesOf } from './read-from.js';
import { formatToRead } from './formats.js';
import type { VolumeReadOptions, VolumeSummary } from './volume-format.js';

/** Reads a scan. Throws the format's own error, which names the file and the field, or FormatError for other names. */
export async function readVolume(path: string, options: VolumeReadOptions = {}): Promise<FileVolume> {
  return await readVolumeFrom(diskStore, path, options);
}

/** Reads a label map: whole numbers 0 to 255 of any stored type. Throws the format's error at the first other value. */
export async function readLabels(path: string, options: VolumeReadOptions = {}): Promise<FileLabels> {
  return await readLabelsFrom(diskStore, path, options);
}

/** What the header of a scan or label map tells: quick, whatever its size. Throws as `readVolume` does. */
export async function summarizeVolume(path: string, assume?: HeaderAssumptions): Promise<VolumeSummary> {
  return await formatToRead(path).summarize(diskStore, path, assume);
}

/** The named file and every other one that its volume is made of (pairs, detached data), the named one first. */
export async function volumeFiles(path: string): Promise<string[]> {
  return await volumeFilesOf(diskStore, path);
}
