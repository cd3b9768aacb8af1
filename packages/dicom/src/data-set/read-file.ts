/**
 * Part 10 files (PS3.10): preamble, file meta information, data set. Files without both (as some old archives and
 * sorted exports have them) are taken as implicit or explicit little endian when their first element says so.
 *
 * For a listing only the bytes before the pixel data are read: a window that grows until the header is complete.
 */
import { inflateRawSync } from 'node:zlib';
import { type DataSet, text } from './data-set.js';
import { DicomError } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import { type ParsedDataSet, parseDataSet } from './parse-data-set.js';
import type { DicomSource } from '../sources/dicom-source.js';
import {
  explicitLittleEndian,
  implicitLittleEndian,
  type TransferSyntax,
  transferSyntaxOf,
} from './transfer-syntax.js';

/** The data set of a file and how it is encoded. */
export interface DicomFile {
  readonly source: DicomSource;
  readonly syntax: TransferSyntax;
  readonly dataSet: DataSet;
}

const preambleBytes = 128;
const firstWindow = 1 << 16;
const transferSyntaxUid = 0x00020010;

/** True when these first bytes (132 or more) may be those of a DICOM file; cheap, for sorting out other files. */
export function looksLikeDicom(start: Uint8Array): boolean {
  return hasPreamble(start) || bareSyntax(start) !== undefined;
}

/**
 * Reads everything before the pixel data; that element has offset and length but its value is not in the bytes.
 * Throws DicomError and FileError.
 */
export async function readHeader(source: DicomSource): Promise<DicomFile> {
  const { headerBytes } = dicomLimits;
  for (let window = firstWindow; ; window = Math.min(8 * window, headerBytes)) {
    const whole = window >= source.bytes;
    const bytes = await source.read(window);
    try {
      return parseFile(source, bytes, true);
    } catch (error) {
      const grow = error instanceof DicomError && error.reason === 'truncated' && !whole;
      if (!grow) throw error;
      if (window === headerBytes) {
        throw new DicomError(source.name, 'limit', `its header is longer than ${headerBytes} bytes`);
      }
    }
  }
}

/**
 * What can be read of the beginning of a damaged file: perhaps nothing. Never throws for what is wrong with it; FileError
 * when it cannot be read at all.
 */
export async function readBeginning(source: DicomSource): Promise<DataSet> {
  const nothing: DataSet = { bytes: new Uint8Array(0), bigEndian: false, elements: new Map() };
  const bytes = await source.read(firstWindow).catch((error: unknown) => {
    if (error instanceof DicomError) return undefined;
    throw error;
  });
  if (bytes === undefined || !looksLikeDicom(bytes)) return nothing;
  const path = source.name;
  const options = { path, bigEndian: false, headerOnly: true, partial: true };
  if (!hasPreamble(bytes)) {
    return parseDataSet(bytes, 0, { ...options, implicit: bareSyntax(bytes)?.implicit ?? false });
  }
  const start = preambleBytes + 4;
  const meta = parseDataSet(bytes, start, { ...options, implicit: false, group: 2 });
  const stated = transferSyntaxOf(text(meta, transferSyntaxUid) ?? '');
  if (stated?.deflated) return nothing;
  // Syntaxes that are not known are explicit little endian, nearly all.
  const { implicit, bigEndian } = stated ?? explicitLittleEndian;
  return parseDataSet(bytes, meta.end, { ...options, implicit, bigEndian });
}

/** Reads and parses the whole file. Throws DicomError and FileError. */
export async function readFile(source: DicomSource): Promise<DicomFile> {
  return parseFile(source, await source.read(), false);
}

/** Parses the bytes of a file. Throws DicomError. */
export function parseFile(source: DicomSource, bytes: Uint8Array, headerOnly: boolean): DicomFile {
  const path = source.name;
  if (!hasPreamble(bytes)) {
    const syntax = bareSyntax(bytes);
    if (syntax === undefined) throw new DicomError(path, 'not-dicom', "is not a DICOM file (no 'DICM' at byte 128)");
    const { implicit } = syntax;
    return { source, syntax, dataSet: parseDataSet(bytes, 0, { path, implicit, bigEndian: false, headerOnly }) };
  }
  const meta = parseDataSet(bytes, preambleBytes + 4, { path, implicit: false, bigEndian: false, group: 2 });
  const uid = text(meta, transferSyntaxUid);
  const syntax = uid === undefined ? undefined : transferSyntaxOf(uid);
  if (syntax === undefined) {
    const named = uid === undefined ? 'no transfer syntax is stated' : `transfer syntax ${uid} is not read`;
    throw new DicomError(path, 'transfer-syntax', `${named}; convert the file to Explicit VR Little Endian`);
  }
  const { implicit, bigEndian } = syntax;
  const options = { path, implicit, bigEndian, headerOnly };
  const dataSet = syntax.deflated
    ? parseDataSet(inflate(path, bytes, { meta, complete: bytes.length >= source.bytes }), 0, options)
    : parseDataSet(bytes, meta.end, options);
  return { source, syntax, dataSet };
}

/** The deflated data set; of a window, as far as it goes. */
function inflate(
  path: string,
  bytes: Uint8Array,
  { meta, complete }: { meta: ParsedDataSet; complete: boolean },
): Uint8Array {
  // A half stream inflates to half a data set, whose parser then asks for more; there is no need for a second path.
  if (!complete) throw new DicomError(path, 'truncated', 'its deflated data set is not complete');
  try {
    return inflateRawSync(bytes.subarray(meta.end), { maxOutputLength: dicomLimits.inflatedBytes });
  } catch (cause) {
    const tooLong = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (tooLong) throw new DicomError(path, 'limit', `unpacks to more than ${dicomLimits.inflatedBytes} bytes`);
    throw new DicomError(path, 'damaged', 'its deflated data set cannot be unpacked', { cause });
  }
}

function hasPreamble(bytes: Uint8Array): boolean {
  return bytes.length > 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 && bytes[131] === 0x4d;
}

/** Without a preamble the file must begin with a short element of group 8, as every image's does. */
function bareSyntax(bytes: Uint8Array): TransferSyntax | undefined {
  if (bytes.length < 132) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== 8 || view.getUint16(2, true) > 0x18) return undefined;
  const vr = String.fromCharCode(bytes[4], bytes[5]);
  if (/^(UL|CS|UI|DA|TM|SH|LO)$/.test(vr)) return explicitLittleEndian;
  return view.getUint32(4, true) <= 64 ? implicitLittleEndian : undefined;
}
