/** Files in the cache folder that keep what was measured on this machine, so that it is measured once. */
import { readFile } from 'node:fs/promises';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import type { z } from 'zod';
import type { JobContext } from '../context.js';
import { exists } from '../folders/outputs.js';

/**
 * What the file keeps; undefined where there is no file yet, and where it cannot be used, which is noted.
 * @param what for the note: `measured kernels`
 */
export async function readKept<Tables>(
  path: string,
  schema: z.ZodType<Tables>,
  { what, context }: { readonly what: string; readonly context: Pick<JobContext, 'note'> },
): Promise<Tables | undefined> {
  if (!(await exists(path))) return undefined;
  const known = schema.safeParse(
    await readFile(path, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (known.success) return known.data;
  context.note(`${path} has no ${what} that can be read; they are measured anew`);
  return undefined;
}

/** Replaces the file in one piece. @throws FileError */
export async function writeKept(folder: string, path: string, tables: object): Promise<void> {
  await makeFolder(folder, { private: true });
  await writeFileAtomic(path, `${JSON.stringify(tables, null, 1)}\n`);
}
