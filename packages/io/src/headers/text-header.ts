/**
 * The text at the start of NRRD and MetaImage files: reading it in bounded memory, lists of numbers and lines in it.
 *
 * The text is read as Latin-1, so that every byte is one character and the length of the header in bytes is known.
 */
import type { ByteSource } from '../files/byte-source.js';

/** Longest header that is read; segmentations of many segments have some hundred kilobytes. */
const longestTextHeader = 4 * 2 ** 20;

/** The first bytes of a file as text, at most `longestTextHeader`; fewer when `isComplete` says that it is enough. */
export async function readHeaderText(source: ByteSource, isComplete: (text: string) => boolean): Promise<string> {
  let text = '';
  let wanted = 1 << 14;
  while (text.length < longestTextHeader) {
    const chunk = new Uint8Array(Math.min(wanted, longestTextHeader - text.length));
    const bytesRead = await source.read(chunk, text.length);
    if (bytesRead === 0) break;
    text += latin1(chunk.subarray(0, bytesRead));
    if (isComplete(text)) break;
    wanted *= 4;
  }
  return text;
}

/** Every byte as one character. (What TextDecoder calls latin1 is windows-1252, which differs.) */
export function latin1(bytes: Uint8Array): string {
  const parts: string[] = [];
  // A call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return parts.join('');
}

/** Lines of a text with the position after each one's end; `\n` and `\r\n` both end lines. */
export function* linesOf(text: string): Generator<{ readonly line: string; readonly next: number }> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end + 1;
    const line = text.slice(at, end < 0 ? text.length : end);
    yield { line: line.endsWith('\r') ? line.slice(0, -1) : line, next };
    at = next;
  }
}

/** Finite numbers separated by blanks, exactly `count` of them, or undefined. */
export function parseNumbers(text: string, count: number): number[] | undefined {
  const words = text.trim().split(/\s+/, count + 1);
  const numbers = words.map((word) => (word === '' ? Number.NaN : Number(word)));
  return numbers.length === count && numbers.every(Number.isFinite) ? numbers : undefined;
}

/** A text as the value of one line of a header: printable ASCII, question marks for the rest. */
export function lineOfText(text: string, longest: number): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[^ -~]/g, '?')
    .slice(0, longest);
}

/** A text for messages: quoted, not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
