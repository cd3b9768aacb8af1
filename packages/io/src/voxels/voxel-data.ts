/**
 * The voxels of formats with a text header (NRRD, MetaImage): attached to the header or in files of their own, raw,
 * compressed or as text. The format's reader says where they are; here they are found, checked and decoded.
 */
import type { QuickcolumnError } from '@quickcolumn/errors';
import type { Size3, Volume } from '@quickcolumn/volume';
import {
  type ByteRange,
  type ByteSource,
  describeReadError,
  type FileStore,
  fillFrom,
  InflateError,
  largestDeflateRatio,
  longestCompressedSkip,
} from '../files/byte-source.js';
import { decodeScalars, type ScalarType } from './scalars.js';
import { latin1 } from '../headers/text-header.js';
import { decodeHex, decodeText, textLimitBytes } from './voxel-text.js';

/** How voxels are written. `deflate` is zlib or gzip; `text` is decimal numbers, `hex` two digits a byte. */
export type VoxelEncoding = 'raw' | 'gzip' | 'deflate' | 'text' | 'hex';

/** Where the voxels are and how to read them. */
export interface VoxelData {
  readonly size: Size3;
  readonly type: ScalarType;
  readonly littleEndian: boolean;
  readonly encoding: VoxelEncoding;
  /** Names of data files as the header gives them; without them the voxels follow the header at `start`. */
  readonly files?: readonly string[];
  readonly start: number;
  /** Compressed bytes of attached voxels, where the header tells. */
  readonly length?: number;
  /** Lines of the data file to leave out before anything else. */
  readonly skipLines: number;
  /** Bytes to leave out after decompression; −1: the voxels are the last bytes of the file. */
  readonly skipBytes: number;
}

/** What a reader's errors are made of: `field` names the part of the header that is wrong. */
export interface VoxelDataContext {
  readonly store: FileStore;
  readonly path: string;
  readonly maxBytes: number;
  readonly fields: { readonly size: string; readonly files: string };
  readonly refuse: (path: string, field: string, problem: string, options?: { cause?: unknown }) => QuickcolumnError;
}

/** Largest number of data files one header may name: more slices than any scan has. */
export const mostDataFiles = 4096;

/** Reads the voxels. Throws what `refuse` makes of every problem; allocates only after all promises were checked. */
export async function readVoxelData(data: VoxelData, context: VoxelDataContext): Promise<Volume['voxels']> {
  const { path, refuse, fields, maxBytes } = context;
  const voxels = data.size[0] * data.size[1] * data.size[2];
  const bytes = voxels * data.type.bytes;
  const shape = `${data.size.join('×')} voxels of ${data.type.name}`;
  if (!(bytes <= maxBytes)) {
    throw refuse(path, fields.size, `${shape} need ${bytes} bytes, more than the limit of ${maxBytes}`);
  }
  if (compressionOf(data.encoding) !== 'none' && data.skipBytes > longestCompressedSkip) {
    throw refuse(path, 'voxels', `${data.skipBytes} bytes to skip, more than the limit of ${longestCompressedSkip}`);
  }
  const parts = data.files === undefined ? [path] : await containedFiles(data.files, context);
  if (voxels % parts.length !== 0) {
    throw refuse(path, fields.files, `${parts.length} files cannot hold ${shape} in equal parts`);
  }
  const partBytes = bytes / parts.length;
  // Every file is looked at before the voxels are allocated.
  for (const part of parts) {
    await usePart(part, data, context, async ({ length = 0 }) => {
      const available = Math.max(0, availableBytes(data, length) - Math.max(0, data.skipBytes));
      if (partBytes <= available) return;
      const problem = `${shape} take ${partBytes} bytes of this file, which has at most ${available}`;
      throw refuse(part, 'voxels', `truncated: ${problem}`);
    });
  }
  let buffer: ArrayBuffer;
  try {
    buffer = new ArrayBuffer(bytes);
  } catch (cause) {
    throw refuse(path, fields.size, `${shape}: ${bytes} bytes cannot be allocated here`, { cause });
  }
  for (const [index, part] of parts.entries()) {
    const target = new Uint8Array(buffer, index * partBytes, partBytes);
    await usePart(part, data, context, async (range) => {
      const filled = await fillPart(range, target, data, (problem) => refuse(part, 'voxels', problem));
      if (filled === partBytes) return;
      throw refuse(part, 'voxels', `truncated: the file ends after ${filled} of ${partBytes} bytes of voxels`);
    });
  }
  // Text is decoded to numbers at once; only stored bytes have an order.
  if (data.encoding === 'text') return data.type.view(buffer);
  return decodeScalars(buffer, data.type, data.littleEndian, (problem) => refuse(path, 'voxels', problem));
}

/** Fills the bytes of one part; returns how many there were. */
async function fillPart(
  range: ByteRange,
  target: Uint8Array<ArrayBuffer>,
  { encoding, type, skipBytes }: VoxelData,
  refuse: (problem: string) => QuickcolumnError,
): Promise<number> {
  if (encoding !== 'text' && encoding !== 'hex') {
    return await fillFrom(range, compressionOf(encoding), target, Math.max(0, skipBytes));
  }
  const { source, start, length = 0 } = range;
  if (length > textLimitBytes) {
    throw refuse(`${length} bytes of text, more than the limit of ${textLimitBytes}; convert it to raw`);
  }
  const bytes = new Uint8Array(length);
  const text = latin1(bytes.subarray(0, await fillFrom({ source, start, length }, 'none', bytes)));
  if (encoding === 'hex') return decodeHex(text, target, refuse);
  const from = target.byteOffset / type.bytes;
  decodeText(text, type, type.view(target.buffer).subarray(from, from + target.length / type.bytes), refuse);
  return target.length;
}

/** The data files of a header as paths. Throws for names that the store must not reach, and too many of them. */
export async function containedFiles(names: readonly string[], context: VoxelDataContext): Promise<string[]> {
  const { store, path, refuse, fields } = context;
  if (names.length === 0 || names.length > mostDataFiles) {
    throw refuse(path, fields.files, `${names.length} data files; expected 1 to ${mostDataFiles}`);
  }
  return await store.beside(path, names, (problem, options) => refuse(path, fields.files, problem, options));
}

/** Opens a part, finds where its bytes begin and hands the range over; maps the errors of reading and of decompression. */
async function usePart(
  part: string,
  data: VoxelData,
  context: VoxelDataContext,
  use: (range: ByteRange) => Promise<void>,
): Promise<void> {
  const refuse = (field: string, problem: string, options?: { cause?: unknown }): QuickcolumnError =>
    context.refuse(part, field, problem, options);
  try {
    await context.store.open(
      part,
      (problem) => refuse('file', problem),
      async (source) => {
        let start = data.files === undefined ? data.start : 0;
        if (data.skipLines > 0) start = await skipLines(source, start, data.skipLines);
        const partBytes = ((data.size[0] * data.size[1] * data.size[2]) / (data.files?.length ?? 1)) * data.type.bytes;
        if (data.skipBytes < 0) start = Math.max(start, source.bytes - partBytes);
        const length = Math.max(0, Math.min(source.bytes - start, data.length ?? Number.POSITIVE_INFINITY));
        await use({ source, start, length });
      },
    );
  } catch (cause) {
    if (cause instanceof InflateError) throw refuse('voxels', `damaged: ${cause.message}`, { cause });
    const problem = describeReadError(cause);
    throw problem === undefined ? cause : refuse('file', `cannot read: ${problem}`, { cause });
  }
}

function compressionOf(encoding: VoxelEncoding): 'none' | 'gzip' | 'deflate' {
  return encoding === 'gzip' || encoding === 'deflate' ? encoding : 'none';
}

/** The most bytes of voxels that `stored` bytes of a file can stand for. */
function availableBytes({ encoding, type }: VoxelData, stored: number): number {
  if (encoding === 'gzip' || encoding === 'deflate') return stored * largestDeflateRatio;
  if (encoding === 'hex') return Math.ceil(stored / 2);
  // One digit and one blank a value.
  return encoding === 'text' ? Math.ceil(stored / 2) * type.bytes : stored;
}

/** The byte after the given number of line ends from `start`; the end of the file when there are fewer. */
async function skipLines(source: ByteSource, start: number, lines: number): Promise<number> {
  const chunk = new Uint8Array(1 << 16);
  let left = lines;
  for (let position = start; ; ) {
    const bytesRead = await source.read(chunk, position);
    if (bytesRead === 0) return position;
    for (let at = chunk.indexOf(10); at >= 0 && at < bytesRead; at = chunk.indexOf(10, at + 1)) {
      left--;
      if (left === 0) return position + at + 1;
    }
    position += bytesRead;
  }
}
