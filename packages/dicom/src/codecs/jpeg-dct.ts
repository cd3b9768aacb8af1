/**
 * DCT-based JPEG (ITU-T T.81, annexes F and G), sequential and progressive, 8 or 12 bits, one component: coefficients
 * of all blocks first, then dequantization and inverse transform in float. Results may differ from another decoder's
 * by 1, as the standard allows.
 */
import { DicomError } from '../dicom-error.js';
import { BitReader } from './jpeg-bits.js';
import type { FrameShape } from './codec-types.js';
import type { HuffmanTable, JpegReader, JpegScan } from './jpeg-markers.js';

/** Position in the block of the k-th coefficient. */
const zigzag = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]);
/** Real files have about ten; each costs a pass over all blocks. */
const scanLimit = 64;

/** Decodes the scans of a frame. Throws DicomError `pixels`. */
export function decodeDct({ path, onNote }: FrameShape, bytes: Uint8Array, reader: JpegReader): Uint16Array {
  const { rows, columns, bits, process } = reader.frame;
  const across = Math.ceil(columns / 8);
  const blocks = across * Math.ceil(rows / 8);
  const coefficients = new Int32Array(blocks * 64);
  const fail = (problem: string): never => {
    throw new DicomError(path, 'pixels', `JPEG frame: ${problem}; the file is damaged`);
  };
  if (bits !== 8 && bits !== 12) fail(`${bits} bits; expected 8 or 12`);
  let quantization: Uint16Array | undefined;
  let offset: number | undefined;
  let scans = 0;
  for (let stated = reader.next(); stated !== undefined; stated = reader.next(offset)) {
    if (++scans > scanLimit) fail(`more than ${scanLimit} scans`);
    const isSequential = process < 2;
    // A sequential scan holds all coefficients, whatever an encoder wrote there (B.2.3: Ss is 0, Se is 63).
    const scan = isSequential ? { ...stated, start: 0, end: 63 } : stated;
    if (stated.end !== scan.end || stated.start !== scan.start) {
      onNote?.(
        `JPEG frames state the band ${stated.start} to ${stated.end}; read as 0 to 63, as sequential ones must be`,
      );
    }
    if (scan.start > scan.end || scan.end > 63) fail(`band ${scan.start} to ${scan.end}`);
    quantization = scan.quantization;
    const input = new BitReader(path, bytes, scan.dataOffset);
    const decodeBlock = blockDecoder(scan, input, { coefficients, progressive: process === 2, fail });
    for (let block = 0; block < blocks; block++) {
      if (scan.restartInterval > 0 && block > 0 && block % scan.restartInterval === 0) {
        input.restart();
        decodeBlock.reset();
      }
      decodeBlock.decode(block * 64);
    }
    offset = input.offset;
  }
  if (quantization === undefined) return fail('no scan, or one without its quantization table');
  return inverse(coefficients, quantization, { rows, columns, bits });
}

interface BlockDecoder {
  decode(at: number): void;
  reset(): void;
}

interface Target {
  readonly coefficients: Int32Array;
  readonly progressive: boolean;
  readonly fail: (problem: string) => never;
}

function blockDecoder(scan: JpegScan, input: BitReader, { coefficients, progressive, fail }: Target): BlockDecoder {
  const { start, end, high, low } = scan;
  let previous = 0;
  /** Blocks that are known to hold no more of this band (G.1.2.2). */
  let endOfBand = 0;
  const need = (table: HuffmanTable | undefined): HuffmanTable => table ?? fail('a scan without its Huffman table');

  const readDc = (at: number): void => {
    const size = input.symbol(need(scan.dc));
    if (size > 16) fail(`a difference of ${size} bits`);
    previous += input.signed(size);
    coefficients[at] = previous * (1 << low);
  };
  const readAc = (at: number, from: number): void => {
    const table = need(scan.ac);
    for (let k = from; k <= end; k++) {
      const symbol = input.symbol(table);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0 && run < 15) {
        // Sequential images know only the end of one block.
        if (progressive) endOfBand = (1 << run) + input.take(run) - 1;
        return;
      }
      k += run;
      if (size > 0) {
        if (k > end) fail('a coefficient outside its band');
        coefficients[at + zigzag[k]] = input.signed(size) * (1 << low);
      }
    }
  };
  /** One more bit of the coefficients that are not zero, up to the place of the next new one. */
  const refine = (at: number, from: number, zeros: number): number => {
    let k = from;
    for (let left = zeros; k <= end; k++) {
      const place = at + zigzag[k];
      const value = coefficients[place];
      if (value === 0) {
        if (left-- === 0) break;
      } else if (input.take(1) === 1 && (Math.abs(value) & (1 << low)) === 0) {
        coefficients[place] += value > 0 ? 1 << low : -(1 << low);
      }
    }
    return k;
  };
  const refineAc = (at: number): void => {
    let k = start;
    if (endOfBand === 0) {
      const table = need(scan.ac);
      while (k <= end) {
        const symbol = input.symbol(table);
        const [run, size] = [symbol >> 4, symbol & 15];
        if (size === 0 && run < 15) {
          endOfBand = (1 << run) + input.take(run);
          break;
        }
        const value = size === 0 ? 0 : input.take(1) === 1 ? 1 << low : -(1 << low);
        k = refine(at, k, run);
        if (value !== 0 && k > end) fail('a coefficient outside its band');
        if (value !== 0) coefficients[at + zigzag[k]] = value;
        k++;
      }
    }
    if (endOfBand > 0) {
      refine(at, k, 64);
      endOfBand--;
    }
  };

  return {
    reset: () => {
      previous = 0;
      endOfBand = 0;
    },
    decode: (at) => {
      if (!progressive) {
        readDc(at);
        if (end > 0) readAc(at, 1);
      } else if (start === 0) {
        if (high === 0) readDc(at);
        else if (input.take(1) === 1) coefficients[at] |= 1 << low;
      } else if (high > 0) refineAc(at);
      else if (endOfBand > 0) endOfBand--;
      else readAc(at, start);
    },
  };
}

/** cosines[x·8 + u] = C(u)/2 · cos((2x + 1)uπ/16). */
const cosines = Float64Array.from({ length: 64 }, (_, i) => {
  const [x, u] = [i >> 3, i & 7];
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

function inverse(
  coefficients: Int32Array,
  quantization: Uint16Array,
  { rows, columns, bits }: { rows: number; columns: number; bits: number },
): Uint16Array {
  const samples = new Uint16Array(rows * columns);
  const across = Math.ceil(columns / 8);
  const scale = Uint16Array.from({ length: 64 });
  zigzag.forEach((place, k) => {
    scale[place] = quantization[k];
  });
  const [offset, highest] = [1 << (bits - 1), (1 << bits) - 1];
  const half = new Float64Array(64);
  for (let block = 0; block * 64 < coefficients.length; block++) {
    const [left, top] = [(block % across) * 8, Math.floor(block / across) * 8];
    for (let v = 0; v < 8; v++) {
      for (let x = 0; x < 8; x++) {
        let sum = 0;
        for (let u = 0; u < 8; u++) sum += cosines[x * 8 + u] * coefficients[block * 64 + v * 8 + u] * scale[v * 8 + u];
        half[v * 8 + x] = sum;
      }
    }
    const [height, width] = [Math.min(8, rows - top), Math.min(8, columns - left)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = offset;
        for (let v = 0; v < 8; v++) sum += cosines[y * 8 + v] * half[v * 8 + x];
        samples[(top + y) * columns + left + x] = Math.min(highest, Math.max(0, Math.round(sum)));
      }
    }
  }
  return samples;
}
