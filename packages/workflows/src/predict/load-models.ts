/** The model of a prediction: one file, or an ensemble of several. */
import { ensembleOf, type LoadedModel, loadModel, type ModelDevice } from '@quickcolumn/predict';
import { modelFilesOf } from './model-files.js';

/**
 * @param model model files, run folders or folders of a cross-validation
 * @throws ModelError, FileError, InputError; `usage` when models do not fit together
 */
export async function loadModels(model: string | readonly string[], device: ModelDevice): Promise<LoadedModel> {
  const named = typeof model === 'string' ? [model] : model;
  const models: LoadedModel[] = [];
  for (const path of (await Promise.all(named.map(modelFilesOf))).flat()) models.push(await loadModel(path, device));
  return ensembleOf(models);
}
