/**
 * RLE Lossless (PS3.5, annex G): PackBits segments, one for each byte of the samples, the most significant first.
 * The trap: segments may be padded, and their last run may go beyond the frame; both are cut, too short is an error.
 */
import { DicomError } from '../dicom-error.js';
import type { FrameSamples, FrameShape } from './codec-types.js';

const headerBytes = 64;

/** Decodes one frame. Throws DicomError `pixels`. */
export function decodeRle(bytes: Uint8Array, shape: FrameShape): FrameSamples {
  const { path, rows, columns, samples, bitsAllocated } = shape;
  const sampleBytes = bitsAllocated / 8;
  const wanted = samples * sampleBytes;
  const fail = (problem: string): never => {
    throw new DicomError(path, 'pixels', `RLE frame: ${problem}; the file is damaged`);
  };
  if (bytes.length < headerBytes) fail(`${bytes.length} bytes are no RLE header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = view.getUint32(0, true);
  if (segments !== wanted) fail(`${segments} segments; expected ${wanted} for ${bitsAllocated}-bit samples`);
  const pixels = rows * columns;
  // Two bytes make at most 128: a frame that is too short is known before anything is allocated for it.
  if (pixels * segments > 64 * bytes.length) fail(`${bytes.length} bytes cannot hold ${pixels} pixels`);
  const planes = new Uint8Array(pixels);
  const result = emptySamples(pixels * samples, bitsAllocated);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : bytes.length;
    if (start < headerBytes || end < start || end > bytes.length) fail(`segment ${segment + 1} lies outside the frame`);
    const filled = unpackBits(bytes.subarray(start, end), planes);
    if (filled < pixels) fail(`segment ${segment + 1} has ${filled} of ${pixels} bytes`);
    const sample = Math.floor(segment / sampleBytes);
    const shift = 8 * (sampleBytes - 1 - (segment % sampleBytes));
    for (let i = 0, at = sample; i < pixels; i++, at += samples) result[at] |= planes[i] << shift;
  }
  return result;
}

function emptySamples(length: number, bitsAllocated: number): FrameSamples {
  if (bitsAllocated <= 8) return new Uint8Array(length);
  return bitsAllocated <= 16 ? new Uint16Array(length) : new Uint32Array(length);
}

/** Unpacks until the output is full or the input ends; returns the bytes written. */
function unpackBits(input: Uint8Array, output: Uint8Array): number {
  let at = 0;
  let filled = 0;
  while (at + 1 < input.length && filled < output.length) {
    const control = input[at++];
    if (control < 128) {
      const run = input.subarray(at, Math.min(at + control + 1, input.length)).subarray(0, output.length - filled);
      output.set(run, filled);
      filled += run.length;
      at += control + 1;
    } else if (control > 128) {
      const end = Math.min(filled + 257 - control, output.length);
      output.fill(input[at++], filled, end);
      filled = end;
    }
  }
  return filled;
}
