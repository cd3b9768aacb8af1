/** Names of volume files: what a case is called, and what a result is. */
import { endingOf, listed, readExtensions, type VolumeFormatName, volumeFormats } from './formats.js';

const wholeExtensions = volumeFormats.flatMap(({ extensions }) => extensions);
const allExtensions = volumeFormats.flatMap(readExtensions);

/** Extensions for messages and help texts: `.nii.gz, .nii, …`. */
export const volumeExtensions: string = listed(wholeExtensions);

/** Names of the formats, the usual one first. */
export const volumeFormatNames: readonly VolumeFormatName[] = volumeFormats.map(({ name }) => name);

/**
 * The name of the case that a file in a folder holds, without folders and extension; undefined for files that are no
 * volume or only a part of one (.img), and for names with a leading dot (macOS leaves ._NAME beside every file on foreign
 * disks).
 */
export function volumeName(path: string): string | undefined {
  const file = lastPart(path);
  const ending = file.startsWith('.') ? undefined : endingOf(file, wholeExtensions);
  return ending === undefined ? undefined : file.slice(0, -ending.length);
}

/** Whether a file is a volume, or a part of one, by its name. */
export function isVolumeFile(path: string): boolean {
  const file = lastPart(path);
  return !file.startsWith('.') && endingOf(file, allExtensions) !== undefined;
}

/** The format that a file is read with, by its name; undefined for files of no known kind. */
export function volumeFormatOf(path: string): VolumeFormatName | undefined {
  return volumeFormats.find((format) => endingOf(path, readExtensions(format)) !== undefined)?.name;
}

/** The path without the extension of a volume, or of a part of one; other paths as they are. */
export function volumeBase(path: string): string {
  const ending = endingOf(path, allExtensions);
  return ending === undefined ? path : path.slice(0, -ending.length);
}

/** The file that a volume is written to in a format: `base` with the format's usual extension. */
export function volumePath(base: string, format: VolumeFormatName): string {
  const found = volumeFormats.find(({ name }) => name === format);
  if (found === undefined) throw new TypeError(`${format} is not ${listed(volumeFormatNames)}`);
  return base + found.writtenExtensions[0];
}

/** Folders end with a slash, in Windows with a backslash, too. */
const lastPart = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
