/**
 * A store that tells how much was read, and stops at a signal: a file of a few megabytes may hold gigabytes, and whoever
 * waits for them should see that and be able to end it.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { ByteSource, FileStore } from './byte-source.js';

export interface ReadWatch {
  /** Reading ends with an error of code `interrupted` when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes so far, decompressed, after every megabyte or so. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export function watchedStore(store: FileStore, { signal, onProgress }: ReadWatch): FileStore {
  let bytes = 0;
  const seen = (path: string, count: number): void => {
    if (signal?.aborted === true) throw new QuickcolumnError('interrupted', `${path}: reading was interrupted`);
    bytes += count;
    onProgress?.(bytes);
  };
  const watched = (path: string, source: ByteSource): ByteSource => ({
    bytes: source.bytes,
    async read(target, position) {
      const count = await source.read(target, position);
      seen(path, count);
      return count;
    },
    async *inflate(start, length, compression) {
      for await (const chunk of source.inflate(start, length, compression)) {
        seen(path, chunk.length);
        yield chunk;
      }
    },
  });
  return {
    open: (path, refuse, use) => store.open(path, refuse, (source) => use(watched(path, source))),
    exists: (path) => store.exists(path),
    beside: (header, names, refuse) => store.beside(header, names, refuse),
  };
}
