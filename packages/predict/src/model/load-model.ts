/** Model files on disk: ours, and those of other frameworks with the settings beside them. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FileError } from '@quickcolumn/io';
import { openOnnx, readSignature } from '@quickcolumn/runtimes';
import { foreignOn } from '../foreign/foreign-model.js';
import { type ForeignContents, parseForeign, settingsPathOf } from '../foreign/parse-foreign.js';
import type { LoadedModel } from './loaded-model.js';
import {
  largestModelBytes,
  type ModelContents,
  type ModelDevice,
  ModelError,
  modelOn,
  parseModel,
} from './open-model.js';

/** A model that was read and checked, and is on no device yet. */
export type AnyModelContents = ModelContents | ForeignContents;

/** Whether it was made by another framework. */
export const isForeignModel = (contents: AnyModelContents): contents is ForeignContents =>
  contents.metadata.format === 'quickcolumn-foreign-model';

/**
 * @param path of a model of ours, or of an ONNX model of another framework with its settings beside it, PATH.json
 * @param device default: the `onnx` runtime in float32
 * @throws ModelError when the file is damaged, or its settings are missing or wrong, FileError when it cannot be read;
 *   QuickcolumnError `usage` for a model of another framework on another runtime than `onnx`
 */
export async function loadModel(path: string, device?: ModelDevice): Promise<LoadedModel> {
  return anyModelOn(await readAnyModel(path), device ?? (await defaultDevice()));
}

/** @throws QuickcolumnError `usage` as `loadModel` does */
export function anyModelOn(contents: AnyModelContents, device: ModelDevice): LoadedModel {
  return isForeignModel(contents) ? foreignOn(contents, device) : modelOn(contents, device);
}

/** Reads a model that can predict, without compiling it. @throws ModelError, FileError as `loadModel` does. */
export async function readAnyModel(path: string): Promise<AnyModelContents> {
  const bytes = await readModelFile(path);
  const settingsPath = settingsPathOf(path);
  const settings = await readSettings(settingsPath);
  const kind = kindOf(bytes);
  if (kind === 'ours' && settings !== undefined) {
    throw new ModelError(path, `it says itself how it predicts, and ${settingsPath} does, too`, {
      advice: `remove ${settingsPath}`,
    });
  }
  return kind === 'foreign' || settings !== undefined
    ? await parseForeign(bytes, path, { settings, readFile: (name) => readModelFile(join(dirname(path), name)) })
    : await parseModel(bytes, path);
}

/** Reads a model of ours without compiling it. @throws ModelError, FileError as `loadModel` does. */
export async function readModel(path: string): Promise<ModelContents> {
  return await parseModel(await readModelFile(path), path);
}

/** Loads the runtime's library only where nobody has chosen another one. */
async function defaultDevice(): Promise<ModelDevice> {
  return { runtime: await openOnnx(), precision: 'float32' };
}

/** A file that is cut short has lost its metadata: where nothing can be told, it may be ours. */
function kindOf(bytes: Uint8Array): 'ours' | 'foreign' | 'unknown' {
  try {
    const { metadataKeys, inputs, outputs } = readSignature(bytes);
    if (metadataKeys.includes('quickcolumn')) return 'ours';
    return inputs.length > 0 && outputs.length > 0 ? 'foreign' : 'unknown';
  } catch {
    return 'unknown';
  }
}

const largestSettingsBytes = 2 ** 20;

async function readSettings(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size <= largestSettingsBytes) return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return undefined;
    throw new FileError(path, 'read', cause);
  }
  throw new ModelError(path, `more than ${largestSettingsBytes} bytes`, { advice: 'expected the settings of a model' });
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
