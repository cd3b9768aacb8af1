/**
 * Where DICOM files come from: folders (all below them), zip archives, and files, in any mixture with other files.
 *
 * A source is read from its beginning, as far as asked. Archives are never unpacked to disk, so names inside them lead
 * nowhere; an entry's stated size is checked before and during reading (yauzl does the latter), so a zip bomb ends at
 * a limit. Links below a folder are followed where they stay inside it, each file and folder once, so circles end. A
 * link that leads out of the folder, or nowhere, is a source that cannot be read: whoever lists it says so.
 */
import { constants } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { FileError } from '@quickcolumn/io';
import { DicomError } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import type { DicomSource } from './dicom-source.js';
import { openArchive } from './zip.js';

/** Sources, with what must be closed after their last use. */
export interface DicomSources {
  readonly sources: readonly DicomSource[];
  close(): void;
}

/**
 * Finds the files in `paths`, sorted by name within each. Throws FileError for a path that is not there, DicomError
 * `archive` or `limit` for an archive or a folder that cannot be used.
 */
export async function openSources(paths: readonly string[]): Promise<DicomSources> {
  const sources: DicomSource[] = [];
  const closers: (() => void)[] = [];
  const close = (): void => closers.forEach((closeOne) => closeOne());
  try {
    for (const path of paths) {
      const found = await stat(path).catch((cause: unknown) => {
        throw new FileError(path, 'read', cause);
      });
      if (found.isDirectory()) await addTree(path, sources);
      else if (await isZip(path)) {
        const archive = await openArchive(path);
        closers.push(() => archive.close());
        for (const source of archive.sources) sources.push(source);
      } else sources.push(fileSource(path, found.size));
      checkCount(path, sources.length);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { sources, close };
}

interface Tree {
  readonly sources: DicomSource[];
  /** The named folder without links. */
  readonly root: string;
  /** Files and folders that were found, without links: each counts once. */
  readonly seen: Set<string>;
  /** Links, for after everything that has its own place. */
  readonly links: { readonly path: string; readonly depth: number }[];
}

async function addTree(folder: string, sources: DicomSource[]): Promise<void> {
  const root = await realpath(folder);
  const tree: Tree = { sources: [], root, seen: new Set(), links: [] };
  await addFolder(folder, tree, 0);
  for (let link = tree.links.pop(); link !== undefined; link = tree.links.pop()) await addLink(link, tree);
  tree.sources.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const source of tree.sources) sources.push(source);
}

async function addFolder(folder: string, tree: Tree, depth: number): Promise<void> {
  if (depth > dicomLimits.folders) {
    throw new DicomError(
      folder,
      'limit',
      `lies deeper than ${dicomLimits.folders} folders; name a folder closer to it`,
    );
  }
  const real = await realpath(folder);
  if (tree.seen.has(real)) return;
  tree.seen.add(real);
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FileError(folder, 'read', cause);
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await addFolder(path, tree, depth + 1);
    // Names with a leading dot are leftovers of macOS, not scans.
    else if (entry.name.startsWith('.')) continue;
    else if (entry.isSymbolicLink()) tree.links.push({ path, depth });
    // Pipes and devices would block.
    else if (entry.isFile()) {
      tree.seen.add(join(real, entry.name));
      addFile(path, (await stat(path)).size, tree);
    }
  }
}

async function addLink({ path, depth }: Tree['links'][number], tree: Tree): Promise<void> {
  const real = await realpath(path).catch(() => undefined);
  const isInside = real === tree.root || real?.startsWith(tree.root.endsWith(sep) ? tree.root : tree.root + sep);
  if (real === undefined || !isInside) {
    const where = real === undefined ? 'to a file that is not there' : 'that leads out of the folder';
    const error = new DicomError(path, 'link', `is a symbolic link ${where}; put the file itself into the folder`);
    tree.sources.push({ name: path, bytes: 0, read: () => Promise.reject(error) });
    return;
  }
  const found = await stat(real);
  if (found.isDirectory()) await addFolder(path, tree, depth + 1);
  else if (found.isFile() && !tree.seen.has(real)) {
    tree.seen.add(real);
    addFile(path, found.size, tree);
  }
}

function addFile(path: string, bytes: number, { sources }: Tree): void {
  sources.push(fileSource(path, bytes));
  checkCount(path, sources.length);
}

function checkCount(path: string, count: number): void {
  if (count <= dicomLimits.files) return;
  throw new DicomError(path, 'limit', `holds more than ${dicomLimits.files} files; name a folder closer to the scan`);
}

function fileSource(path: string, bytes: number): DicomSource {
  return { name: path, bytes, read: (limit) => readStart(path, bytes, limit) };
}

async function readStart(path: string, bytes: number, limit: number = bytes): Promise<Uint8Array> {
  const wanted = Math.min(bytes, limit);
  if (wanted > dicomLimits.fileBytes) throw new DicomError(path, 'limit', `has ${bytes} bytes; at most 2 GiB are read`);
  try {
    // Non-blocking: opening a pipe that nobody writes would wait forever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = new Uint8Array(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await handle.read(buffer, filled, wanted - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new FileError(path, 'read', cause);
  }
}

/** By its first bytes, because archives from portals have any name. */
async function isZip(path: string): Promise<boolean> {
  const start = await readStart(path, 4);
  return start.length === 4 && start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
}
