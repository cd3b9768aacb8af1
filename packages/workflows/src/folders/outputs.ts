/**
 * Where results go. Outputs are checked before any work starts, never overwritten without `force`, and written
 * under a temporary name until complete, so that an interrupted or failed command leaves nothing half-written.
 */
import { makeFolder } from '@quickcolumn/io';
import { constants } from 'node:fs';
import { access, lstat, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describeSystemError, QuickcolumnError, systemErrorCode } from '@quickcolumn/errors';
import { lockName } from './lock-owner.js';

interface OutputHints {
  /** Options of the job that would help, and what each does: `{ force: 'replace it' }`. */
  readonly options?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An output that exists, or cannot be written; code `output`, fields {path, options}. */
export class OutputError extends QuickcolumnError {
  constructor(message: string, path: string, { options, cause }: OutputHints = {}) {
    super('output', message, { path, ...(options && { options }) }, { cause });
  }
}

/** True when something, of whatever kind, has this name. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** @throws OutputError for a link that leads nowhere */
async function requireNoDeadLink(path: string): Promise<void> {
  if (!(await exists(path))) return;
  await stat(path).catch((cause: unknown) => {
    if (systemErrorCode(cause) === 'EACCES') throw cause;
    throw new OutputError(`${path} is a link that leads nowhere; remove it, or choose another place`, path, { cause });
  });
}

/** What lies in a folder, besides locks; nothing where there is no folder. */
export async function entriesOf(folder: string): Promise<string[]> {
  if (!(await exists(folder))) return [];
  return (await readdir(folder)).filter((name) => !name.startsWith(lockName));
}

/** @throws OutputError when the nearest existing folder above `path` is no folder or cannot be written. */
async function checkWritable(path: string): Promise<void> {
  let folder = dirname(resolve(path));
  while (!(await exists(folder))) folder = dirname(folder);
  await requireNoDeadLink(folder);
  if (!(await stat(folder)).isDirectory()) {
    throw new OutputError(`cannot write ${path}: ${folder} is a file, not a folder; choose another place`, path);
  }
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new OutputError(`cannot write ${path}: ${folder}: ${describeSystemError(cause)}`, path, { cause });
  }
}

/** Checks an output file before the work that makes it. @throws OutputError */
export async function checkOutputFile(path: string, force: boolean): Promise<void> {
  await checkWritable(path);
  await requireNoDeadLink(path);
  if (!(await exists(path))) return;
  if ((await stat(path)).isDirectory()) throw new OutputError(`${path} is a folder; give the name of a file`, path);
  if (!force) throw new OutputError(`${path} exists; choose another name`, path, { options: { force: 'replace it' } });
}

/** Checks an output folder: absent or empty, unless `force`. @throws OutputError */
export async function checkOutputFolder(path: string, force: boolean): Promise<void> {
  await checkWritable(path);
  await requireNoDeadLink(path);
  if (!(await exists(path))) return;
  if (!(await stat(path)).isDirectory()) throw new OutputError(`${path} is a file; a folder is needed`, path);
  await checkWritable(join(path, 'x'));
  if (!force && (await entriesOf(path)).length > 0) {
    throw new OutputError(`${path} exists and is not empty; choose another folder`, path, {
      options: { force: 'replace results in it' },
    });
  }
}

/**
 * Lets `write` fill a temporary folder beside `target`, then moves what it wrote into place, entry by entry: results
 * of an earlier run are replaced, other files in the folder stay. On any error nothing of it remains.
 */
export async function writeFolder<T>(target: string, write: (staging: string) => Promise<T>): Promise<T> {
  const staging = join(dirname(resolve(target)), `.${basename(resolve(target))}.tmp-${process.pid}`);
  try {
    await makeFolder(staging, { private: true });
    const result = await write(staging);
    await makeFolder(target);
    for (const entry of await readdir(staging)) {
      const place = join(target, entry);
      if ((await exists(place)) && (await stat(place)).isDirectory()) await rm(place, { recursive: true });
      await rename(join(staging, entry), place);
    }
    return result;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
