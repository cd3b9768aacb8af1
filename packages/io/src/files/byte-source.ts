/**
 * Where bytes come from: a file on disk (disk-store.ts) or a Blob that a browser was given (blob-store.ts). The readers
 * of volumes know only what is here, so that one parser serves both.
 *
 * The caller of `fillFrom` has allocated the target after checking what the header promises, so a compressed bomb can
 * cost no more than the target and `trailingLimit`: bytes that follow the voxels are decompressed only that far.
 */
import type { QuickcolumnError } from '@quickcolumn/errors';
import { describeSystemError, systemErrorCode } from '@quickcolumn/errors';

/** Deflate cannot expand more than this (zlib.net, "Technical Details"); used to unmask absurd headers. */
export const largestDeflateRatio = 1032;
/**
 * Decompressed bytes after the voxels that are still read for the sake of the checksum, never more than four times the
 * voxels' own bytes and a chunk: a series of small files must not be a series of bombs.
 */
const trailingLimit = 64 * 2 ** 20;
/** Most decompressed bytes before the voxels: to leave out more, a bomb would have to be decompressed first. */
export const longestCompressedSkip: number = 2 ** 28;
/** Bytes that are read, or decompressed, at a time. */
export const chunkBytes: number = 1 << 20;

/** `deflate` is a gzip or a zlib stream, whichever its first bytes say. */
export type Compression = 'none' | 'gzip' | 'deflate';

/** An open file. */
export interface ByteSource {
  readonly bytes: number;
  /** Copies bytes from `position` on into `target`; returns how many, 0 only at the end, maybe fewer than there are. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Decompressed content of `length` bytes from `start`, in chunks. Throws InflateError; stops when it is left. */
  inflate(start: number, length: number, compression: 'gzip' | 'deflate'): AsyncIterable<Uint8Array>;
}

/** Bytes of an open file from `start`, at most `length`. */
export interface ByteRange {
  readonly source: ByteSource;
  readonly start: number;
  readonly length?: number;
}

/** The files that a volume may be made of, by name: a disk, or what a user has chosen in a browser. */
export interface FileStore {
  /** Opens a regular file that is not empty, hands it to `use` and closes it whatever happens. */
  open<T>(path: string, refuse: (problem: string) => Error, use: (source: ByteSource) => Promise<T>): Promise<T>;
  exists(path: string): Promise<boolean>;
  /** The files that a header names, as paths of this store; throws `refuse`'s error for what it must not reach. */
  beside(header: string, names: readonly string[], refuse: RefuseName): Promise<string[]>;
}

/** Makes an error about one of the names in a header. */
export type RefuseName = (problem: string, options?: { cause?: unknown }) => QuickcolumnError;

/** Compressed data that cannot be decompressed; every reader turns it into its own error. */
export class InflateError extends Error {}

/** A Blob that its owner can no longer read; every reader turns it into its own error. */
export class UnreadableError extends Error {}

/** Why reading failed, in words, or undefined for errors that are not the file's fault. */
export function describeReadError(cause: unknown): string | undefined {
  if (cause instanceof UnreadableError) return cause.message;
  return systemErrorCode(cause) === undefined ? undefined : describeSystemError(cause);
}

/** Fills `target` from the range, after `skip` decompressed bytes; returns the number of bytes that there were. */
export async function fillFrom(
  range: ByteRange,
  compression: Compression,
  target: Uint8Array,
  skip: number = 0,
): Promise<number> {
  if (compression === 'none') return await fillPlain(range, target, skip);
  const { source, start, length = Number.POSITIVE_INFINITY } = range;
  let position = 0;
  let filled = 0;
  const end = skip + target.length + Math.min(trailingLimit, 4 * target.length + chunkBytes);
  for await (const chunk of source.inflate(start, length, compression)) {
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

async function fillPlain({ source, start, length }: ByteRange, target: Uint8Array, skip: number): Promise<number> {
  const end = length === undefined ? target.length : Math.min(target.length, Math.max(0, length - skip));
  let filled = 0;
  while (filled < end) {
    const bytesRead = await source.read(target.subarray(filled, end), start + skip + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
