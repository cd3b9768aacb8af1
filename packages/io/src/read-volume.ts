/**
 * The readers that the rest of Quickcolumn uses: a scan, or a label map, from any supported file.
 */
import type { Volume } from '@quickcolumn/volume';
import { NiftiError } from './nifti-error.js';
import type { NiftiHeader } from './nifti-header.js';
import type { NiftiReadOptions } from './nifti-parse.js';
import { readNifti } from './nifti-read.js';

/** A volume with the header it came from, which `writeNifti` takes as `like`. */
export interface FileVolume extends Volume {
  readonly header: NiftiHeader;
}

/** Labels with the header they came from. */
export interface FileLabels extends Volume<Uint8Array> {
  readonly header: NiftiHeader;
}

const extensions = /\.(nii|hdr|img)(\.gz)?$/i;
/** Scaled labels (value·slope in float32) miss integers by rounding only. */
const integerTolerance = 1e-4;

/** Reads a .nii, .nii.gz, .hdr or .img file. Throws NiftiError, also for other names. */
export async function readVolume(path: string, options: NiftiReadOptions = {}): Promise<FileVolume> {
  if (!extensions.test(path)) {
    throw new NiftiError(path, 'file', 'unknown kind of file; expected .nii, .nii.gz, .hdr or .img');
  }
  const { volume, header } = await readNifti(path, options);
  return { ...volume, header };
}

/** Reads a label map: whole numbers 0 to 255 of any stored type. Throws NiftiError at the first other value. */
export async function readLabels(path: string, options: NiftiReadOptions = {}): Promise<FileLabels> {
  const { voxels, size, affine, header } = await readVolume(path, options);
  if (voxels instanceof Uint8Array) return { voxels, size, affine, header };
  const labels = new Uint8Array(voxels.length);
  for (let i = 0; i < voxels.length; i++) {
    const label = Math.round(voxels[i]);
    // Written so that NaN is refused too.
    if (!(label >= 0 && label <= 255 && Math.abs(voxels[i] - label) <= integerTolerance)) {
      const at = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / (size[0] * size[1]))];
      throw new NiftiError(
        path,
        'voxels',
        `${voxels[i]} at voxel (${at.join(', ')}) is not a label; expected whole numbers 0 to 255`,
      );
    }
    labels[i] = label;
  }
  return { voxels: labels, size, affine, header };
}
