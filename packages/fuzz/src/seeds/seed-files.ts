/** Seeds from files: those of the tests, and real ones of the shared folder where it is present. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FuzzSeed } from '../readers/reader.js';

/** Files of other projects, good, odd and broken. */
export const sharedFormats: string = resolve(
  process.env['QUICKCOLUMN_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url)),
  'data/formats',
);

/** Files up to `largestBytes` below the folders that are seeds by their names, in the order of their names. */
export function filesBelow(
  folders: readonly string[],
  isSeed: (file: string) => boolean,
  largestBytes: number,
): FuzzSeed[] {
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => isSeed(file) && statSync(join(folder, file)).size <= largestBytes)
      .sort((a, b) => (a < b ? -1 : 1))
      .map((file) => ({
        name: file,
        extension: extname(file),
        bytes: new Uint8Array(readFileSync(join(folder, file))),
      })),
  );
}
