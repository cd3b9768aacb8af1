/** Whether a disk has the space that a job is about to fill; asked before the work, not found out after it. */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { formatBytes } from '@quickcolumn/predict';
import { exists, OutputError } from './outputs.js';

/**
 * @param bytes that will be written below `path` at most
 * @param what takes them, for the message
 * @throws OutputError where the disk has less, with the option `ignore-space`
 */
export async function requireSpace(path: string, bytes: number, what: string): Promise<void> {
  let folder = resolve(path);
  while (!(await exists(folder))) folder = dirname(folder);
  const { bavail, blocks, bsize } = await statfs(folder);
  // Stores that are mounted over a network often have no size.
  if (blocks === 0) return;
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new OutputError(
    `${path}: ${what} can take up to ${formatBytes(bytes)}, the disk has ${formatBytes(free)} left; free some, or write to ` +
      'another disk',
    path,
    { options: { 'ignore-space': 'start all the same' } },
  );
}
