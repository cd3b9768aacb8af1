/**
 * Files on disk as a FileStore: Node's file handles and zlib.
 *
 * Trap: names of data files come from a header, that is from whoever made the file. They are taken only below the
 * header's own folder, after symbolic links are resolved; everything else is refused before it is opened.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip, createUnzip } from 'node:zlib';
import { type ByteSource, chunkBytes, type FileStore, InflateError, type RefuseName } from './byte-source.js';
import { describeSystemError, systemErrorCode } from '@quickcolumn/errors';
import { quoted } from '../headers/text-header.js';

export const diskStore: FileStore = { open: withRegularFile, exists, beside: containedFiles };

/** Never waits on a pipe. */
async function withRegularFile<T>(
  path: string,
  refuse: (problem: string) => Error,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  // Looked at before it is opened: opening a named pipe waits for a writer for ever.
  if (!(await stat(path)).isFile()) throw refuse('not a regular file');
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw refuse('not a regular file');
    if (stats.size === 0) throw refuse('the file is empty');
    return await use(sourceOf(handle, stats.size));
  } finally {
    await handle.close();
  }
}

function sourceOf(handle: FileHandle, bytes: number): ByteSource {
  return {
    bytes,
    async read(target, position) {
      // One read call is limited to 2 GiB.
      const { bytesRead } = await handle.read(target, 0, Math.min(target.length, 2 ** 30), position);
      return bytesRead;
    },
    inflate: (start, length, compression) => inflate(chunksOf(handle, start, length), compression),
  };
}

async function* inflate(
  chunks: AsyncGenerator<Uint8Array>,
  compression: 'gzip' | 'deflate',
): AsyncGenerator<Uint8Array> {
  // Not handle.createReadStream: on Node 20 destroying that stream closes the handle, even with autoClose off.
  const compressed = Readable.from(chunks, { objectMode: false });
  const unzip = (compression === 'gzip' ? createGunzip : createUnzip)({ chunkSize: chunkBytes });
  compressed.on('error', (error) => unzip.destroy(error));
  compressed.pipe(unzip);
  try {
    for await (const chunk of unzip) yield chunk as Uint8Array;
  } catch (cause) {
    const problem = describeZlibError(cause);
    throw problem === undefined ? cause : new InflateError(problem, { cause });
  } finally {
    compressed.destroy();
    unzip.destroy();
  }
}

/** What an error of zlib means, or undefined for any other error. */
function describeZlibError(cause: unknown): string | undefined {
  // zlib's errors have a code such as Z_DATA_ERROR and no syscall.
  if (!(cause instanceof Error) || !('code' in cause) || !String(cause.code).startsWith('Z_')) return undefined;
  return cause.code === 'Z_BUF_ERROR' ? 'the compressed data end too early (truncated)' : cause.message;
}

async function* chunksOf(handle: FileHandle, start: number, length: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, length - done));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, start + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** False where there is none; other refusals of the system are thrown. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') throw cause;
    return false;
  }
}

/** Throws for names that leave the header's folder (absolute, `..`, symbolic links) and files that do not exist. */
async function containedFiles(header: string, names: readonly string[], refuse: RefuseName): Promise<string[]> {
  const folder = dirname(header);
  const realFolder = await realpath(folder);
  const outside = (name: string): Error =>
    refuse(`${quoted(name)} is outside the folder of the header; move the data beside it`);
  const found: string[] = [];
  for (const name of names) {
    if (name === '' || name.includes('\0')) throw refuse('an empty or damaged file name');
    // Checked as text first: what is outside is not even looked at.
    if (isAbsolute(name) || /^[a-z]:/i.test(name) || name.split(/[\\/]/).includes('..')) throw outside(name);
    const file = resolve(folder, name.replaceAll('\\', sep));
    let real: string;
    try {
      real = await realpath(file);
    } catch (cause) {
      throw refuse(`${quoted(name)}: ${describeSystemError(cause)}; it belongs beside the header`, { cause });
    }
    const way = relative(realFolder, real);
    // One compressed file named thousands of times would be decompressed as often.
    if (found.includes(file)) throw refuse(`${quoted(name)} is named twice`);
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw outside(name);
    found.push(file);
  }
  return found;
}
