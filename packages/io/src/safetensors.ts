/**
 * safetensors: named float32 tensors in one file (https://github.com/huggingface/safetensors, "Format"): 8 bytes of
 * header length (little-endian), a JSON header with shapes and byte ranges, then the data without gaps.
 * Only F32 is written and read. The decoder trusts nothing: every range and shape is checked before it is used.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { hostIsLittleEndian, swapBytes } from './voxels/byte-order.js';

/** One tensor, C order. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Content of a safetensors file; the tensors in the order of their data. */
export interface StoredTensors {
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

/** A safetensors file that cannot be read or written; code `safetensors`, fields `name` and `tensor`. */
export class SafetensorsError extends QuickcolumnError {
  constructor(name: string, problem: string, tensor?: string) {
    const where = tensor === undefined ? name : `${name}: tensor ${JSON.stringify(tensor)}`;
    super('safetensors', `${where}: ${problem}`, { name, tensor });
  }
}

/** The limit of the reference implementation. */
const largestHeader = 100_000_000;
const metadataKey = '__metadata__';

/** Encodes tensors in the map's order. Throws SafetensorsError when a shape does not match its data. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  // Text by hand, not an object: an object would swallow a tensor named __proto__.
  const entries = Object.keys(metadata).length === 0 ? [] : [`"${metadataKey}":${JSON.stringify(metadata)}`];
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    if (name === metadataKey) throw new SafetensorsError('encode', 'this name is reserved', name);
    if (!isShape(shape) || elements(shape) !== data.length) {
      throw new SafetensorsError('encode', `shape [${shape.join(', ')}] does not hold ${data.length} values`, name);
    }
    const begin = end;
    end += data.length * 4;
    const entry = JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, end] });
    entries.push(`${JSON.stringify(name)}:${entry}`);
  }
  let header = new TextEncoder().encode(`{${entries.join(',')}}`);
  const padding = (8 - (header.length % 8)) % 8;
  if (padding > 0) header = new TextEncoder().encode(`{${entries.join(',')}}${' '.repeat(padding)}`);
  const bytes = new Uint8Array(8 + header.length + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of tensors.values()) {
    // The padded header keeps the data aligned.
    if (hostIsLittleEndian) new Float32Array(bytes.buffer, at, data.length).set(data);
    else data.forEach((value, i) => view.setFloat32(at + 4 * i, value, true));
    at += data.length * 4;
  }
  return bytes;
}

/** Decodes a whole file; the tensors are copies. `name` stands in messages. Throws SafetensorsError. */
export function decodeSafetensors(bytes: Uint8Array, name: string): StoredTensors {
  const { header, dataStart } = readHeader(bytes, name);
  const dataBytes = bytes.length - dataStart;
  let metadata: Record<string, string> = {};
  const ranges: { key: string; shape: number[]; begin: number; end: number }[] = [];
  for (const [key, entry] of Object.entries(header)) {
    if (key === metadataKey) metadata = readMetadata(entry, name);
    else ranges.push({ key, ...readEntry(entry, key, name, dataBytes) });
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, StoredTensor>();
  let expected = 0;
  for (const { key, shape, begin, end } of ranges) {
    if (begin !== expected) {
      throw new SafetensorsError(name, `its data begin at byte ${begin}, expected ${expected} (gap or overlap)`, key);
    }
    expected = end;
    // A copy of its own buffer, because views must be aligned and must not pin the whole file. (Not slice: a Buffer's
    // slice is a view.)
    const own = new ArrayBuffer(end - begin);
    new Uint8Array(own).set(bytes.subarray(dataStart + begin, dataStart + end));
    if (!hostIsLittleEndian) swapBytes(own, 4);
    tensors.set(key, { shape, data: new Float32Array(own) });
  }
  if (expected !== dataBytes) {
    throw new SafetensorsError(name, `${dataBytes} bytes of data, the header describes ${expected}`);
  }
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array, name: string): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) throw new SafetensorsError(name, `truncated: ${bytes.length} bytes, expected at least 8`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > largestHeader || 8 + length > bytes.length) {
    throw new SafetensorsError(
      name,
      `the header should be ${length} bytes, the file has ${bytes.length}: truncated or not a safetensors file`,
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw new SafetensorsError(name, 'the header is not JSON: damaged or not a safetensors file');
  }
  if (!isRecord(header)) throw new SafetensorsError(name, 'the header is not a JSON object');
  return { header, dataStart: 8 + length };
}

function readMetadata(entry: unknown, name: string): Record<string, string> {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === 'string')) {
    throw new SafetensorsError(name, `${metadataKey} must map text to text`);
  }
  return entry as Record<string, string>;
}

function readEntry(
  entry: unknown,
  key: string,
  name: string,
  dataBytes: number,
): { shape: number[]; begin: number; end: number } {
  if (!isRecord(entry)) throw new SafetensorsError(name, 'its header entry is not an object', key);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') throw new SafetensorsError(name, `type ${String(dtype)}; only F32 is supported`, key);
  if (!isShape(shape)) throw new SafetensorsError(name, `shape ${JSON.stringify(shape)} is not a list of sizes`, key);
  if (!isShape(offsets) || offsets.length !== 2) {
    throw new SafetensorsError(name, `data_offsets ${JSON.stringify(offsets)} are not two byte positions`, key);
  }
  const [begin, end] = offsets;
  if (end > dataBytes) throw new SafetensorsError(name, `ends at byte ${end} of ${dataBytes}: truncated`, key);
  if (end - begin !== elements(shape) * 4) {
    throw new SafetensorsError(name, `${end - begin} bytes for shape [${shape.join(', ')}] of F32`, key);
  }
  return { shape: [...shape], begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
