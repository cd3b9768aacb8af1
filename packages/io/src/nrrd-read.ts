/**
 * Reading NRRD files: .nrrd with the voxels attached, .nhdr (or .nrrd) with the voxels in files of their own.
 * Raw, gzip, text and hex encodings; one 3D volume of single values.
 */
import type { Volume } from '@quickcolumn/volume';
import { describeReadError, type FileStore } from './byte-source.js';
import { defaultMaxBytes } from './nifti-voxels.js';
import { NrrdError } from './nrrd-error.js';
import { hasNrrdHeader } from './nrrd-fields.js';
import { type NrrdHeader, parseNrrdHeader } from './nrrd-header.js';
import { readHeaderText } from './text-header.js';
import { containedFiles, readVoxelData, type VoxelDataContext } from './volume-data.js';

/** Reads a volume. Throws NrrdError naming the file and the field, before anything large is allocated. */
export async function readNrrd(
  store: FileStore,
  path: string,
  options: { readonly maxBytes?: number } = {},
): Promise<Volume> {
  const { affine, data } = await readNrrdHeader(store, path);
  const voxels = await readVoxelData(data, contextOf(store, path, options.maxBytes));
  return { voxels, size: data.size, affine };
}

/** Every file that a NRRD header names besides itself, checked to lie in its folder. Throws NrrdError. */
export async function nrrdDataFiles(store: FileStore, path: string): Promise<string[]> {
  const { data } = await readNrrdHeader(store, path);
  return data.files === undefined ? [] : await containedFiles(data.files, contextOf(store, path));
}

async function readNrrdHeader(store: FileStore, path: string): Promise<NrrdHeader> {
  const refuse = (problem: string): NrrdError => new NrrdError(path, 'file', problem);
  try {
    const text = await store.open(path, refuse, (source) => readHeaderText(source, hasNrrdHeader));
    return parseNrrdHeader(text, path);
  } catch (cause) {
    const problem = describeReadError(cause);
    if (problem === undefined) throw cause;
    throw new NrrdError(path, 'file', `cannot read: ${problem}`, { cause });
  }
}

function contextOf(store: FileStore, path: string, maxBytes: number = defaultMaxBytes): VoxelDataContext {
  return {
    store,
    path,
    maxBytes,
    fields: { size: 'sizes', files: 'data file' },
    refuse: (file, field, problem, options) => new NrrdError(file, field, problem, options),
  };
}
