/** Folders for what is to be written. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from './file-error.js';

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
