/** The model of a prediction: one file, or an ensemble of several. */
import { basename } from 'node:path';
import { hashFile } from '@quickcolumn/io';
import {
  ensembleOf,
  type LoadedModel,
  loadModel,
  type ModelDevice,
  type ModelFile,
  type NamedModel,
} from '@quickcolumn/predict';
import { modelFilesOf } from './model-files.js';

/** The models of a prediction as the sidecar names them. */
export interface ModelFiles {
  readonly model: ModelFile;
  readonly ensemble?: readonly ModelFile[];
}

/**
 * @param model model files, run folders or folders of a cross-validation
 * @throws ModelError, FileError, InputError; `usage` when models do not fit together
 */
export async function loadModels(
  model: string | readonly string[],
  device: ModelDevice,
): Promise<{ model: LoadedModel; files: ModelFiles }> {
  const named = typeof model === 'string' ? [model] : model;
  const paths = (await Promise.all(named.map(modelFilesOf))).flat();
  const members: NamedModel[] = [];
  const files: ModelFile[] = [];
  for (const path of paths) {
    const loaded = await loadModel(path, device);
    const { weightsSha256 } = loaded.metadata;
    members.push({ name: path, model: loaded });
    files.push({ file: basename(path), sha256: await hashFile(path), weightsSha256 });
  }
  const [first] = files;
  return {
    model: ensembleOf(members),
    files: files.length === 1 ? { model: first } : { model: first, ensemble: files },
  };
}
