/**
 * Filling a buffer of known size from a part of a file, compressed or not: one copy, bounded memory, bounded work.
 *
 * The caller has allocated the target after checking what the header promises, so a compressed bomb can cost no more
 * than the target and `trailingLimit`: bytes that follow the voxels are decompressed only that far.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip, createUnzip } from 'node:zlib';

/** Deflate cannot expand more than this (zlib.net, "Technical Details"); used to unmask absurd headers. */
export const largestDeflateRatio = 1032;
/**
 * Decompressed bytes after the voxels that are still read for the sake of the checksum, never more than four times the
 * voxels' own bytes and a chunk: a series of small files must not be a series of bombs.
 */
const trailingLimit = 64 * 2 ** 20;
/** Most decompressed bytes before the voxels: to leave out more, a bomb would have to be decompressed first. */
export const longestCompressedSkip: number = 2 ** 28;
const chunkBytes = 1 << 20;

/** `deflate` is a gzip or a zlib stream, whichever its first bytes say. */
export type Compression = 'none' | 'gzip' | 'deflate';

/** Bytes of an open file from `start`, at most `length`. */
export interface ByteRange {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length?: number;
}

/** Opens a regular file, hands it to `use` with its size and closes it whatever happens. Never waits on a pipe. */
export async function withRegularFile<T>(
  path: string,
  refuse: (problem: string) => Error,
  use: (handle: FileHandle, bytes: number) => Promise<T>,
): Promise<T> {
  // Looked at before it is opened: opening a named pipe waits for a writer for ever.
  if (!(await stat(path)).isFile()) throw refuse('not a regular file');
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw refuse('not a regular file');
    if (stats.size === 0) throw refuse('the file is empty');
    return await use(handle, stats.size);
  } finally {
    await handle.close();
  }
}

/** Fills `target` from the range, after `skip` decompressed bytes; returns the number of bytes that there were. */
export async function fillFrom(
  range: ByteRange,
  compression: Compression,
  target: Uint8Array,
  skip: number = 0,
): Promise<number> {
  if (compression === 'none') return await fillPlain(range, target, skip);
  let position = 0;
  let filled = 0;
  const end = skip + target.length + Math.min(trailingLimit, 4 * target.length + chunkBytes);
  for await (const chunk of decompressed(range, compression)) {
    const before = Math.min(chunk.length, Math.max(0, skip - position));
    const part = chunk.subarray(before, before + target.length - filled);
    target.set(part, filled);
    filled += part.length;
    position += chunk.length;
    // A file may carry more than its voxels, but not without end (a gzip bomb).
    if (position > end) break;
  }
  return filled;
}

/** The decompressed content of a range from its start, in chunks. */
export async function* decompressed(range: ByteRange, compression: 'gzip' | 'deflate'): AsyncGenerator<Buffer> {
  // Not handle.createReadStream: on Node 20 destroying that stream closes the handle, even with autoClose off.
  const compressed = Readable.from(chunksOf(range), { objectMode: false });
  const unzip = (compression === 'gzip' ? createGunzip : createUnzip)({ chunkSize: chunkBytes });
  compressed.on('error', (error) => unzip.destroy(error));
  compressed.pipe(unzip);
  try {
    for await (const chunk of unzip) yield chunk as Buffer;
  } finally {
    compressed.destroy();
    unzip.destroy();
  }
}

/** What an error of zlib means, or undefined for any other error. */
export function describeZlibError(cause: unknown): string | undefined {
  // zlib's errors have a code such as Z_DATA_ERROR and no syscall.
  if (!(cause instanceof Error) || !('code' in cause) || !String(cause.code).startsWith('Z_')) return undefined;
  return cause.code === 'Z_BUF_ERROR' ? 'the compressed data end too early (truncated)' : cause.message;
}

async function fillPlain({ handle, start, length }: ByteRange, target: Uint8Array, skip: number): Promise<number> {
  const end = length === undefined ? target.length : Math.min(target.length, Math.max(0, length - skip));
  let filled = 0;
  while (filled < end) {
    // One read call is limited to 2 GiB.
    const wanted = Math.min(end - filled, 2 ** 30);
    const { bytesRead } = await handle.read(target, filled, wanted, start + skip + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function* chunksOf({ handle, start, length = Number.POSITIVE_INFINITY }: ByteRange): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, length - done));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, start + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
