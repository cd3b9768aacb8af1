/**
 * The parts of a JPEG code stream (ITU-T T.81, annex B) that its processes share: markers, tables, frame and scan
 * headers. Our own, because no kept package for Node decodes 12-bit JPEG; grey images only (one component), which is
 * all a CT needs. Huffman processes only: arithmetic coding was never used for DICOM.
 */
import { DicomError } from '../dicom-error.js';

interface JpegFrame {
  /** 0 baseline, 1 extended, 2 progressive, 3 lossless. */
  readonly process: number;
  readonly bits: number;
  readonly rows: number;
  readonly columns: number;
}

/** One scan: its header, the tables in force and where its entropy-coded data begin. */
export interface JpegScan {
  readonly dc?: HuffmanTable;
  readonly ac?: HuffmanTable;
  readonly quantization?: Uint16Array;
  readonly restartInterval: number;
  /** Ss and Se: spectral band; for lossless Ss is the predictor. */
  readonly start: number;
  readonly end: number;
  /** Ah and Al: successive approximation; for lossless Al is the point transform. */
  readonly high: number;
  readonly low: number;
  readonly dataOffset: number;
}

/** By the next 16 bits: code length in the upper byte, 0 for no such code, symbol in the lower. */
export type HuffmanTable = Uint16Array;

export interface JpegReader {
  readonly frame: JpegFrame;
  /** The next scan; `offset` is where the data of the last one ended. Undefined at the end of the image. */
  next(offset?: number): JpegScan | undefined;
}

/** Reads up to the frame header. Throws DicomError `pixels`. */
export function readJpeg(path: string, bytes: Uint8Array): JpegReader {
  const dc: HuffmanTable[] = [];
  const ac: HuffmanTable[] = [];
  const quantization: Uint16Array[] = [];
  let frame: JpegFrame | undefined;
  let quantizer = 0;
  let restartInterval = 0;
  let at = 2;
  const fail = (problem: string): never => {
    throw new DicomError(path, 'pixels', `JPEG frame: ${problem}; the file is damaged`);
  };
  const word = (offset: number): number => (bytes[offset] << 8) | bytes[offset + 1];

  const readTables = (from: number, end: number): void => {
    for (let p = from; p < end; ) {
      const [kind, index] = [bytes[p] >> 4, bytes[p] & 15];
      const counts = bytes.subarray(p + 1, p + 17);
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (kind > 1 || index > 3 || p + 17 + total > end) fail('a Huffman table is out of range');
      const table = huffmanTable(counts, bytes.subarray(p + 17, p + 17 + total));
      if (table === undefined) fail('a Huffman table has more codes than there are');
      else (kind === 0 ? dc : ac)[index] = table;
      p += 17 + total;
    }
  };
  const readQuantization = (from: number, end: number): void => {
    for (let p = from; p < end; ) {
      const [wide, index] = [bytes[p] >> 4 === 1, bytes[p] & 15];
      const length = wide ? 128 : 64;
      if (index > 3 || p + 1 + length > end) fail('a quantization table is out of range');
      quantization[index] = Uint16Array.from({ length: 64 }, (_, i) => (wide ? word(p + 1 + 2 * i) : bytes[p + 1 + i]));
      p += 1 + length;
    }
  };
  const readScan = (from: number): JpegScan => {
    if (bytes[from] !== 1) fail(`${bytes[from]} components in a scan; expected 1`);
    const tables = bytes[from + 2];
    const [start, end, approximation] = [bytes[from + 3], bytes[from + 4], bytes[from + 5]];
    return {
      dc: dc[tables >> 4],
      ac: ac[tables & 15],
      quantization: quantization[quantizer],
      restartInterval,
      start,
      end,
      high: approximation >> 4,
      low: approximation & 15,
      dataOffset: from + 6,
    };
  };
  const readFrame = (marker: number, from: number): void => {
    if (marker > 0xc3) fail(`process SOF${marker - 0xc0} is not read`);
    frame = { process: marker - 0xc0, bits: bytes[from], rows: word(from + 1), columns: word(from + 3) };
    quantizer = bytes[from + 8];
  };

  /** Goes on to the next scan, or with `untilFrame` to the frame header. */
  const advance = (untilFrame: boolean): JpegScan | undefined => {
    while (at + 3 < bytes.length) {
      const marker = bytes[at + 1];
      // Fill bytes, and entropy-coded data that a scan did not need.
      if (bytes[at] !== 0xff || marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7)) {
        at++;
        continue;
      }
      if (marker === 0xd9) return undefined;
      const from = at + 4;
      const end = at + 2 + word(at + 2);
      if (end < from || end > bytes.length) fail('a marker segment is out of range');
      at = end;
      if (marker === 0xc4) readTables(from, end);
      else if (marker === 0xdb) readQuantization(from, end);
      else if (marker === 0xdd) restartInterval = word(from);
      else if (marker === 0xda) return readScan(from);
      else if (marker >= 0xc0 && marker <= 0xcf) {
        readFrame(marker, from);
        if (untilFrame) return undefined;
      }
    }
    return undefined;
  };

  advance(true);
  if (frame === undefined) return fail('no frame header');
  return {
    frame,
    next: (offset) => {
      if (offset !== undefined) at = Math.max(at, offset);
      return advance(false);
    },
  };
}

function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable | undefined {
  const table = new Uint16Array(65_536);
  let code = 0;
  let symbol = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < counts[length - 1]; i++) {
      const first = code << (16 - length);
      const last = (code + 1) << (16 - length);
      if (last > 65_536) return undefined;
      table.fill((length << 8) | symbols[symbol++], first, last);
      code++;
    }
    code <<= 1;
  }
  return table;
}
