/** A scan, or a label map, from any supported file of a store: a disk, or what a browser was given. */
import type { Volume, VoxelArray } from '@quickcolumn/volume';
import type { FileStore } from '../files/byte-source.js';
import { watchedStore } from '../files/watched-store.js';
import { formatToRead, type VolumeFormatName } from './formats.js';
import type { FormatProperties, VolumeReadOptions } from './volume-format.js';

/** A volume, and what of its file a mask on the same grid is written with. */
export interface FileVolume<T extends VoxelArray = VoxelArray> extends Volume<T> {
  readonly format: VolumeFormatName;
  /** For `like` of what is written on the same grid. */
  readonly properties: FormatProperties;
  /** What was assumed of a header that does not say it, for people; mostly empty. */
  readonly notes: readonly string[];
}

/** A label map, and what of its file another one on the same grid is written with. */
export type FileLabels = FileVolume<Uint8Array>;

/** Scaled labels (value·slope in float32) miss integers by rounding only. */
const integerTolerance = 1e-4;

/** Reads a scan. Throws the format's own error, which names the file and the field, or FormatError for other names. */
export async function readVolumeFrom(
  store: FileStore,
  path: string,
  options: VolumeReadOptions = {},
): Promise<FileVolume> {
  const format = formatToRead(path);
  const isWatched = options.signal !== undefined || options.onProgress !== undefined;
  const from = isWatched ? watchedStore(store, options) : store;
  const { volume, properties, notes = [] } = await format.read(from, path, options);
  return { ...volume, format: format.name, properties, notes };
}

/** Reads a label map: whole numbers 0 to 255 of any stored type. Throws the format's error at the first other value. */
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
      throw formatToRead(path).refuse(path, 'voxels', problem);
    }
    labels[i] = label;
  }
  return { voxels: labels, ...rest };
}

/** The named file and every other one that its volume is made of (pairs, detached data), the named one first. */
export async function volumeFilesOf(store: FileStore, path: string): Promise<string[]> {
  return [path, ...(await formatToRead(path).otherFiles(store, path))];
}
