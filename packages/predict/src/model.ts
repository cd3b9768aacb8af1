/** Model files on disk. */
import { readFile, stat } from 'node:fs/promises';
import { FileError } from '@quickcolumn/io';
import { openOnnx } from '@quickcolumn/runtimes';
import type { LoadedModel } from './model-types.js';
import {
  largestModelBytes,
  type ModelContents,
  type ModelDevice,
  ModelError,
  openModel,
  readContents,
} from './open-model.js';

/**
 * @param device default: ONNX Runtime on all cores
 * @throws ModelError when the file is not ours or damaged, FileError when it cannot be read.
 */
export async function loadModel(path: string, device?: ModelDevice): Promise<LoadedModel> {
  const bytes = await readModelFile(path);
  return await openModel(bytes, path, device ?? { runtime: await openOnnx(), precision: 'float32' });
}

/** Reads a model without compiling it. @throws ModelError, FileError as `loadModel` does. */
export async function readModel(path: string): Promise<ModelContents> {
  return await readContents(await readModelFile(path), path);
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new ModelError(path, 'not a regular file');
    if (stats.size > largestModelBytes) {
      throw new ModelError(path, `${stats.size} bytes, more than the limit of ${largestModelBytes}`);
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    throw new FileError(path, 'read', cause);
  }
}
