/**
 * Atomic writing: a file is written under a temporary name beside its target and renamed, so a crash, a kill or a full
 * disk never leaves half a file under the real name.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { systemErrorCode } from '@quickcolumn/errors';
import { FileError } from './file-error.js';

/**
 * Writes a whole file atomically, replacing an existing one. Instead of data, `write` may be a function that writes
 * the temporary path it is given (for streams). The folder must exist. The data reach the disk before the rename.
 * The temporary file is removed on every failure. Throws FileError for the system's refusals; other errors of the
 * function pass through.
 * @param options.private readable for its owner alone (mode 0600)
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string | ((temporaryPath: string) => Promise<void>),
  options: { readonly private?: boolean } = {},
): Promise<void> {
  // Random, because worker threads of one process share its pid.
  const temporary = `${path}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    if (typeof data === 'function') await data(temporary);
    await withHandle(temporary, typeof data === 'function' ? 'r+' : 'wx', async (handle) => {
      if (options.private === true) await handle.chmod(0o600);
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

/** Opens a file, hands it to `use` and closes it whatever happens. */
async function withHandle<T>(path: string, flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
