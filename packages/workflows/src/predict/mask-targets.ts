/** Where the masks of scans go; everything about the places is checked before the first window. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { volumeBase, type VolumeFormatName, volumeFormatOf, volumePath } from '@quickcolumn/io';
import { checkOutputFile, checkOutputFolder, OutputError } from '../folders/outputs.js';
import type { MaskFormat } from '../jobs/predict.js';
import { InputError } from '../scans/scan-files.js';
import type { ScanInput } from '../scans/scan-inputs.js';

export interface MaskTarget extends ScanInput {
  /** The masks as volume files, one a format. */
  readonly maskPaths: readonly string[];
  /** DICOM segmentation, when asked for. */
  readonly segPath?: string;
  readonly sidecarPath: string;
}

export interface TargetOptions {
  /** A folder, or a file for a single scan. */
  readonly out: string;
  /** Default nifti, or what the name of a single file says. */
  readonly formats?: readonly MaskFormat[];
  readonly force?: boolean;
  /** Files that are there are judged later, by what made them. */
  readonly skipExisting?: boolean;
}

/** Bytes that most file systems allow, less what a temporary name needs (writeFileAtomic). */
const longestName = 255 - 25;
const segExtension = /\.dcm$/i;

/** @throws InputError, OutputError */
export async function chooseTargets(scans: readonly ScanInput[], options: TargetOptions): Promise<MaskTarget[]> {
  const { out, force = false, skipExisting = false } = options;
  const file = scans.length === 1 && !(await isFolder(out)) ? namedFormat(out) : undefined;
  const formats = options.formats ?? [file ?? 'nifti'];
  // A file that is not of an asked format is the name of a folder.
  const single = file !== undefined && formats.includes(file) ? file : undefined;
  if (single === undefined) await checkOutputFolder(out, true);
  const volumes = formats.filter((format): format is VolumeFormatName => format !== 'seg');
  const wantsSeg = formats.includes('seg');
  const targets = scans.map((scan): MaskTarget => {
    if (wantsSeg && scan.kind !== 'dicom') {
      throw new InputError(
        `${scan.path}: a DICOM segmentation refers to the images of a DICOM series; use another format for this scan`,
        { path: scan.path },
      );
    }
    const base = single === undefined ? join(out, scan.name) : baseOf(out);
    return {
      ...scan,
      maskPaths: volumes.map((format) => (format === single ? out : volumePath(base, format))),
      ...(wantsSeg ? { segPath: single === 'seg' ? out : `${base}.seg.dcm` } : {}),
      sidecarPath: `${base}.json`,
    };
  });
  const inputs = new Set(scans.map(({ path }) => resolve(path)));
  for (const { maskPaths, segPath, sidecarPath } of targets) {
    for (const path of [...maskPaths, segPath, sidecarPath]) {
      if (path === undefined) continue;
      if (inputs.has(resolve(path))) throw new OutputError(`${path} is an input scan; choose another output`, path);
      if (Buffer.byteLength(basename(path)) > longestName) {
        throw new OutputError(`${path}: the name is too long for a file; choose a shorter one`, path);
      }
      await checkOutputFile(path, force || skipExisting);
    }
  }
  return targets;
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The format that a file's name tells. */
const namedFormat = (path: string): MaskFormat | undefined => (segExtension.test(path) ? 'seg' : volumeFormatOf(path));

/** Whether a name is that of a mask, and not of a folder of masks. */
export const namesMaskFile = (path: string): boolean => namedFormat(path) !== undefined;

const baseOf = (path: string): string => (segExtension.test(path) ? path.replace(segExtension, '') : volumeBase(path));
