/**
 * A writer of DICOM files (PS3.5, section 7) in every encoding of data sets, for seeds. The one of @quickcolumn/dicom
 * writes what it should, explicit little endian; a fuzzer also needs what others write.
 */
import { Buffer } from 'node:buffer';
import { deflateRawSync } from 'node:zlib';

/** Text, bytes, 16-bit numbers, or items of a sequence. */
type SeedValue = string | Uint8Array | readonly number[] | readonly (readonly SeedElement[])[];
/** Tag, value representation, value. */
export type SeedElement = readonly [tag: number, vr: string, value: SeedValue];

export interface Encoding {
  readonly implicit?: boolean;
  readonly bigEndian?: boolean;
  readonly deflated?: boolean;
  /** Sequences and items of undefined length, with delimiters. */
  readonly undefinedLengths?: boolean;
}

/** What a transfer syntax says of the data set. */
export function encodingOf(uid: string): Encoding {
  if (uid === '1.2.840.10008.1.2') return { implicit: true };
  if (uid === '1.2.840.10008.1.2.2') return { bigEndian: true };
  return { deflated: uid === '1.2.840.10008.1.2.1.99' };
}

/** A file with preamble and meta information. */
export function dicomFile(uid: string, elements: readonly SeedElement[], encoding: Encoding = encodingOf(uid)): Buffer {
  const meta = dataSet([[0x00020010, 'UI', uid]], {});
  const start = Buffer.alloc(132);
  start.write('DICM', 128, 'latin1');
  const body = dataSet(elements, encoding);
  return Buffer.concat([
    start,
    dataSet([[0x00020000, 'UL', [meta.length, 0]]], {}),
    meta,
    encoding.deflated ? deflateRawSync(body) : body,
  ]);
}

/** Pixel data of compressed frames: an empty offset table, one fragment a frame. */
export function encapsulated(frames: readonly Uint8Array[]): Buffer {
  const items = frames.map((frame) => item(frame.length % 2 === 0 ? frame : Buffer.concat([frame, Buffer.alloc(1)])));
  const head = Buffer.from('e07f1000', 'hex');
  return Buffer.concat([
    head,
    Buffer.from('OB\0\0\xff\xff\xff\xff', 'latin1'),
    item(new Uint8Array(0)),
    ...items,
    Buffer.from('feffdde000000000', 'hex'),
  ]);
}

function item(bytes: Uint8Array): Buffer {
  const head = Buffer.from('feff00e000000000', 'hex');
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

function dataSet(elements: readonly SeedElement[], encoding: Encoding): Buffer {
  const sorted = [...elements].sort(([a], [b]) => a - b);
  return Buffer.concat(sorted.map((element) => encodeElement(element, encoding)));
}

function encodeElement([tag, vr, value]: SeedElement, encoding: Encoding): Buffer {
  const { implicit = false, bigEndian = false, undefinedLengths = false } = encoding;
  const word = (number: number, bytes: 2 | 4): Buffer => {
    const buffer = Buffer.alloc(bytes);
    if (bigEndian) buffer.writeUIntBE(number, 0, bytes);
    else buffer.writeUIntLE(number, 0, bytes);
    return buffer;
  };
  const name = Buffer.concat([word(tag >>> 16, 2), word(tag & 0xffff, 2)]);
  const body = encodeValue(vr, value, encoding);
  const length = word(vr === 'SQ' && undefinedLengths ? 0xffffffff : body.length, 4);
  if (implicit) return Buffer.concat([name, length, body]);
  const isLong = ['OB', 'OW', 'SQ', 'UN', 'UT'].includes(vr);
  const form = isLong ? Buffer.concat([Buffer.alloc(2), length]) : word(body.length, 2);
  return Buffer.concat([name, Buffer.from(vr), form, body]);
}

function encodeValue(vr: string, value: SeedValue, encoding: Encoding): Buffer {
  const { bigEndian = false, undefinedLengths = false } = encoding;
  if (typeof value === 'string') {
    const text = Buffer.from(value, 'latin1');
    return text.length % 2 === 0 ? text : Buffer.concat([text, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  }
  const order = (buffer: Buffer): Buffer => (bigEndian ? buffer.swap16() : buffer);
  // 16-bit words turn round as a whole in big endian; single bytes do not.
  if (value instanceof Uint8Array) return vr === 'OW' ? order(Buffer.from(value)) : Buffer.from(value);
  if (vr !== 'SQ') return order(Buffer.from(Uint16Array.from(value as readonly number[]).buffer));
  const tagOf = (low: number, length: number): Buffer => {
    const buffer = Buffer.alloc(8);
    const put = bigEndian ? ('BE' as const) : ('LE' as const);
    buffer[`writeUInt16${put}`](0xfffe, 0);
    buffer[`writeUInt16${put}`](low, 2);
    buffer[`writeUInt32${put}`](length, 4);
    return buffer;
  };
  const items = (value as readonly (readonly SeedElement[])[]).map((elements) => {
    const body = dataSet(elements, encoding);
    if (!undefinedLengths) return Buffer.concat([tagOf(0xe000, body.length), body]);
    return Buffer.concat([tagOf(0xe000, 0xffffffff), body, tagOf(0xe00d, 0)]);
  });
  return Buffer.concat(undefinedLengths ? [...items, tagOf(0xe0dd, 0)] : items);
}
