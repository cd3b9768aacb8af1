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
import { InputError } from './scan-files.js';

/**
 * `container` for a folder without volumes of other formats and for a zip archive, `file` for a file that begins like DICOM,
 * undefined for the rest. Throws InputError for what is not there.
 */
export async function dicomPathKind(path: string): Promise<'container' | 'file' | undefined> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new InputError(`${path}: no such file or folder`, { path }, { cause });
  });
  if (found.isDirectory()) {
    return (await readdir(path)).some(isVolumeFile) ? undefined : 'container';
  }
  if (!found.isFile() || isVolumeFile(path)) return undefined;
  const handle = await open(path);
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(132), position: 0 });
    if (buffer.toString('latin1', 0, 4) === 'PK\x03\x04') return 'container';
    return buffer.toString('latin1', 128) === 'DICM' ? 'file' : undefined;
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
