/**
 * JPEG frames of grey images with 2 to 16 bits: lossless (ITU-T T.81, annex H: any predictor) and DCT (annexes F and
 * G: baseline, extended, progressive). Which one it is, the frame header says, whatever the transfer syntax claims.
 */
import { DicomError } from '../dicom-error.js';
import { checkCodeStream } from './code-stream.js';
import type { FrameSamples, FrameShape } from './codec-types.js';
import { BitReader } from './jpeg-bits.js';
import { decodeDct } from './jpeg-dct.js';
import { type JpegReader, readJpeg } from './jpeg-markers.js';

/** Decodes one frame. Throws DicomError `pixels`. */
export function decodeJpeg(bytes: Uint8Array, shape: FrameShape): FrameSamples {
  if (shape.samples !== 1) throw new DicomError(shape.path, 'color', 'colour JPEG images are not read');
  checkCodeStream('JPEG', bytes, shape);
  const reader = readJpeg(shape.path, bytes);
  const samples =
    reader.frame.process === 3 ? decodeLossless(shape.path, bytes, reader) : decodeDct(shape, bytes, reader);
  return shape.bitsAllocated > 8 ? samples : Uint8Array.from(samples);
}

function decodeLossless(path: string, bytes: Uint8Array, reader: JpegReader): Uint16Array {
  const { rows, columns, bits } = reader.frame;
  const scan = reader.next();
  const fail = (problem: string): never => {
    throw new DicomError(path, 'pixels', `JPEG lossless frame: ${problem}; the file is damaged`);
  };
  if (scan?.dc === undefined) return fail('no scan, or one without its table');
  const { dc, start: predictor, low: pointTransform, restartInterval } = scan;
  if (predictor < 1 || predictor > 7 || pointTransform >= bits) fail(`predictor ${predictor} does not exist`);
  const input = new BitReader(path, bytes, scan.dataOffset);
  const samples = new Uint16Array(rows * columns);
  const initial = 1 << (bits - pointTransform - 1);
  // A restart begins a new line (H.1.1), so the interval is whole rows.
  if (restartInterval % columns !== 0) fail(`restart interval ${restartInterval} is not whole rows`);
  let firstRow = 0;
  for (let y = 0, at = 0; y < rows; y++) {
    if (restartInterval > 0 && y > 0 && (y * columns) % restartInterval === 0) {
      input.restart();
      firstRow = y;
    }
    for (let x = 0; x < columns; x++, at++) {
      const size = input.symbol(dc);
      if (size > 16) fail(`a difference of ${size} bits`);
      // 32768 is written without bits of its own.
      const difference = size === 16 ? 32_768 : input.signed(size);
      let prediction: number;
      if (y === firstRow) prediction = x === 0 ? initial : samples[at - 1];
      else if (x === 0) prediction = samples[at - columns];
      else prediction = predict(predictor, samples[at - 1], samples[at - columns], samples[at - columns - 1]);
      // The array keeps 16 bits, which is the standard's arithmetic modulo 65536.
      samples[at] = prediction + difference;
    }
  }
  if (pointTransform > 0) for (let i = 0; i < samples.length; i++) samples[i] <<= pointTransform;
  return samples;
}

/** Table H.1; a is the sample to the left, b the one above, c the one above left. */
function predict(predictor: number, a: number, b: number, c: number): number {
  switch (predictor) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}
