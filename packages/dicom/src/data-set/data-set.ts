/**
 * Data sets as they lie in a file (PS3.5, section 7): elements by tag with the place of their value, and typed readers
 * of those values. Values are read when asked for and never copied before, so a listing keeps nothing of a patient.
 * The trap: a value may be absent, empty, padded with spaces or NULs, or hold fewer numbers than its attribute needs;
 * every reader answers undefined then and leaves the verdict to its caller.
 */
import { Buffer } from 'node:buffer';

export interface DicomElement {
  /** Two letters; 'UN' where the file does not say (implicit little endian). */
  readonly vr: string;
  /** Place of the value in the bytes of its data set. */
  readonly offset: number;
  /** Bytes of the value; for a sequence or encapsulated frames of undefined length, those found. */
  readonly length: number;
  /** Items of a sequence. */
  readonly items?: readonly DataSet[];
  /** Encapsulated frames: the first is the basic offset table. */
  readonly fragments?: readonly Fragment[];
}

export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

export interface DataSet {
  readonly bytes: Uint8Array;
  readonly bigEndian: boolean;
  readonly elements: ReadonlyMap<number, DicomElement>;
}

/** Longest text that is looked at; longer ones are cut (names, UIDs and numbers are at most some hundred bytes). */
const textBytes = 16_384;

/** Bytes of a value, a view; undefined when absent or empty. */
export function valueBytes(set: DataSet, tag: number): Uint8Array | undefined {
  const element = set.elements.get(tag);
  if (element === undefined || element.length === 0 || element.items !== undefined) return undefined;
  return set.bytes.subarray(element.offset, element.offset + element.length);
}

/** Text of a value without padding (latin1: what is read this way is ASCII by its value representation). */
export function text(set: DataSet, tag: number): string | undefined {
  const bytes = valueBytes(set, tag)?.subarray(0, textBytes);
  if (bytes === undefined) return undefined;
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    // Padding, and control characters that could rewrite a terminal.
    .replace(/\p{Cc}/gu, '')
    .trim();
  return value === '' ? undefined : value;
}

/** Values of a multi-valued text. */
export function texts(set: DataSet, tag: number): string[] {
  return (text(set, tag) ?? '').split('\\').map((value) => value.trim());
}

/** Decimal or integer strings; undefined unless there are at least `count` and the first `count` are finite numbers. */
export function decimals(set: DataSet, tag: number, count: number): number[] | undefined {
  const values = texts(set, tag)
    .slice(0, count)
    .map((value) => (value === '' ? Number.NaN : Number(value)));
  return values.length === count && values.every(Number.isFinite) ? values : undefined;
}

export function decimal(set: DataSet, tag: number): number | undefined {
  return decimals(set, tag, 1)?.[0];
}

/** An unsigned (US), or with `signed` a signed (SS), 16-bit number. */
export function int16(set: DataSet, tag: number, signed: boolean = false): number | undefined {
  const bytes = valueBytes(set, tag);
  if (bytes === undefined || bytes.length < 2) return undefined;
  const value = set.bigEndian ? (bytes[0] << 8) | bytes[1] : (bytes[1] << 8) | bytes[0];
  return signed && value > 0x7fff ? value - 0x10000 : value;
}

/** Items of a sequence; empty when absent. */
export function items(set: DataSet, tag: number): readonly DataSet[] {
  return set.elements.get(tag)?.items ?? [];
}
