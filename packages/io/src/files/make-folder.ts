/** Folders for what is to be written. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from './file-error.js';

/**
 * Makes a folder and those above it that are missing. Throws FileError. (The `recursive` option of mkdir never returns
 * on Node 20 where a parent answers ENOENT to every attempt, as /proc does.)
 * @param options.private a folder that is made now is for its owner alone (mode 0700); one that was there stays as it is
 */
export async function makeFolder(
  path: string,
  options: { readonly private?: boolean | undefined } = {},
): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path, { mode: options.private === true ? 0o700 : 0o777 });
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
