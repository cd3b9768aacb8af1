/**
 * The text at the start of NRRD and MetaImage files: reading it in bounded memory, and lists of numbers in it.
 *
 * The text is read as Latin-1, so that every byte is one character and the length of the header in bytes is known.
 */
import type { FileHandle } from 'node:fs/promises';

/** Longest header that is read; segmentations of many segments have some hundred kilobytes. */
const longestTextHeader = 4 * 2 ** 20;

/** The first bytes of a file as text, at most `longestTextHeader`; fewer when `isComplete` says that it is enough. */
export async function readHeaderText(handle: FileHandle, isComplete: (text: string) => boolean): Promise<string> {
  let text = '';
  let wanted = 1 << 14;
  while (text.length < longestTextHeader) {
    const chunk = Buffer.alloc(Math.min(wanted, longestTextHeader - text.length));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, text.length);
    if (bytesRead === 0) break;
    text += chunk.toString('latin1', 0, bytesRead);
    if (isComplete(text)) break;
    wanted *= 4;
  }
  return text;
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

/** A text for messages: quoted, not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
