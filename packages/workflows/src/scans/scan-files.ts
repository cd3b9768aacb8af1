/** Scans as files: named one by one, or all volumes of a folder, known by their name without extension. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type HeaderAssumptions, volumeExtensions, volumeName } from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/errors';
import { isOwnMask } from './own-masks.js';

/** Paths that are missing, empty or do not belong together; code `input`. */
export class InputError extends QuickcolumnError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}, options?: { cause?: unknown }) {
    super('input', message, fields, options);
  }
}

export interface ScanFile {
  readonly name: string;
  readonly path: string;
}

/** Name of a case: the file name without folders and the extension of a volume. */
export function caseName(path: string): string {
  return volumeName(path) ?? basename(path);
}

/** @throws InputError when `path` is no folder. */
async function requireFolder(path: string, what: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new InputError(`${what}: the folder ${path} does not exist`, { path }, { cause });
  });
  if (!found.isDirectory()) throw new InputError(`${what}: ${path} is a file; expected a folder`, { path });
}

/**
 * The volumes of a folder, whatever they show, sorted by name.
 * @param what what messages call it: `truth`, `prediction`
 * @throws InputError when there are none
 */
export async function volumesIn(folder: string, what: string): Promise<ScanFile[]> {
  return unique(await filesIn(folder, what));
}

async function filesIn(folder: string, what: string): Promise<ScanFile[]> {
  await requireFolder(folder, what);
  const files = (await readdir(folder)).filter((file) => volumeName(file) !== undefined).sort();
  if (files.length === 0) throw new InputError(`${what}: no ${volumeExtensions} files in ${folder}`, { folder });
  return files.map((file) => ({ name: caseName(file), path: join(folder, file) }));
}

/**
 * The scans of a folder, sorted by name: its volumes but for masks that quickcolumn made.
 * @param what what messages call it: `images`
 * @param options.note is told what was left out; `options.assume` is for headers that do not say enough
 * @throws InputError when there are none
 */
export async function scansIn(
  folder: string,
  what: string,
  options: { readonly note?: (text: string) => void; readonly assume?: HeaderAssumptions } = {},
): Promise<ScanFile[]> {
  const files = await filesIn(folder, what);
  const scans: ScanFile[] = [];
  for (const file of files) if (!(await isOwnMask(file.path, options.assume))) scans.push(file);
  const masks = files.length - scans.length;
  if (scans.length === 0) {
    throw new InputError(`${what}: no scans in ${folder}; what it holds are masks or other results (${masks})`, {
      folder,
    });
  }
  if (masks > 0)
    options.note?.(`${folder}: ${masks} of ${files.length} volumes are masks or other results, not scans; left out`);
  return unique(scans);
}

function unique(scans: ScanFile[]): ScanFile[] {
  const seen = new Map<string, string>();
  for (const { name, path } of scans) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new InputError(`${path} and ${other} are both named ${name}; results would overwrite each other`, { name });
    }
    seen.set(name, path);
  }
  return scans;
}
