/**
 * Scans to predict: volume files (NIfTI, NRRD, MetaImage) and folders of them, and DICOM series in folders, archives and files.
 * Each is read when its turn comes, so a batch holds one scan at a time.
 */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type DicomVolume, readSeries, type SeriesRepair } from '@quickcolumn/dicom';
import { errorCodeOf, exitCodeOf, exitCodes } from '@quickcolumn/errors';
import {
  type FormatProperties,
  type HeaderAssumptions,
  readVolume,
  type ReadWatch,
  summarizeVolume,
} from '@quickcolumn/io';
import type { Size3, Volume } from '@quickcolumn/volume';
import { isOwnMask } from './own-masks.js';
import { caseName, InputError, scansIn } from './scan-files.js';
import { chooseSeries, dicomPathKind, openListing } from './dicom-input.js';

export interface LoadedScan {
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
  /** What it is called on the terminal and in the sidecar, where its name or path is not to be shown. */
  readonly shownName?: string;
  /** File or folder, as the user named it. */
  readonly path: string;
  readonly kind: 'volume' | 'dicom';
  /** Of a DICOM scan; absent where it has no usable series. */
  readonly seriesUid?: string;
  /** From the header alone; undefined where that cannot be read, which `load` will report. */
  size(): Promise<Size3 | undefined>;
  /** @param watch is told how far a volume file is read */
  load(watch?: ReadWatch): Promise<LoadedScan>;
}

export interface ScanInputOptions {
  /** UID or number of the series where a folder holds several. */
  readonly series?: string;
  readonly repair?: SeriesRepair;
  /** What is known of volume files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
  readonly signal?: AbortSignal;
  /** Is told what was left out of a folder. */
  readonly note?: (text: string) => void;
}

/**
 * Scans in the order given; those of DICOM files that are named one by one are one series. Among several, one whose series
 * cannot be used stays: loading it fails. Throws InputError.
 */
export async function scanInputs(paths: readonly string[], options: ScanInputOptions = {}): Promise<ScanInput[]> {
  const inputs: ScanInput[] = [];
  const looseFiles: string[] = [];
  const alone = paths.length === 1;
  for (const path of paths) {
    const kind = await dicomPathKind(path);
    if (kind === 'file') looseFiles.push(path);
    else if (kind === 'container') inputs.push(await dicomInput([path], { ...options, alone }));
    else if ((await stat(path)).isDirectory()) {
      const scans = await scansIn(path, path, options);
      inputs.push(...scans.map((scan) => volumeInput(scan.name, scan.path, options.assume)));
    } else if (await isOwnMask(path, options.assume)) {
      throw new InputError(`${path} is a mask or another result, not a scan; name the scan`, { path });
    } else inputs.push(volumeInput(caseName(path), path, options.assume));
  }
  if (looseFiles.length > 0) {
    inputs.push(await dicomInput(looseFiles, { ...options, alone: looseFiles.length === paths.length }));
  }
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
    size: async () =>
      await summarizeVolume(path, assume).then(
        ({ size }) => size,
        () => undefined,
      ),
    load: async (watch) => {
      const { properties, notes, ...volume } = await readVolume(path, { ...watch, assume });
      return { volume, properties, notes, close: () => undefined };
    },
  };
}

/** Chooses the series now, so that a wrong choice is known before the first window; reads it later. */
async function dicomInput(
  paths: readonly string[],
  options: ScanInputOptions & { readonly alone: boolean },
): Promise<ScanInput> {
  const [path] = paths;
  const about = { name: basename(resolve(path)).replace(/\.(zip|dcm|ima)$/i, ''), path, kind: 'dicom' } as const;
  try {
    return { ...about, ...(await chosenSeries(paths, options)) };
  } catch (error) {
    // One of many: the others are predicted, and this one is told at the end.
    if (options.alone || exitCodeOf(errorCodeOf(error)) !== exitCodes.input) throw error;
    return { ...about, size: async () => undefined, load: async () => await Promise.reject(error) };
  }
}

async function chosenSeries(
  paths: readonly string[],
  options: ScanInputOptions,
): Promise<Pick<ScanInput, 'seriesUid' | 'size' | 'load'>> {
  const [path] = paths;
  const { repair, signal } = options;
  const listing = await openListing(paths, { repair, signal });
  listing.close();
  const { series: chosen, notes } = chooseSeries(listing, options.series, path);
  const { seriesUid, grid } = chosen;
  return {
    seriesUid,
    size: async () => grid && [grid.size[0], grid.size[1], grid.size[2]],
    load: async () => {
      const open = await openListing(paths, { repair, signal });
      try {
        const series = open.series.find(({ key }) => key === chosen.key);
        if (series === undefined) throw new InputError(`${path}: its series changed while it was read`);
        const dicom = await readSeries(series, { repair, signal });
        return { volume: dicom.volume, notes: [...notes, ...dicom.notes], dicom, close: () => open.close() };
      } catch (error) {
        open.close();
        throw error;
      }
    },
  };
}
