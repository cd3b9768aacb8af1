/**
 * The size that a compressed frame states itself: the frame header (SOF) of the JPEG family (ITU-T T.81, B.2.2 and
 * T.87), the SIZ marker of JPEG 2000 and HTJ2K (T.800, A.5.1). It is compared with the DICOM header before a decoder
 * allocates memory for it.
 */
import { DicomError } from '../dicom-error.js';
import type { FrameShape } from './codec-types.js';

export interface CodeStreamSize {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly bits: number;
}

/** @throws DicomError `pixels` when the code stream states no size, or another one than the header */
export function checkCodeStream(kind: string, bytes: Uint8Array, shape: FrameShape): CodeStreamSize {
  const { path, rows, columns, samples, bitsAllocated } = shape;
  const size = kind === 'jpeg-2000' || kind === 'htj2k' ? jpeg2000Size(bytes) : jpegSize(bytes);
  if (size === undefined) throw new DicomError(path, 'pixels', `the ${kind} frame has no header; the file is damaged`);
  const { width, height, components, bits } = size;
  if (width !== columns || height !== rows || components !== samples || bits > bitsAllocated) {
    throw new DicomError(
      path,
      'pixels',
      `the ${kind} frame is ${width}×${height}, ${components} samples of ${bits} bits; ` +
        `the header says ${columns}×${rows}, ${samples} of ${bitsAllocated}`,
    );
  }
  return size;
}

function jpegSize(bytes: Uint8Array): CodeStreamSize | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    // SOF0–15 without DHT, JPG and DAC; F7 is JPEG-LS.
    const isFrame = (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) || marker === 0xf7;
    const word = (offset: number): number => (bytes[at + offset] << 8) | bytes[at + offset + 1];
    if (isFrame) return { bits: bytes[at + 4], height: word(5), width: word(7), components: bytes[at + 9] };
    if (word(2) < 2) return undefined;
    at += 2 + word(2);
  }
  return undefined;
}

/**
 * The frame of a JPEG-LS code stream without padding, or undefined when its data do not reach their end marker: no other
 * marker but restarts and further scans may stand in the coded data (where FF is followed by a byte below 80). Frames are
 * padded to an even length behind the end marker, with 0 or (as in the reference images of NEMA's working group 4) with FF.
 */
export function wholeScan(bytes: Uint8Array): Uint8Array | undefined {
  let end = bytes.length;
  while (end > 2 && (bytes[end - 1] === 0 || bytes[end - 1] === 0xff)) end--;
  if (bytes[end - 2] !== 0xff || bytes[end - 1] !== 0xd9) return undefined;
  let at = 2;
  while (at < end - 2) {
    if (bytes[at] !== 0xff || bytes[at + 1] < 0x80) at++;
    else if (bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7) at += 2;
    else if (bytes[at + 1] === 0xff) at++;
    // SOF55, LSE, SOS and what else has a length may stand between scans.
    else if (bytes[at + 1] === 0xd9 || bytes[at + 1] < 0xc0) return undefined;
    else at += 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
  }
  return at === end - 2 ? bytes.subarray(0, end) : undefined;
}

/** A raw code stream, or one in a JP2 box (which DICOM forbids but exists): SIZ follows SOC at once. */
function jpeg2000Size(bytes: Uint8Array): CodeStreamSize | undefined {
  const limit = Math.min(bytes.length - 44, 4096);
  for (let at = 0; at <= limit; at++) {
    if (bytes[at] !== 0xff || bytes[at + 1] !== 0x4f || bytes[at + 2] !== 0xff || bytes[at + 3] !== 0x51) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    const width = view.getUint32(8) - view.getUint32(16);
    const height = view.getUint32(12) - view.getUint32(20);
    // Tiles smaller than this would only serve to make a decoder busy.
    if (view.getUint32(24) < 16 && width > 256) return undefined;
    return { width, height, components: view.getUint16(40), bits: (view.getUint8(42) & 0x7f) + 1 };
  }
  return undefined;
}
