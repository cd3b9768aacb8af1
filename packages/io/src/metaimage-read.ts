/**
 * Reading MetaImage files from disk: .mha with the voxels attached, .mhd with the voxels in files of their own. Raw,
 * compressed (zlib) and text; one 3D volume of single values.
 */
import type { Volume } from '@quickcolumn/volume';
import { withRegularFile } from './byte-stream.js';
import { describeSystemError, systemErrorCode } from './files.js';
import { MetaImageError } from './metaimage-error.js';
import { type MetaImageHeader, metaImageHeaderState, parseMetaImageHeader } from './metaimage-header.js';
import { defaultMaxBytes } from './nifti-voxels.js';
import { readHeaderText } from './text-header.js';
import { containedFiles, readVoxelData, type VoxelDataContext } from './volume-data.js';

/** Reads a volume. Throws MetaImageError naming the file and the field, before anything large is allocated. */
export async function readMetaImage(path: string, options: { readonly maxBytes?: number } = {}): Promise<Volume> {
  const { affine, data } = await readMetaImageHeader(path);
  const voxels = await readVoxelData(data, contextOf(path, options.maxBytes));
  return { voxels, size: data.size, affine };
}

/** Every file that a MetaImage header names besides itself, checked to lie in its folder. Throws MetaImageError. */
export async function metaImageDataFiles(path: string): Promise<string[]> {
  const { data } = await readMetaImageHeader(path);
  return data.files === undefined ? [] : await containedFiles(data.files, contextOf(path));
}

async function readMetaImageHeader(path: string): Promise<MetaImageHeader> {
  const refuse = (problem: string): MetaImageError => new MetaImageError(path, 'file', problem);
  try {
    const text = await withRegularFile(path, refuse, async (handle, bytes) => {
      return await readHeaderText(handle, (start) => {
        const state = metaImageHeaderState(start);
        // A list of files runs to the end of the header file.
        return state === 'complete' || (state === 'list' && start.length >= bytes);
      });
    });
    return parseMetaImageHeader(text, path);
  } catch (cause) {
    if (systemErrorCode(cause) === undefined) throw cause;
    throw new MetaImageError(path, 'file', `cannot read: ${describeSystemError(cause)}`, { cause });
  }
}

function contextOf(path: string, maxBytes: number = defaultMaxBytes): VoxelDataContext {
  return {
    path,
    maxBytes,
    fields: { size: 'DimSize', files: 'ElementDataFile' },
    refuse: (file, field, problem, options) => new MetaImageError(file, field, problem, options),
  };
}
