/**
 * Pixels of a file, frame by frame, as stored values: integers after BitsStored, HighBit and the sign are applied
 * (PS3.5, section 8), before any rescaling.
 *
 * The traps: bits outside the stored ones may hold overlays and are masked; a frame of compressed data may lie in
 * several fragments, with or without an offset table to tell where it begins (PS3.5, A.4).
 */
import { bitSamples, nativeSamples } from './native.js';
import { decodeJpeg } from './jpeg.js';
import { decodeRle } from './rle.js';
import { decodeWasm } from './wasm.js';
import type { FrameSamples, FrameShape } from './codec-types.js';
import type { DicomElement, Fragment } from '../data-set/data-set.js';
import { DicomError } from '../dicom-error.js';
import type { DicomFile } from '../data-set/read-file.js';
import type { PixelFormat } from '../series/slice-header.js';
import { tags } from '../data-set/tags.js';

/** Values of one frame, row by row; samples of a colour pixel lie together. */
export type StoredValues = Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/**
 * Decodes frame `frame` (from 0) of a file that was read whole. Throws DicomError `pixels`, `truncated`, `color`.
 * @param onNote is told what was put right without doubt
 */
export async function decodeFrame(
  file: DicomFile,
  format: PixelFormat,
  frame: number,
  onNote?: (text: string) => void,
): Promise<StoredValues> {
  const { source, syntax, dataSet } = file;
  const path = source.name;
  const element = dataSet.elements.get(tags.PixelData);
  if (element === undefined) throw new DicomError(path, 'no-pixels', 'has no pixel data');
  const { rows, columns, samples, bitsAllocated } = format;
  const shape: FrameShape = { path, rows, columns, samples, bitsAllocated, ...(onNote && { onNote }) };
  if (syntax.codec === 'native') {
    if (element.fragments !== undefined) {
      throw new DicomError(path, 'pixels', `holds compressed frames but states ${syntax.name}; the file is damaged`);
    }
    return toStored(nativeFrame(file, format, { element, frame }), format, onNote);
  }
  const bytes = frameBytes(file, { element, frame, frames: format.frames });
  return toStored(await decodeCompressed(syntax.codec, bytes, shape), format, onNote);
}

/**
 * Checks that a file holds the pixels that it promises, as far as its header tells: uncompressed ones.
 * @param file its header at least
 * @throws DicomError `truncated`
 */
export function checkPixelLength({ source, syntax, dataSet }: DicomFile, format: PixelFormat): void {
  const element = dataSet.elements.get(tags.PixelData);
  if (element === undefined || element.length === 0xffffffff || syntax.codec !== 'native') return;
  const { rows, columns, samples, bitsAllocated, frames } = format;
  const needed = Math.ceil((rows * columns * samples * bitsAllocated * frames) / 8);
  const total = syntax.deflated ? dataSet.bytes.length : source.bytes;
  const there = Math.min(element.length, Math.max(0, total - element.offset));
  if (there >= needed && there === element.length) return;
  const problem = `${there} of ${Math.max(needed, element.length)} bytes of pixels are there; the file is cut short`;
  throw new DicomError(source.name, 'truncated', problem);
}

async function decodeCompressed(codec: string, bytes: Uint8Array, shape: FrameShape): Promise<FrameSamples> {
  switch (codec) {
    case 'rle':
      return decodeRle(bytes, shape);
    case 'jpeg':
    case 'jpeg-lossless':
      return decodeJpeg(bytes, shape);
    case 'jpeg-ls':
    case 'jpeg-2000':
    case 'htj2k':
      return await decodeWasm(codec, bytes, shape);
    default:
      throw new DicomError(shape.path, 'transfer-syntax', `${codec} frames are not read`);
  }
}

function nativeFrame(
  { source, syntax, dataSet }: DicomFile,
  format: PixelFormat,
  { element, frame }: { element: DicomElement; frame: number },
): FrameSamples {
  const { rows, columns, samples, bitsAllocated } = format;
  const bits = rows * columns * samples * bitsAllocated;
  const needed = Math.ceil((bits * (frame + 1)) / 8);
  if (element.length < needed) {
    throw new DicomError(
      source.name,
      'truncated',
      `${element.length} bytes of pixels; frame ${frame + 1} needs ${needed}`,
    );
  }
  const stored = dataSet.bytes.subarray(element.offset, element.offset + element.length);
  // Words of two small samples have their bytes in the order of the file (PS3.5, 8.1.1 and 8.2).
  const bytes = syntax.bigEndian && element.vr === 'OW' && bitsAllocated <= 8 ? swappedPairs(stored) : stored;
  if (bitsAllocated === 1) return bitSamples(bytes, bits * frame, bits);
  const frameLength = bits / 8;
  return nativeSamples(bytes.subarray(frame * frameLength, (frame + 1) * frameLength), bitsAllocated, syntax.bigEndian);
}

function swappedPairs(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => bytes[i ^ 1] ?? byte);
}

/** The compressed bytes of one frame: one fragment, or several joined. */
function frameBytes(
  { source, dataSet }: DicomFile,
  { element, frame, frames }: { element: DicomElement; frame: number; frames: number },
): Uint8Array {
  const all = element.fragments;
  if (all === undefined || all.length < 2) {
    throw new DicomError(source.name, 'pixels', 'has no compressed frames; the file is damaged');
  }
  const [table, ...fragments] = all;
  const own = fragmentsOf(dataSet.bytes, { table, fragments, frame, frames });
  if (own === undefined || own.length === 0) {
    const found = `${fragments.length} fragments for ${frames} frames`;
    throw new DicomError(source.name, 'pixels', `${found}, and nothing tells which belong to frame ${frame + 1}`);
  }
  const parts = own.map(({ offset, length }) => dataSet.bytes.subarray(offset, offset + length));
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function fragmentsOf(
  bytes: Uint8Array,
  {
    table,
    fragments,
    frame,
    frames,
  }: { table: Fragment; fragments: readonly Fragment[]; frame: number; frames: number },
): readonly Fragment[] | undefined {
  if (frames === 1) return fragments;
  if (fragments.length === frames) return [fragments[frame]];
  if (table.length >= 4 * frames) {
    // Offsets count from the first byte of the first fragment's item tag.
    const view = new DataView(bytes.buffer, bytes.byteOffset + table.offset, table.length);
    const base = fragments[0].offset - 8;
    const from = base + view.getUint32(4 * frame, true);
    const to = frame + 1 < frames ? base + view.getUint32(4 * frame + 4, true) : Number.POSITIVE_INFINITY;
    return fragments.filter(({ offset }) => offset - 8 >= from && offset - 8 < to);
  }
  // Without a table a frame begins where a code stream does: JPEG's SOI, or JPEG 2000's SOC.
  const starts = fragments.flatMap(({ offset }, index) =>
    bytes[offset] === 0xff && (bytes[offset + 1] === 0xd8 || bytes[offset + 1] === 0x4f) ? [index] : [],
  );
  return starts.length === frames ? fragments.slice(starts[frame], starts[frame + 1]) : undefined;
}

/** Masks and sign-extends; notes bits beside the stored ones that are neither empty nor a sign. */
function toStored(
  samples: FrameSamples,
  { bitsAllocated, bitsStored, highBit, signed }: PixelFormat,
  onNote?: (text: string) => void,
): StoredValues {
  const shift = highBit + 1 - bitsStored;
  const unused = 32 - bitsStored;
  if (!signed && shift === 0 && bitsStored === bitsAllocated) return samples;
  const wide = bitsStored > 16;
  const mask = 2 ** bitsAllocated - 1;
  const stored = signed
    ? new (wide ? Int32Array : Int16Array)(samples.length)
    : new (wide ? Uint32Array : Uint16Array)(samples.length);
  let beside = 0;
  for (let i = 0; i < samples.length; i++) {
    const left = samples[i] << (unused - shift);
    const value = signed ? left >> unused : left >>> unused;
    stored[i] = value;
    const shifted = value << shift;
    // As a sign fills the upper bits, or as zeros do.
    const asSign = (shifted ^ samples[i]) & mask;
    if (asSign !== 0 && (((value & (2 ** bitsStored - 1)) << shift) ^ samples[i]) !== 0) beside++;
  }
  if (beside > 0) {
    const bits = `${bitsStored} stored bits of ${bitsAllocated}, highest ${highBit}`;
    onNote?.(`pixels have values in bits beside the stored ones (${bits}); these bits are left out`);
  }
  return stored;
}
