/**
 * Files on disk: atomic writing and content hashes. A file is written under a temporary name beside its target and
 * renamed, so a crash, a kill or a full disk never leaves half a file under the real name.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '@quickcolumn/errors';
import { FileError } from './file-error.js';

/**
 * Writes a whole file atomically, replacing an existing one. Instead of data, `write` may be a function that writes
 * the temporary path it is given (for streams). The folder must exist. The data reach the disk before the rename.
 * The temporary file is removed on every failure. Throws FileError for the system's refusals; other errors of the
 * function pass through.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | ((temporaryPath: string) => Promise<void>),
): Promise<void> {
  // Random, because worker threads of one process share its pid.
  const temporary = `${path}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    if (typeof data === 'function') await data(temporary);
    await withHandle(temporary, typeof data === 'function' ? 'r+' : 'wx', async (handle) => {
      if (typeof data !== 'function') await handle.writeFile(data);
      await handle.sync();
    });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (systemErrorCode(cause) === undefined) throw cause;
    throw new FileError(path, 'write', cause);
  }
}

/** SHA-256 of a file's bytes, lower-case hex; streamed. Throws FileError. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new FileError(path, 'read', cause);
  }
  return hash.digest('hex');
}

/** Opens a file, hands it to `use` and closes it whatever happens. */
async function withHandle<T>(path: string, flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder and those above it that are missing. Throws FileError. (The `recursive` option of mkdir never returns
 * on Node 20 where a parent answers ENOENT to every attempt, as /proc does.)
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (cause) {
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(path))) throw new FileError(path, 'write', cause);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
