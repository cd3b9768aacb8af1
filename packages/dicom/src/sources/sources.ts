/**
 * Where DICOM files come from: folders (all below them), zip archives, and files, in any mixture with other files.
 *
 * A source is read from its beginning, as far as asked. Archives are never unpacked to disk, so names inside them lead
 * nowhere; an entry's stated size is checked before and during reading (yauzl does the latter), so a zip bomb ends at
 * a limit. Links are not followed below a folder: they may lead in circles or out of it.
 */
import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
      if (found.isDirectory()) await addFolder(path, sources, 0);
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

async function addFolder(folder: string, sources: DicomSource[], depth: number): Promise<void> {
  if (depth > dicomLimits.folders) {
    throw new DicomError(
      folder,
      'limit',
      `lies deeper than ${dicomLimits.folders} folders; name a folder closer to it`,
    );
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FileError(folder, 'read', cause);
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await addFolder(path, sources, depth + 1);
    // Names with a leading dot are leftovers of macOS, not scans. Pipes and devices would block.
    else if (entry.isFile() && !entry.name.startsWith('.')) {
      sources.push(fileSource(path, (await stat(path)).size));
      checkCount(folder, sources.length);
    }
  }
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
