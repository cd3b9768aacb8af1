/**
 * Reading NIfTI files: .nii, .nii.gz and .hdr/.img pairs, each part compressed or not.
 *
 * The header is read first and checked against the file's size; then one buffer of exactly the promised size is
 * allocated and filled as bytes arrive. A gzip stream is read to its end, so that its checksum is verified.
 */
import type { Volume } from '@quickcolumn/volume';
import type { HeaderAssumptions } from '../headers/assumptions.js';
import {
  type ByteSource,
  describeReadError,
  type FileStore,
  fillFrom,
  InflateError,
  largestDeflateRatio,
  longestCompressedSkip,
} from '../files/byte-source.js';
import type { VolumeReadOptions } from '../volumes/volume-format.js';
import { defaultMaxBytes } from '../voxels/limits.js';
import { NiftiError } from './error.js';
import { longestHeaderBytes, type NiftiHeader, parseNiftiHeader } from './header.js';
import { allocateVoxels, decodeVoxels } from './voxels.js';

/** A volume and the header it came from. */
export interface NiftiImage {
  readonly volume: Volume;
  readonly header: NiftiHeader;
}

/**
 * Reads a NIfTI-1 or NIfTI-2 image; for a pair, give either the header or the image file. Whether a file is compressed
 * is seen from its content. Throws NiftiError naming the file and the field.
 */
export async function readNifti(store: FileStore, path: string, options: VolumeReadOptions = {}): Promise<NiftiImage> {
  try {
    if (/\.(hdr|img)(\.gz)?$/i.test(path)) return await readPair(store, path, options);
    return await readSingle(store, path, options);
  } catch (cause) {
    throw asNiftiError(cause, path);
  }
}

/** Reads the header alone. Throws NiftiError. */
export async function readNiftiHeader(
  store: FileStore,
  path: string,
  assume: HeaderAssumptions | undefined,
): Promise<NiftiHeader> {
  try {
    const headerPath = /\.(hdr|img)(\.gz)?$/i.test(path) ? await findPart(store, path, 'hdr') : path;
    return await readHeaderOf(store, headerPath, assume);
  } catch (cause) {
    throw asNiftiError(cause, path);
  }
}

const readHeaderOf = async (
  store: FileStore,
  path: string,
  assume: HeaderAssumptions | undefined,
): Promise<NiftiHeader> =>
  await withFile(store, path, async (source) => parseNiftiHeader(await readStart(source), path, assume));

async function readSingle(store: FileStore, path: string, options: VolumeReadOptions): Promise<NiftiImage> {
  const { maxBytes = defaultMaxBytes, assume } = options;
  return await withFile(store, path, async (source) => {
    let header: NiftiHeader | undefined;
    const buffer = await fillVoxels(source, (start) => {
      header = parseNiftiHeader(start, path, assume);
      if (!header.singleFile) {
        throw new NiftiError(path, 'magic', 'a header of a .hdr/.img pair; name it .hdr beside its .img');
      }
      return { offset: header.voxOffset, buffer: allocateFor(source, header, maxBytes) };
    });
    return finish(buffer, header as unknown as NiftiHeader, path);
  });
}

async function readPair(store: FileStore, path: string, options: VolumeReadOptions): Promise<NiftiImage> {
  const { maxBytes = defaultMaxBytes, assume } = options;
  const header = await readHeaderOf(store, await findPart(store, path, 'hdr'), assume);
  const imagePath = await findPart(store, path, 'img');
  return await withFile(store, imagePath, async (source) => {
    const buffer = await fillVoxels(source, () => ({
      offset: header.voxOffset,
      buffer: allocateFor(source, header, maxBytes),
    }));
    return finish(buffer, header, imagePath);
  });
}

function finish(buffer: ArrayBuffer, header: NiftiHeader, path: string): NiftiImage {
  return { volume: { voxels: decodeVoxels(buffer, header, path), size: header.size, affine: header.affine }, header };
}

/** The .hdr or .img of a pair; the given name's own compression and case come first. */
async function findPart(store: FileStore, path: string, part: 'hdr' | 'img'): Promise<string> {
  const match = /^(.*)\.(hdr|img)(\.gz)?$/is.exec(path);
  if (match === null) throw new NiftiError(path, 'file', 'not a .hdr or .img name');
  const [, stem, extension, gz = ''] = match;
  const wanted = extension === extension.toUpperCase() ? part.toUpperCase() : part;
  const candidates = [`${stem}.${wanted}${gz}`, `${stem}.${wanted}${gz === '' ? '.gz' : ''}`];
  for (const candidate of candidates) {
    if (await store.exists(candidate)) return candidate;
  }
  throw new NiftiError(path, 'file', `its ${part} part is missing; expected ${candidates.join(' or ')}`);
}

/** True when bytes start like a gzip file (RFC 1952). */
function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** An open file and whether its content is gzip. */
interface Source {
  readonly path: string;
  readonly file: ByteSource;
  readonly gzip: boolean;
}

async function withFile<T>(store: FileStore, path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const refuse = (problem: string): NiftiError => new NiftiError(path, 'file', problem);
  return await store.open(path, refuse, async (file) => {
    const magic = new Uint8Array(2);
    await file.read(magic, 0);
    const gzip = isGzip(magic);
    if (!gzip && /\.gz$/i.test(path)) {
      throw new NiftiError(path, 'gzip', 'the name ends in .gz but the content is not gzip (no 1f 8b at the start)');
    }
    return await use({ path, file, gzip });
  });
}

function allocateFor(source: Source, header: NiftiHeader, maxBytes: number): ArrayBuffer {
  if (source.gzip && header.voxOffset > longestCompressedSkip) {
    const limit = `more than the limit of ${longestCompressedSkip} in a compressed file`;
    throw new NiftiError(source.path, 'vox_offset', `${header.voxOffset}, ${limit}`);
  }
  const available = source.file.bytes * (source.gzip ? largestDeflateRatio : 1) - header.voxOffset;
  return allocateVoxels(header, source.path, available, maxBytes);
}

/** The first bytes of a file, decompressed: enough for either version's header, fewer if the file is shorter. */
async function readStart(source: Source): Promise<Uint8Array> {
  const start = new Uint8Array(longestHeaderBytes);
  let filled = 0;
  if (!source.gzip) filled = await source.file.read(start, 0);
  else {
    for await (const chunk of source.file.inflate(0, Number.POSITIVE_INFINITY, 'gzip')) {
      const part = chunk.subarray(0, start.length - filled);
      start.set(part, filled);
      filled += part.length;
      if (filled === start.length) break;
    }
  }
  return start.subarray(0, filled);
}

/** Reads the start, lets `plan` say where the voxels begin and which buffer takes them, and fills that buffer. */
async function fillVoxels(
  source: Source,
  plan: (start: Uint8Array) => { offset: number; buffer: ArrayBuffer },
): Promise<ArrayBuffer> {
  const { offset, buffer } = plan(await readStart(source));
  const target = new Uint8Array(buffer);
  const range = { source: source.file, start: 0 };
  const filled = await fillFrom(range, source.gzip ? 'gzip' : 'none', target, offset);
  if (filled < target.length) {
    throw new NiftiError(
      source.path,
      'voxels',
      `truncated: the file ends after ${filled} of ${target.length} bytes of voxels`,
    );
  }
  return buffer;
}

function asNiftiError(cause: unknown, path: string): unknown {
  if (cause instanceof NiftiError) return cause;
  if (cause instanceof InflateError) return new NiftiError(path, 'gzip', `damaged: ${cause.message}`, { cause });
  const problem = describeReadError(cause);
  return problem === undefined ? cause : new NiftiError(path, 'file', `cannot read: ${problem}`, { cause });
}
