/**
 * Which paths hold DICOM, and the series that a job is about. What is shown of a series
 * never tells whose it is; names of patients and descriptions come only where they are asked for.
 */
import { open, readdir, stat } from 'node:fs/promises';
import {
  type DicomListing,
  type DicomSeries,
  listSeries,
  openSources,
  repairOptions,
  type SeriesRepair,
} from '@quickcolumn/dicom';
import { isVolumeFile, volumeExtensions } from '@quickcolumn/io';
import { join } from 'node:path';
import { isOwnMask } from './own-masks.js';
import { InputError } from './scan-files.js';

/**
 * `container` for a folder of DICOM images and for a zip archive, `file` for a file that begins like DICOM, undefined for the
 * rest. Masks that quickcolumn made decide nothing. Throws InputError for what is not there, and for a folder that holds
 * DICOM images and scans in other formats.
 */
export async function dicomPathKind(path: string): Promise<'container' | 'file' | undefined> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new InputError(`${path}: no such file or folder`, { path }, { cause });
  });
  if (found.isDirectory()) return await folderKind(path);
  if (!found.isFile() || isVolumeFile(path)) return undefined;
  const start = await startOf(path);
  if (start.toString('latin1', 0, 4) === 'PK\x03\x04') return 'container';
  return beginsLikeDicom(start) ? 'file' : undefined;
}

async function folderKind(folder: string): Promise<'container' | undefined> {
  const volumes = (await readdir(folder)).filter(isVolumeFile);
  if (volumes.length === 0) return 'container';
  const dicom = await firstDicomFile(folder);
  if (dicom === undefined) return undefined;
  for (const volume of volumes) {
    const path = join(folder, volume);
    if (await isOwnMask(path)) continue;
    throw new InputError(
      `${folder} holds DICOM images (${dicom}) and scans in other formats (${path}); name the files that are meant, or move ` +
        'them into folders of their own',
      { path: folder },
    );
  }
  return 'container';
}

/** The first file in or below a folder that is DICOM by its beginning or its name. */
async function firstDicomFile(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const found = await firstDicomFile(path);
      if (found !== undefined) return found;
    } else if (entry.isFile() && !entry.name.startsWith('.') && !isVolumeFile(entry.name)) {
      // A segmentation of ours lies beside the other masks.
      if (/\.seg\.dcm$/i.test(entry.name)) continue;
      if (/\.(dcm|ima)$/i.test(entry.name) || beginsLikeDicom(await startOf(path))) return path;
    }
  }
  return undefined;
}

const beginsLikeDicom = (start: Buffer): boolean => start.toString('latin1', 128) === 'DICM';

async function startOf(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(132), position: 0 });
    return buffer;
  } finally {
    await handle.close();
  }
}

/** A listing whose archives are open until `close`. */
export interface OpenListing extends DicomListing {
  close(): void;
}

/** Lists the series in the paths. Throws FileError and DicomError. */
export async function openListing(
  paths: readonly string[],
  options: { readonly repair?: SeriesRepair; readonly anyModality?: boolean; readonly signal?: AbortSignal } = {},
): Promise<OpenListing> {
  const opened = await openSources(paths);
  try {
    const listing = await listSeries(opened.sources, options);
    return { ...listing, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** A series, and what people should know of the choice. */
export interface ChosenSeries {
  readonly series: DicomSeries;
  readonly notes: readonly string[];
}

/**
 * The series that a user means: by number (as `dicom list` counts) or UID; without, the only usable one.
 * Throws InputError that says what there is.
 */
export function chooseSeries(listing: DicomListing, wanted: string | undefined, where: string): ChosenSeries {
  const { series, damaged } = listing;
  if (wanted !== undefined) {
    const chosen = series.filter(({ seriesUid }, i) => seriesUid === wanted || String(i + 1) === wanted);
    if (chosen.length === 1) return { series: chosen[0], notes: [] };
    if (chosen.length > 1) {
      throw new InputError(`${where}: ${chosen.length} series have the UID ${wanted}; choose one of them`, {
        options: { series: 'choose one by its number' },
      });
    }
    throw new InputError(`${where}: no series ${wanted}; there are ${series.length}, list them first`);
  }
  const usable = series.filter(({ problems }) => problems.length === 0);
  if (usable.length === 1) return { series: usable[0], notes: notesOnChoice(series, usable[0]) };
  if (usable.length > 1) {
    throw new InputError(`${where}: ${usable.length} usable series; choose one of them`, {
      options: { series: 'choose one by its number or UID' },
    });
  }
  if (series.length === 0 && damaged.length === 0) {
    throw new InputError(`${where}: no ${volumeExtensions} files and no DICOM images in it`, { path: where });
  }
  const reasons = series.map(({ problems }) => problems.map(({ message }) => message).join('; '));
  const broken = series.length === 0 ? damaged.map(({ error }) => error.message) : [];
  const shown = [...reasons, ...broken].slice(0, 3).join(' | ');
  // Of several, it is not known which is meant.
  const problems = series.length === 1 ? series[0].problems : [];
  throw new InputError(`${where}: no usable CT series: ${shown}`, { options: repairOptions(problems) });
}

/** A larger CT series that cannot be used may be the one that was meant. */
function notesOnChoice(series: readonly DicomSeries[], chosen: DicomSeries): string[] {
  return series.flatMap(({ modality, problems }, i) =>
    modality === 'CT' && series[i] !== chosen
      ? [`series ${i + 1} was passed over: ${problems.map(({ message }) => message).join('; ')}`]
      : [],
  );
}
