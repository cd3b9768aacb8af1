/**
 * Which format a file has. Its name tells, as everywhere in this field; that the content fits is checked by the format.
 */
import { FormatError } from './format-error.js';
import * as list from './format-list.js';
import type { VolumeFormat } from './volume-format.js';

/** Names of the formats, for options and results. */
export type VolumeFormatName = (typeof list)[keyof typeof list]['name'];

/** What results are written as unless another format is asked for. */
const usual: VolumeFormat<VolumeFormatName> = list.niftiFormat;

/** All formats, the usual one first. */
export const volumeFormats: readonly VolumeFormat<VolumeFormatName>[] = [
  usual,
  ...Object.values(list).filter((format) => format !== usual),
];

/** How the names of a format end that can be read. */
export const readExtensions = ({ extensions, partExtensions = [] }: VolumeFormat): readonly string[] => [
  ...extensions,
  ...partExtensions,
];

/** The longest of the endings that a name has; whether letters are small or capital does not count. */
export function endingOf(path: string, endings: readonly string[]): string | undefined {
  const lower = path.toLowerCase();
  const found = endings.filter((ending) => lower.endsWith(ending));
  return found.sort((a, b) => b.length - a.length).at(0);
}

/** The format to read a file with. Throws FormatError for names of no known kind. */
export function formatToRead(path: string): VolumeFormat<VolumeFormatName> {
  const format = volumeFormats.find((candidate) => endingOf(path, readExtensions(candidate)) !== undefined);
  if (format !== undefined) return format;
  throw new FormatError(path, `unknown kind of file; expected ${listed(volumeFormats.flatMap(wholeFiles))}`);
}

/** The format to write a file in. Throws FormatError for names that none is written under. */
export function formatToWrite(path: string): VolumeFormat<VolumeFormatName> {
  const format = volumeFormats.find(({ writtenExtensions }) => endingOf(path, writtenExtensions) !== undefined);
  if (format !== undefined) return format;
  const expected = listed(volumeFormats.flatMap(({ writtenExtensions }) => writtenExtensions));
  throw new FormatError(path, `files of this name are not written; name it ${expected}`);
}

const wholeFiles = ({ extensions }: VolumeFormat): readonly string[] => extensions;

/** Words for a sentence: `a, b or c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
