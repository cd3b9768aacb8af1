/**
 * Scans to predict: volume files (NIfTI, NRRD, MetaImage) and folders of them, and DICOM series in folders, archives and files.
 * Each is read when its turn comes, so a batch holds one scan at a time.
 */
import { basename } from 'node:path';
import { type DicomVolume, readSeries, type SeriesRepair } from '@quickcolumn/dicom';
import { type FormatProperties, type HeaderAssumptions, readVolume } from '@quickcolumn/io';
import type { Volume } from '@quickcolumn/volume';
import { InputError, scansFrom } from './scan-files.js';
import { chooseSeries, dicomPathKind, openListing } from './dicom-input.js';

interface LoadedScan {
  readonly volume: Volume;
  /** What was assumed or repaired, for people. */
  readonly notes: readonly string[];
  /** Of a volume's file, for what is written in its likeness. */
  readonly properties?: FormatProperties;
  /** Of a DICOM series; its first file can be read until `close`. */
  readonly dicom?: DicomVolume;
  /** Closes the archive that it came from; to be called when everything is written. */
  readonly close: () => void;
}

export interface ScanInput {
  readonly name: string;
  /** What it is called on the terminal, where its name is not to be shown. */
  readonly shownName?: string;
  /** File or folder, as the user named it. */
  readonly path: string;
  readonly kind: 'volume' | 'dicom';
  load(): Promise<LoadedScan>;
}

export interface ScanInputOptions {
  /** UID or number of the series where a folder holds several. */
  readonly series?: string;
  readonly repair?: SeriesRepair;
  /** What is known of volume files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
  readonly signal?: AbortSignal;
}

/** Scans in the order given; those of DICOM files that are named one by one are one series. Throws InputError. */
export async function scanInputs(paths: readonly string[], options: ScanInputOptions = {}): Promise<ScanInput[]> {
  const inputs: ScanInput[] = [];
  const looseFiles: string[] = [];
  for (const path of paths) {
    const kind = await dicomPathKind(path);
    if (kind === undefined) {
      const scans = await scansFrom([path]);
      inputs.push(...scans.map((scan) => volumeInput(scan.name, scan.path, options.assume)));
    } else if (kind === 'file') looseFiles.push(path);
    else inputs.push(await dicomInput([path], options));
  }
  if (looseFiles.length > 0) inputs.push(await dicomInput(looseFiles, options));
  const seen = new Map<string, string>();
  for (const { name, path } of inputs) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new InputError(`${path} and ${other} are both named ${name}; results would overwrite each other`, { name });
    }
    seen.set(name, path);
  }
  return inputs;
}

/** A scan in one file. */
export function volumeInput(name: string, path: string, assume?: HeaderAssumptions): ScanInput {
  return {
    name,
    path,
    kind: 'volume',
    load: async () => {
      const { properties, notes, ...volume } = await readVolume(path, { assume });
      return { volume, properties, notes, close: () => undefined };
    },
  };
}

/** Chooses the series now, so that a wrong choice is known before the first window; reads it later. */
async function dicomInput(paths: readonly string[], options: ScanInputOptions): Promise<ScanInput> {
  const [path] = paths;
  const { repair, signal } = options;
  const listing = await openListing(paths, { repair, signal });
  listing.close();
  const { series: chosen, notes } = chooseSeries(listing, options.series, path);
  return {
    name: basename(path).replace(/\.(zip|dcm|ima)$/i, ''),
    path,
    kind: 'dicom',
    load: async () => {
      const open = await openListing(paths, { repair, signal });
      try {
        const series = open.series.find(({ key }) => key === chosen.key);
        if (series === undefined) throw new InputError(`${path}: its series changed while it was read`);
<<<<<<< HEAD
        const read = await readSeries(series, { repair, signal });
        const dicom = { ...read, notes: [...notes, ...read.notes] };
        return { volume: dicom.volume, notes: dicom.notes, dicom, close: () => open.close() };
=======
        const dicom = await readSeries(series, { repair, signal });
        return { volume: dicom.volume, notes: [...notes, ...dicom.notes], dicom, close: () => open.close() };
>>>>>>> dicom
      } catch (error) {
        open.close();
        throw error;
      }
    },
  };
}
