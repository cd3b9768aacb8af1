/**
 * Reading MetaImage files: .mha with the voxels attached, .mhd with the voxels in files of their own. Raw,
 * compressed (zlib) and text; one 3D volume of single values.
 */
import type { Volume } from '@quickcolumn/volume';
import { describeReadError, type FileStore } from '../files/byte-source.js';
import { MetaImageError } from './error.js';
import { type MetaImageHeader, metaImageHeaderState, parseMetaImageHeader } from './header.js';
import type { VolumeReadOptions } from '../volumes/volume-format.js';
import { defaultMaxBytes } from '../voxels/limits.js';
import { anyPlace, type HeaderAssumptions } from '../headers/assumptions.js';
import { readHeaderText } from '../headers/text-header.js';
import { containedFiles, readVoxelData, type VoxelDataContext } from '../voxels/voxel-data.js';

/** Reads a volume. Throws MetaImageError naming the file and the field, before anything large is allocated. */
export async function readMetaImage(
  store: FileStore,
  path: string,
  { maxBytes, assume }: VolumeReadOptions,
): Promise<{ readonly volume: Volume; readonly header: MetaImageHeader }> {
  const header = await readMetaImageHeader(store, path, assume);
  const { geometry, data } = header;
  const voxels = await readVoxelData(data, contextOf(store, path, maxBytes));
  return { volume: { voxels, size: data.size, affine: geometry.affine }, header };
}

/** Every file that a MetaImage header names besides itself, checked to lie in its folder. Throws MetaImageError. */
export async function metaImageDataFiles(store: FileStore, path: string): Promise<string[]> {
  const { data } = await readMetaImageHeader(store, path, anyPlace);
  return data.files === undefined ? [] : await containedFiles(data.files, contextOf(store, path));
}

/** Reads the header alone. Throws MetaImageError. */
export async function readMetaImageHeader(
  store: FileStore,
  path: string,
  assume: HeaderAssumptions | undefined,
): Promise<MetaImageHeader> {
  const refuse = (problem: string): MetaImageError => new MetaImageError(path, 'file', problem);
  try {
    const text = await store.open(path, refuse, async (source) => {
      return await readHeaderText(source, (start) => {
        const state = metaImageHeaderState(start);
        // A list of files runs to the end of the header file.
        return state === 'complete' || (state === 'list' && start.length >= source.bytes);
      });
    });
    return parseMetaImageHeader(text, path, assume);
  } catch (cause) {
    const problem = describeReadError(cause);
    if (problem === undefined) throw cause;
    throw new MetaImageError(path, 'file', `cannot read: ${problem}`, { cause });
  }
}

function contextOf(store: FileStore, path: string, maxBytes: number = defaultMaxBytes): VoxelDataContext {
  return {
    store,
    path,
    maxBytes,
    fields: { size: 'DimSize', files: 'ElementDataFile' },
    refuse: (file, field, problem, options) => new MetaImageError(file, field, problem, options),
  };
}
