/**
 * Encoding of data sets (PS3.5, section 7.1), as Explicit VR Little Endian unless another syntax is asked for, and of
 * Part 10 files around them.
 *
 * The traps: elements must ascend by tag, values must have even length (texts are padded with a space, UIDs and bytes
 * with NUL), and a decimal string has at most 16 characters, so numbers are rounded to what fits.
 */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { DicomError } from '../dicom-error.js';
import { explicitLittleEndian, type TransferSyntax } from './transfer-syntax.js';

/** Text (also several values joined by '\'), numbers of a binary representation, bytes as they are, or items. */
export type WriteValue = string | readonly number[] | Uint8Array | readonly (readonly WriteElement[])[];

export interface WriteElement {
  readonly tag: number;
  readonly vr: string;
  readonly value: WriteValue;
  /** The bytes are items with their delimiter: encapsulated frames. */
  readonly undefinedLength?: boolean;
}

/** What of a transfer syntax concerns the elements. */
export type Encoding = Pick<TransferSyntax, 'implicit' | 'bigEndian'>;

/** Root of UIDs of this software's implementation, from a UUID (PS3.5, B.2). */
const implementationUid = '2.25.302859713284619372046193758124036917243';
const longForms = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const numberBytes: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, AT: 4 };

export function element(tag: number, vr: string, value: WriteValue): WriteElement {
  return { tag, vr, value };
}

/** A code as three elements, to be an item of a code sequence. */
export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** A new UID that is unique without a registered root (PS3.5, B.2). */
export function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;
}

/** Decimal string of at most 16 characters. */
export function decimalString(value: number): string {
  const plain = String(value);
  if (plain.length <= 16) return plain;
  for (let digits = 15; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  throw new DicomError('DICOM', 'write', `${value} cannot be written as a decimal string`);
}

/** The bytes of a data set; elements may come in any order. Throws DicomError `write`. */
export function encodeDataSet(
  elements: readonly WriteElement[],
  encoding: Encoding = explicitLittleEndian,
): Uint8Array {
  return Buffer.concat(encodeElements(elements, encoding));
}

interface FileIdentity {
  readonly classUid: string;
  readonly instanceUid: string;
}

/** A whole file: preamble, meta information, data set. */
export function encodeFile(
  elements: readonly WriteElement[],
  identity: FileIdentity,
  syntax: TransferSyntax = explicitLittleEndian,
): Uint8Array {
  const meta = encodeDataSet([
    element(0x00020001, 'OB', new Uint8Array([0, 1])),
    element(0x00020002, 'UI', identity.classUid),
    element(0x00020003, 'UI', identity.instanceUid),
    element(0x00020010, 'UI', syntax.uid),
    element(0x00020012, 'UI', implementationUid),
    element(0x00020013, 'SH', 'QUICKCOLUMN'),
  ]);
  const start = Buffer.alloc(132);
  start.write('DICM', 128, 'latin1');
  const parts = encodeElements(elements, syntax);
  return Buffer.concat([
    start,
    ...encodeElements([element(0x00020000, 'UL', [meta.length])], explicitLittleEndian),
    meta,
    ...(syntax.deflated ? [padded(deflateRawSync(Buffer.concat(parts)), 0)] : parts),
  ]);
}

function encodeElements(elements: readonly WriteElement[], encoding: Encoding): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const one of [...elements].sort((a, b) => a.tag - b.tag)) {
    const bytes = encodeValue(one, encoding);
    parts.push(encodeHead(one, bytes.length, encoding), bytes);
  }
  return parts;
}

function encodeHead(
  { tag, vr, undefinedLength }: WriteElement,
  bytes: number,
  { implicit, bigEndian }: Encoding,
): Uint8Array {
  const isLong = implicit || longForms.has(vr);
  if (!isLong && bytes > 0xffff) {
    throw new DicomError('DICOM', 'write', `a value of ${bytes} bytes is too long for ${vr}`);
  }
  const head = Buffer.alloc(isLong && !implicit ? 12 : 8);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  view.setUint16(0, tag >>> 16, !bigEndian);
  view.setUint16(2, tag & 0xffff, !bigEndian);
  if (!implicit) head.write(vr, 4, 'latin1');
  const length = undefinedLength === true ? 0xffffffff : bytes;
  if (isLong) view.setUint32(head.length - 4, length, !bigEndian);
  else view.setUint16(6, length, !bigEndian);
  return head;
}

function encodeValue({ tag, vr, value, undefinedLength }: WriteElement, encoding: Encoding): Uint8Array {
  if (undefinedLength === true) return value as Uint8Array;
  if (typeof value === 'string') return padded(Buffer.from(value, 'utf8'), vr === 'UI' ? 0 : 0x20);
  if (value instanceof Uint8Array) return padded(value, vr === 'OB' || vr === 'UI' || vr === 'UN' ? 0 : 0x20);
  if (vr === 'SQ') return encodeItems(value as readonly (readonly WriteElement[])[], encoding);
  const numbers = value as readonly number[];
  const size = numberBytes[vr];
  if (size === undefined) throw new DicomError('DICOM', 'write', `numbers cannot be written as ${vr} (tag ${tag})`);
  const bytes = Buffer.alloc(size * numbers.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = !encoding.bigEndian;
  numbers.forEach((number, i) => {
    const at = i * size;
    if (vr === 'US') view.setUint16(at, number, little);
    else if (vr === 'SS') view.setInt16(at, number, little);
    else if (vr === 'UL') view.setUint32(at, number, little);
    else if (vr === 'SL') view.setInt32(at, number, little);
    else if (vr === 'FL') view.setFloat32(at, number, little);
    else if (vr === 'FD') view.setFloat64(at, number, little);
    else {
      view.setUint16(at, number >>> 16, little);
      view.setUint16(at + 2, number & 0xffff, little);
    }
  });
  return bytes;
}

/** Items of defined length: readers need no delimiters then. */
function encodeItems(list: readonly (readonly WriteElement[])[], encoding: Encoding): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const item of list) {
    const bytes = encodeElements(item, encoding);
    const head = Buffer.alloc(8);
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const length = bytes.reduce((sum, part) => sum + part.length, 0);
    view.setUint16(0, 0xfffe, !encoding.bigEndian);
    view.setUint16(2, 0xe000, !encoding.bigEndian);
    view.setUint32(4, length, !encoding.bigEndian);
    parts.push(head, ...bytes);
  }
  return Buffer.concat(parts);
}

function padded(bytes: Uint8Array, filler: number): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const even = new Uint8Array(bytes.length + 1);
  even.set(bytes);
  even[bytes.length] = filler;
  return even;
}
