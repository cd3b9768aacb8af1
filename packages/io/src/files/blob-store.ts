/**
 * Files that a browser was given, as a FileStore: Blobs with a name, decompressed by the platform's DecompressionStream
 * (Compression Streams Standard, https://compression.spec.whatwg.org). Node has the same classes, so its tests run there.
 *
 * Traps: a stream decompresses all that it is handed before anyone reads, so compressed bytes are fed in pieces that
 * even a bomb cannot blow up far. And browsers refuse bytes behind the end of a gzip stream, which zlib's tools allow.
 */
import { type ByteSource, chunkBytes, type FileStore, InflateError, UnreadableError } from './byte-source.js';
import { quoted } from '../headers/text-header.js';

/** A `File` of a browser, or any Blob with a name. Read through its handle: the bytes are not copied beforehand. */
export interface NamedBlob extends Blob {
  readonly name: string;
}

/** At most 33 MB decompressed (1032 times as much) wait to be taken. */
const pieceBytes = 1 << 15;

/** The given files and no others; names are compared without folders. */
export function blobStore(files: readonly NamedBlob[]): FileStore {
  const named = new Map(files.map((file) => [lastPart(file.name), file]));
  return {
    async open(path, refuse, use) {
      const file = named.get(lastPart(path));
      if (file === undefined) throw refuse('it was not given; choose it together with its other part');
      if (file.size === 0) throw refuse('the file is empty');
      return await use(sourceOf(file));
    },
    exists: (path) => Promise.resolve(named.has(lastPart(path))),
    beside(_header, names, refuse) {
      const missing = names.find((name) => !named.has(lastPart(name)));
      if (missing !== undefined) throw refuse(`${quoted(missing)} was not given; choose it together with the header`);
      const parts = names.map(lastPart);
      const twice = parts.find((name, at) => parts.indexOf(name) !== at);
      if (twice !== undefined) throw refuse(`${quoted(twice)} is named twice`);
      return Promise.resolve(parts);
    },
  };
}

const lastPart = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

function sourceOf(blob: NamedBlob): ByteSource {
  return {
    bytes: blob.size,
    async read(target, position) {
      const bytes = await bytesOf(blob, position, Math.min(target.length, 16 * chunkBytes));
      target.set(bytes);
      return bytes.length;
    },
    inflate: (start, length, compression) => inflate(blob, start, Math.min(length, blob.size - start), compression),
  };
}

async function bytesOf(blob: NamedBlob, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.slice(start, start + length).arrayBuffer());
  } catch (cause) {
    throw new UnreadableError(`${(cause as Error).message} (was it moved or changed after it was chosen?)`, { cause });
  }
}

async function* inflate(
  blob: NamedBlob,
  start: number,
  length: number,
  compression: 'gzip' | 'deflate',
): AsyncGenerator<Uint8Array> {
  const magic = await bytesOf(blob, start, 2);
  const gzip = compression === 'gzip' || (magic[0] === 0x1f && magic[1] === 0x8b);
  const stream = new DecompressionStream(gzip ? 'gzip' : 'deflate');
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  let unreadable: unknown;
  const feed = async (): Promise<void> => {
    for (let done = 0; done < length; done += chunkBytes) {
      let chunk: Uint8Array<ArrayBuffer>;
      try {
        chunk = await bytesOf(blob, start + done, Math.min(chunkBytes, length - done));
      } catch (cause) {
        unreadable = cause;
        await writer.abort(cause);
        return;
      }
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        await writer.ready;
        await writer.write(chunk.subarray(at, at + pieceBytes));
      }
    }
    await writer.close();
  };
  // Damage is reported to the reader, too; here it would only be an unhandled rejection.
  const feeding = feed().catch(() => undefined);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value as Uint8Array;
    }
  } catch (cause) {
    throw unreadable ?? new InflateError(describeInflateError(cause), { cause });
  } finally {
    // Left early, what is not yet decompressed stays so.
    await reader.cancel().catch(() => undefined);
    await writer.abort().catch(() => undefined);
    await feeding;
  }
}

/** Engines word it differently; Node passes on zlib's error, from version 22 on as the cause of one without a message. */
function describeInflateError(cause: unknown): string {
  if (cause instanceof Error && cause.message === '' && cause.cause !== undefined)
    return describeInflateError(cause.cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/truncat|unexpected end/i.test(message)) return 'the compressed data end too early (truncated)';
  if (/junk|trailing|extra/i.test(message)) {
    return 'something follows the end of the compressed data, or they are several streams; decompress the file first';
  }
  return message;
}
