/**
 * A scan, or a label map, from any supported file of a store. Which format a file has is told by its name, as everywhere
 * in this field; that the content fits is checked by the format's reader.
 */
import type { QuickcolumnError } from '@quickcolumn/errors';
import type { Volume } from '@quickcolumn/volume';
import type { FileStore } from './byte-source.js';
import { MetaImageError } from './metaimage-error.js';
import { metaImageDataFiles, readMetaImage } from './metaimage-read.js';
import { NiftiError } from './nifti-error.js';
import type { NiftiHeader } from './nifti-header.js';
import { readNifti } from './nifti-read.js';
import { NrrdError } from './nrrd-error.js';
import { nrrdDataFiles, readNrrd } from './nrrd-read.js';

/** Options of all readers. */
export interface VolumeReadOptions {
  /** Refuse images whose voxels need more bytes than this (default 8 GiB). */
  readonly maxBytes?: number;
}

/** A volume with the NIfTI header it came from, which `writeNifti` takes as `like`; none from other formats. */
export interface FileVolume extends Volume {
  readonly header?: NiftiHeader;
}

/** Labels with the NIfTI header they came from; none from other formats. */
export interface FileLabels extends Volume<Uint8Array> {
  readonly header?: NiftiHeader;
}

/** One row a format: its names, how it is read, and the files beside the named one that belong to it. */
interface VolumeFormat {
  readonly extension: RegExp;
  readonly read: (store: FileStore, path: string, options: VolumeReadOptions) => Promise<FileVolume>;
  readonly otherFiles: (store: FileStore, path: string) => Promise<string[]>;
  readonly refuse: (path: string, field: string, problem: string) => QuickcolumnError;
}

const formats: readonly VolumeFormat[] = [
  {
    extension: /\.(nii|hdr|img)(\.gz)?$/i,
    read: async (store, path, options) => {
      const { volume, header } = await readNifti(store, path, options);
      return { ...volume, header };
    },
    otherFiles: niftiOtherFiles,
    refuse: (...about) => new NiftiError(...about),
  },
  {
    extension: /\.(nrrd|nhdr)$/i,
    read: readNrrd,
    otherFiles: nrrdDataFiles,
    refuse: (...about) => new NrrdError(...about),
  },
  {
    extension: /\.(mha|mhd)$/i,
    read: readMetaImage,
    otherFiles: metaImageDataFiles,
    refuse: (...about) => new MetaImageError(...about),
  },
];

/** Extensions for messages and help texts. */
export const volumeExtensions: string = '.nii.gz, .nii, .hdr, .nrrd, .nhdr, .mha or .mhd';

/** Scaled labels (value·slope in float32) miss integers by rounding only. */
const integerTolerance = 1e-4;

/** Reads a scan. Throws NiftiError, NrrdError or MetaImageError, each naming the file and the field. */
export async function readVolumeFrom(
  store: FileStore,
  path: string,
  options: VolumeReadOptions = {},
): Promise<FileVolume> {
  return await formatOf(path).read(store, path, options);
}

/** Reads a label map: whole numbers 0 to 255 of any stored type. Throws a reader's error at the first other value. */
export async function readLabelsFrom(
  store: FileStore,
  path: string,
  options: VolumeReadOptions = {},
): Promise<FileLabels> {
  const { voxels, ...rest } = await readVolumeFrom(store, path, options);
  if (voxels instanceof Uint8Array) return { voxels, ...rest };
  const { size } = rest;
  const labels = new Uint8Array(voxels.length);
  for (let i = 0; i < voxels.length; i++) {
    const label = Math.round(voxels[i]);
    // Written so that NaN is refused too.
    if (!(label >= 0 && label <= 255 && Math.abs(voxels[i] - label) <= integerTolerance)) {
      const at = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / (size[0] * size[1]))];
      const problem = `${voxels[i]} at voxel (${at.join(', ')}) is not a label; expected whole numbers 0 to 255`;
      throw formatOf(path).refuse(path, 'voxels', problem);
    }
    labels[i] = label;
  }
  return { voxels: labels, ...rest };
}

/** The named file and every other one that its volume is made of (pairs, detached data), the named one first. */
export async function volumeFilesOf(store: FileStore, path: string): Promise<string[]> {
  return [path, ...(await formatOf(path).otherFiles(store, path))];
}

function formatOf(path: string): VolumeFormat {
  const format = formats.find(({ extension }) => extension.test(path));
  if (format !== undefined) return format;
  throw new NiftiError(path, 'file', `unknown kind of file; expected ${volumeExtensions}`);
}

async function niftiOtherFiles(store: FileStore, path: string): Promise<string[]> {
  const pair = /^(.*)\.(hdr|img)(\.gz)?$/is.exec(path);
  if (pair === null) return [];
  const other = /^hdr$/i.test(pair[2]) ? 'img' : 'hdr';
  const candidates = [`.${other}`, `.${other}.gz`, `.${other.toUpperCase()}`].map((ending) => pair[1] + ending);
  const isThere = (file: string): Promise<boolean> => store.exists(file).catch(() => false);
  const found = await Promise.all(candidates.map(async (file) => ((await isThere(file)) ? [file] : [])));
  return found.flat();
}
