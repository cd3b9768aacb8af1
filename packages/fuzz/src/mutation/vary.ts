/**
 * Mutations: what a damaged disk, a bug in another program and somebody hostile do to a file. Every function returns new
 * bytes and draws from the given generator alone.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Random } from './random.js';

/** Whole numbers at which sizes, offsets and counts go wrong. */
const extremes: readonly number[] = [
  0,
  1,
  -1,
  2,
  3,
  7,
  127,
  128,
  255,
  256,
  32767,
  32768,
  65535,
  65536,
  1e6,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40,
  2 ** 53,
  -(2 ** 31),
  -32768,
];

/** What stands for a number in a text. */
const words: readonly string[] = [
  ...extremes.map(String),
  '-0',
  '1e308',
  '1e-308',
  '1e400',
  'NaN',
  'nan',
  'Infinity',
  '-Infinity',
  '0.5',
  '1e3',
  '0x10',
  '',
  ' ',
  '-',
  '1 1',
  '1,1',
  '٣',
  '9'.repeat(400),
  '((((',
  '"',
  "'",
  '\0',
  '%s%n',
  '../x',
  '/etc/passwd',
  '..\\x',
  'null',
  '[]',
  '{}',
  '__proto__',
  'constructor',
  '~',
  '*a',
  '&a',
  '<<: *a',
  '!!js/function x',
  '!!binary AAAA',
  '---',
  '...',
];

/** One to a few mutations of bytes. `other` is another seed, to splice with. */
export function varyBytes(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let varied: Uint8Array = Uint8Array.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left--) varied = mutateOnce(varied, random, other);
  return varied;
}

/** Mutations of a text in bytes: numbers and words are replaced, lines are lost, doubled and swapped. */
export function varyText(bytes: Uint8Array, random: Random): Uint8Array {
  let text = Buffer.from(bytes).toString('latin1');
  for (let left = 1 + random.below(3); left > 0; left--) text = mutateText(text, random);
  return Buffer.from(text, 'latin1');
}

/** Mutates the first `length` bytes as text and keeps the rest. */
export function varyHead(bytes: Uint8Array, random: Random, length: number): Uint8Array {
  return Buffer.concat([varyText(bytes.subarray(0, length), random), bytes.subarray(length)]);
}

/** Mutates what a gzip file holds and compresses it again; other bytes are mutated as they are. */
export function varyInside(
  bytes: Uint8Array,
  random: Random,
  vary: (inside: Uint8Array, random: Random) => Uint8Array,
): Uint8Array {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip || random.next() < 0.3) return vary(bytes, random);
  return gzipSync(vary(gunzipSync(bytes), random), { level: 1 });
}

function mutateOnce(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length === 0) return Uint8Array.of(random.below(256));
  // Headers decide: half of all changes fall into the first 600 bytes.
  const at = random.below(random.next() < 0.5 ? Math.min(length, 600) : length);
  switch (random.below(10)) {
    case 0:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
    case 3:
      return putNumber(bytes, at, random);
    case 4:
      return bytes.slice(0, at);
    case 5: {
      const more = new Uint8Array(random.below(64)).map(() => random.below(256));
      return joined(bytes.subarray(0, at), more, bytes.subarray(at));
    }
    case 6:
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64)));
    case 7:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + random.below(512)), bytes.subarray(at));
    case 8:
      return joined(bytes.subarray(0, at), other.subarray(Math.min(at, other.length)));
    default:
      return bytes.fill(random.pick([0, 255, 127, 128, 32]), at, at + 1 + random.below(16));
  }
}

function putNumber(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const value = random.pick(extremes);
  const little = random.next() < 0.7;
  const width = random.pick([1, 2, 4, 8].filter((bytesOf) => at + bytesOf <= bytes.length));
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value, little);
  else if (width === 4 && random.next() < 0.7) view.setUint32(at, value, little);
  else if (width === 4) view.setFloat32(at, random.pick([...extremes, Number.NaN, Infinity, -Infinity, 1e-40]), little);
  else if (width === 8) view.setBigInt64(at, BigInt(Math.trunc(value)), little);
  return bytes;
}

function mutateText(text: string, random: Random): string {
  const kind = random.below(8);
  if (kind < 4) {
    const found = [...text.matchAll(kind < 3 ? /-?\d+(\.\d+)?/g : /[A-Za-z_][\w-]*/g)];
    if (found.length > 0) {
      const match = random.pick(found);
      return text.slice(0, match.index) + random.pick(words) + text.slice(match.index + match[0].length);
    }
  }
  const lines = text.split('\n');
  const at = random.below(lines.length);
  const to = random.below(lines.length);
  if (kind === 4) lines.splice(at, 1);
  else if (kind === 5) lines.splice(to, 0, lines[at]);
  else if (kind === 6) [lines[at], lines[to]] = [lines[to], lines[at]];
  else lines[at] = lines[at].slice(0, random.below(lines[at].length + 1)) + random.pick(words) + lines[at].slice(to);
  return lines.join('\n');
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
