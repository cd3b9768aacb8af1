/**
 * The key of a deidentification as a file: 64 hexadecimal digits, for its owner alone. It is what connects new identifiers with
 * old ones, so it never lies among the files that are given away.
 */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { deidentificationKeyBytes } from '@quickcolumn/dicom';
import { systemErrorCode } from '@quickcolumn/errors';
import { FileError, makeFolder } from '@quickcolumn/io';
import { InputError } from '../scans/scan-files.js';

export interface Key {
  readonly bytes: Uint8Array;
  /** The file was not there. */
  readonly isNew: boolean;
}

export const newKey = (): Uint8Array => randomBytes(deidentificationKeyBytes);

/** @throws InputError for a key inside the folder of the results */
export function checkKeyPlace(path: string, out: string): void {
  const below = relative(resolve(out), resolve(path));
  if (below.startsWith('..') || below === resolve(path)) return;
  throw new InputError(`${path}: the key lies in ${out}, with what is given away; keep it elsewhere`, { path });
}

/**
 * Reads the key, or makes a new one with mode 0600.
 * @throws InputError for a file that is no key, FileError
 */
export async function openKey(path: string): Promise<Key> {
  const bytes = newKey();
  await makeFolder(dirname(path));
  try {
    await writeFile(path, `${Buffer.from(bytes).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    return { bytes, isNew: true };
  } catch (cause) {
    if (systemErrorCode(cause) !== 'EEXIST') throw new FileError(path, 'write', cause);
  }
  const text = await readFile(path, 'latin1').catch((cause: unknown) => {
    throw new FileError(path, 'read', cause);
  });
  if (!/^[0-9a-f]{64}\s*$/.test(text)) {
    throw new InputError(`${path}: no key; expected 64 hexadecimal digits, as in a file that was made here`, { path });
  }
  return { bytes: Buffer.from(text.trim(), 'hex'), isNew: false };
}
