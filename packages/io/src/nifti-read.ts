/**
 * Reading NIfTI files from disk: .nii, .nii.gz and .hdr/.img pairs, each part compressed or not.
 *
 * The header is read first and checked against the file's size; then one buffer of exactly the promised size is
 * allocated and filled as bytes arrive. A gzip stream is read to its end, so that its checksum is verified.
 */
import { type FileHandle, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeSystemError, systemErrorCode, withHandle } from './files.js';
import { NiftiError } from './nifti-error.js';
import { longestHeaderBytes, type NiftiHeader, parseNiftiHeader } from './nifti-header.js';
import { finishVolume, isGzip, type NiftiImage, type NiftiReadOptions } from './nifti-parse.js';
import { allocateVoxels, defaultMaxBytes } from './nifti-voxels.js';

/** Deflate cannot expand more than this (zlib.net, "Technical Details"); used to unmask absurd headers. */
const largestGzipRatio = 1032;
/** Bytes after the voxels that are still read for the sake of the checksum. */
const trailingLimit = 64 * 2 ** 20;
const chunkBytes = 1 << 20;

/**
 * Reads a NIfTI-1 or NIfTI-2 image; for a pair, give either the header or the image file. Whether a file is compressed
 * is seen from its content. Throws NiftiError naming the file and the field.
 */
export async function readNifti(path: string, options: NiftiReadOptions = {}): Promise<NiftiImage> {
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  try {
    if (/\.(hdr|img)(\.gz)?$/i.test(path)) return await readPair(path, maxBytes);
    return await readSingle(path, maxBytes);
  } catch (cause) {
    throw asNiftiError(cause, path);
  }
}

async function readSingle(path: string, maxBytes: number): Promise<NiftiImage> {
  return await withFile(path, async (source) => {
    let header: NiftiHeader | undefined;
    const buffer = await fillFrom(source, (start) => {
      header = parseNiftiHeader(start, path);
      if (!header.singleFile) {
        throw new NiftiError(path, 'magic', 'a header of a .hdr/.img pair; name it .hdr beside its .img');
      }
      return { offset: header.voxOffset, buffer: allocateFor(source, header, maxBytes) };
    });
    return finish(buffer, header as unknown as NiftiHeader, path);
  });
}

async function readPair(path: string, maxBytes: number): Promise<NiftiImage> {
  const headerPath = await findPart(path, 'hdr');
  const header = await withFile(headerPath, async (source) => parseNiftiHeader(await readStart(source), headerPath));
  const imagePath = await findPart(path, 'img');
  return await withFile(imagePath, async (source) => {
    const buffer = await fillFrom(source, () => ({
      offset: header.voxOffset,
      buffer: allocateFor(source, header, maxBytes),
    }));
    return finish(buffer, header, imagePath);
  });
}

function finish(buffer: ArrayBuffer, header: NiftiHeader, path: string): NiftiImage {
  return { volume: finishVolume(buffer, header, path), header };
}

/** The .hdr or .img of a pair; the given name's own compression and case come first. */
async function findPart(path: string, part: 'hdr' | 'img'): Promise<string> {
  const match = /^(.*)\.(hdr|img)(\.gz)?$/is.exec(path);
  if (match === null) throw new NiftiError(path, 'file', 'not a .hdr or .img name');
  const [, stem, extension, gz = ''] = match;
  const wanted = extension === extension.toUpperCase() ? part.toUpperCase() : part;
  const candidates = [`${stem}.${wanted}${gz}`, `${stem}.${wanted}${gz === '' ? '.gz' : ''}`];
  for (const candidate of candidates) {
    try {
      await stat(candidate);
      return candidate;
    } catch (cause) {
      if (systemErrorCode(cause) !== 'ENOENT') throw cause;
    }
  }
  throw new NiftiError(path, 'file', `its ${part} part is missing; expected ${candidates.join(' or ')}`);
}

/** An open file, its size and whether its content is gzip. */
interface Source {
  readonly path: string;
  readonly handle: FileHandle;
  readonly bytes: number;
  readonly gzip: boolean;
}

async function withFile<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  return await withHandle(path, 'r', async (handle) => {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new NiftiError(path, 'file', 'not a regular file');
    if (stats.size === 0) throw new NiftiError(path, 'file', 'the file is empty');
    const magic = new Uint8Array(2);
    await handle.read(magic, 0, 2, 0);
    const gzip = isGzip(magic);
    if (!gzip && /\.gz$/i.test(path)) {
      throw new NiftiError(path, 'gzip', 'the name ends in .gz but the content is not gzip (no 1f 8b at the start)');
    }
    return await use({ path, handle, bytes: stats.size, gzip });
  });
}

function allocateFor(source: Source, header: NiftiHeader, maxBytes: number): ArrayBuffer {
  const available = source.bytes * (source.gzip ? largestGzipRatio : 1) - header.voxOffset;
  return allocateVoxels(header, source.path, available, maxBytes);
}

/** The first bytes of a file, decompressed: enough for either version's header, fewer if the file is shorter. */
async function readStart(source: Source): Promise<Uint8Array> {
  const start = Buffer.alloc(longestHeaderBytes);
  let filled = 0;
  if (!source.gzip) {
    const { bytesRead } = await source.handle.read(start, 0, start.length, 0);
    filled = bytesRead;
  } else {
    for await (const chunk of gunzipped(source)) {
      filled += chunk.copy(start, filled, 0, Math.min(chunk.length, start.length - filled));
      if (filled === start.length) break;
    }
  }
  return start.subarray(0, filled);
}

/** Reads the start, lets `plan` say where the voxels begin and which buffer takes them, and fills that buffer. */
async function fillFrom(
  source: Source,
  plan: (start: Uint8Array) => { offset: number; buffer: ArrayBuffer },
): Promise<ArrayBuffer> {
  const { offset, buffer } = plan(await readStart(source));
  const target = new Uint8Array(buffer);
  const filled = source.gzip ? await fillGunzipped(source, offset, target) : await fillPlain(source, offset, target);
  if (filled < target.length) {
    throw new NiftiError(
      source.path,
      'voxels',
      `truncated: the file ends after ${filled} of ${target.length} bytes of voxels`,
    );
  }
  return buffer;
}

async function fillPlain(source: Source, offset: number, target: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    // One read call is limited to 2 GiB.
    const wanted = Math.min(target.length - filled, 2 ** 30);
    const { bytesRead } = await source.handle.read(target, filled, wanted, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function fillGunzipped(source: Source, offset: number, target: Uint8Array): Promise<number> {
  let position = 0;
  let filled = 0;
  for await (const chunk of gunzipped(source)) {
    const skip = Math.min(chunk.length, Math.max(0, offset - position));
    const part = chunk.subarray(skip, skip + target.length - filled);
    target.set(part, filled);
    filled += part.length;
    position += chunk.length;
    // A file may carry more than its voxels, but not without end (a gzip bomb).
    if (position > offset + target.length + trailingLimit) break;
  }
  return filled;
}

/** The decompressed content from its start, in chunks. */
async function* gunzipped(source: Source): AsyncGenerator<Buffer> {
  // Not handle.createReadStream: on Node 20 destroying that stream closes the handle, even with autoClose off.
  const compressed = Readable.from(compressedChunks(source.handle), { objectMode: false });
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  compressed.on('error', (error) => gunzip.destroy(error));
  compressed.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } finally {
    compressed.destroy();
    gunzip.destroy();
  }
}

async function* compressedChunks(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

function asNiftiError(cause: unknown, path: string): unknown {
  if (cause instanceof NiftiError) return cause;
  if (systemErrorCode(cause) !== undefined) {
    return new NiftiError(path, 'file', `cannot read: ${describeSystemError(cause)}`, { cause });
  }
  // zlib's errors have a code such as Z_DATA_ERROR and no syscall.
  if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')) {
    const problem = cause.code === 'Z_BUF_ERROR' ? 'the compressed file ends too early (truncated)' : cause.message;
    return new NiftiError(path, 'gzip', `damaged: ${problem}`, { cause });
  }
  return cause;
}
