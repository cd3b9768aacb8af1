/** Masks of our own, which lie beside scans and in folders of scans and must never be taken for one. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type HeaderAssumptions, isResultDescription, summarizeVolume, volumeBase } from '@quickcolumn/io';

/**
 * Whether a volume is a result: its header says so, or a sidecar beside it that names it, or its name (`scan.seg.nrrd`,
 * as 3D Slicer and others call segmentations). A file that cannot be read is none.
 */
export async function isOwnMask(path: string, assume?: HeaderAssumptions): Promise<boolean> {
  const base = volumeBase(path);
  if (/\.seg$/i.test(base)) return true;
  if (await sidecarNames(`${base}.json`, basename(path))) return true;
  return await summarizeVolume(path, assume).then(
    ({ description }) => isResultDescription(description),
    () => false,
  );
}

/** Sidecars are small; what is larger is something else. */
const largestSidecarBytes = 2 ** 20;

/** A file that a sidecar could be, as JSON; undefined where there is none, or nothing that can be read. */
export async function readSidecar(path: string): Promise<unknown> {
  try {
    const bytes = await readFile(path);
    return bytes.length > largestSidecarBytes ? undefined : JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function sidecarNames(path: string, file: string): Promise<boolean> {
  const { mask, classes } = ((await readSidecar(path)) ?? {}) as { mask?: unknown; classes?: unknown };
  return Array.isArray(classes) && typeof mask === 'string' && basename(join(dirname(path), mask)) === file;
}
