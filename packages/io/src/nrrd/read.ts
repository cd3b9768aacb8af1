/**
 * Reading NRRD files: .nrrd with the voxels attached, .nhdr (or .nrrd) with the voxels in files of their own.
 * Raw, gzip, text and hex encodings; one 3D volume of single values.
 */
import type { Volume } from '@quickcolumn/volume';
import { describeReadError, type FileStore } from '../files/byte-source.js';
import type { VolumeReadOptions } from '../volumes/volume-format.js';
import { defaultMaxBytes } from '../voxels/limits.js';
import { NrrdError } from './error.js';
import { hasNrrdHeader } from './fields.js';
import { type NrrdHeader, parseNrrdHeader } from './header.js';
import { anyPlace, type HeaderAssumptions } from '../headers/assumptions.js';
import { readHeaderText } from '../headers/text-header.js';
import { containedFiles, readVoxelData, type VoxelDataContext } from '../voxels/voxel-data.js';

/** Reads a volume. Throws NrrdError naming the file and the field, before anything large is allocated. */
export async function readNrrd(
  store: FileStore,
  path: string,
  { maxBytes, assume }: VolumeReadOptions,
): Promise<{ readonly volume: Volume; readonly header: NrrdHeader }> {
  const header = await readNrrdHeader(store, path, assume);
  const { geometry, data } = header;
  const voxels = await readVoxelData(data, contextOf(store, path, maxBytes));
  return { volume: { voxels, size: data.size, affine: geometry.affine }, header };
}

/** Every file that a NRRD header names besides itself, checked to lie in its folder. Throws NrrdError. */
export async function nrrdDataFiles(store: FileStore, path: string): Promise<string[]> {
  const { data } = await readNrrdHeader(store, path, anyPlace);
  return data.files === undefined ? [] : await containedFiles(data.files, contextOf(store, path));
}

/** Reads the header alone. Throws NrrdError. */
export async function readNrrdHeader(
  store: FileStore,
  path: string,
  assume: HeaderAssumptions | undefined,
): Promise<NrrdHeader> {
  const refuse = (problem: string): NrrdError => new NrrdError(path, 'file', problem);
  try {
    const text = await store.open(path, refuse, (source) => readHeaderText(source, hasNrrdHeader));
    return parseNrrdHeader(text, path, assume);
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
