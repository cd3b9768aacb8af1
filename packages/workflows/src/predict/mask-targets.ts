/** Where the masks of scans go; everything about the places is checked before the first window. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkOutputFile, checkOutputFolder, OutputError } from '../folders/outputs.js';
import type { MaskFormat } from '../jobs/predict.js';
import { InputError } from '../scans/scan-files.js';
import type { ScanInput } from '../scans/scan-inputs.js';

export interface MaskTarget extends ScanInput {
  /** NIfTI file, when asked for. */
  readonly maskPath?: string;
  /** DICOM segmentation, when asked for. */
  readonly segPath?: string;
  readonly sidecarPath: string;
}

export interface TargetOptions {
  /** A folder, or a file for a single scan. */
  readonly out: string;
  readonly formats?: readonly MaskFormat[];
  readonly force?: boolean;
}

const maskExtension = /\.nii(\.gz)?$/i;
const segExtension = /\.dcm$/i;

/** @throws InputError, OutputError */
export async function chooseTargets(
  scans: readonly ScanInput[],
  { out, formats = ['nifti'], force = false }: TargetOptions,
): Promise<MaskTarget[]> {
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const wantsNifti = formats.includes('nifti');
  const wantsSeg = formats.includes('seg');
  const fileExtension = wantsNifti ? maskExtension : segExtension;
  const single = scans.length === 1 && fileExtension.test(out) && !isFolder;
  if (!single) await checkOutputFolder(out, true);
  const targets = scans.map((scan): MaskTarget => {
    if (wantsSeg && scan.kind !== 'dicom') {
      throw new InputError(
        `${scan.path}: a DICOM segmentation refers to the images of a DICOM series; use another format for this scan`,
        { path: scan.path },
      );
    }
    const base = single ? out.replace(fileExtension, '') : join(out, scan.name);
    return {
      ...scan,
      ...(wantsNifti ? { maskPath: single ? out : `${base}.nii.gz` } : {}),
      ...(wantsSeg ? { segPath: single && !wantsNifti ? out : `${base}.seg.dcm` } : {}),
      sidecarPath: `${base}.json`,
    };
  });
  const inputs = new Set(scans.map(({ path }) => resolve(path)));
  for (const { maskPath, segPath, sidecarPath } of targets) {
    for (const path of [maskPath, segPath, sidecarPath]) {
      if (path === undefined) continue;
      if (inputs.has(resolve(path))) throw new OutputError(`${path} is an input scan; choose another output`, path);
      await checkOutputFile(path, force);
    }
  }
  return targets;
}
