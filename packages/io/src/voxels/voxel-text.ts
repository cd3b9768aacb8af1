/** Voxels written as text: decimal numbers (NRRD `text`, MetaImage without BinaryData) and hexadecimal digits. */
import type { VoxelArray } from '@quickcolumn/volume';
import type { ScalarType } from './scalars.js';

/** Longest text that is read; it lies in memory as a whole. */
export const textLimitBytes: number = 256 * 2 ** 20;

/** Fills `values` from numbers separated by blanks or commas. Throws `refuse`'s error for other text, or too little. */
export function decodeText(
  text: string,
  type: ScalarType,
  values: VoxelArray,
  refuse: (problem: string) => Error,
): void {
  const isFloat = type.name === 'float32' || type.name === 'float64';
  const number = /[^\s,]+/g;
  for (let i = 0; i < values.length; i++) {
    const match = number.exec(text);
    if (match === null) throw refuse(`truncated: the text ends after ${i} of ${values.length} values`);
    const value = parseNumber(match[0]);
    values[i] = value;
    // Assigning wraps, rounds and truncates; a value that is not kept was not of this type.
    const kept = isFloat ? !Number.isNaN(value) || /^[+-]?nan$/i.test(match[0]) : values[i] === value;
    const exact = type.bytes < 8 || isFloat || Number.isSafeInteger(value);
    if (!kept || !exact || (type.name === 'uint64' && value < 0)) {
      throw refuse(`voxel ${i}: ${JSON.stringify(match[0].slice(0, 40))} is not a value of type ${type.name}`);
    }
  }
}

/** Fills `target` from pairs of hexadecimal digits, blanks between them ignored; returns the number of bytes. */
export function decodeHex(text: string, target: Uint8Array, refuse: (problem: string) => Error): number {
  let filled = 0;
  let high = -1;
  for (let at = 0; at < text.length && filled < target.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 32) continue;
    const digit = Number.parseInt(text[at], 16);
    if (Number.isNaN(digit)) throw refuse(`character ${at}: ${JSON.stringify(text[at])} is not a hexadecimal digit`);
    if (high < 0) {
      high = digit;
      continue;
    }
    target[filled++] = high * 16 + digit;
    high = -1;
  }
  return filled;
}

function parseNumber(text: string): number {
  // More digits than any number is written with; the pattern below takes the square of their number.
  if (text.length > 400) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  // Number() also takes 0x10 and the like, which no writer of these formats means.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
