/** The model of a prediction: one file, or an ensemble of several; read first, so that it can be named before any work. */
import {
  ensembleOf,
  type LoadedModel,
  type ModelContents,
  type ModelDevice,
  modelLine,
  modelOn,
  readModel,
} from '@quickcolumn/predict';
import { modelFilesOf } from './model-files.js';
import { defaultModel, pretrainedNames, readPretrained } from './pretrained.js';

/**
 * @param model names of models that come along, model files, run folders or folders of a cross-validation; default: the
 *   pretrained model
 * @throws ModelError, FileError, InputError
 */
export async function readModels(model: string | readonly string[] = defaultModel): Promise<readonly ModelContents[]> {
  const named = typeof model === 'string' ? [model] : model;
  const models: ModelContents[] = [];
  for (const one of named) {
    if (pretrainedNames.includes(one)) models.push(await readPretrained(one));
    else for (const path of await modelFilesOf(one)) models.push(await readModel(path));
  }
  return models;
}

/** @throws QuickcolumnError `usage` when models do not fit together */
export function modelsOn(models: readonly ModelContents[], device: ModelDevice): LoadedModel {
  return ensembleOf(models.map((model) => modelOn(model, device)));
}

/** What whoever asked for a job must know of its models, a line for each that says something else. */
export function modelLines(models: readonly ModelContents[]): readonly string[] {
  return [...new Set(models.map(({ file }) => modelLine(file)))];
}
