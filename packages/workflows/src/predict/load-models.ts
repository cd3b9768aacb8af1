/**
 * The model of a prediction, one file or an ensemble of several: read first, so that it can be named before any work, then
 * opened on the runtime that it can be executed with.
 */
import {
  type AnyModelContents,
  anyModelOn,
  ensembleOf,
  foreignRuntimeError,
  isForeignModel,
  type LoadedModel,
  modelLine,
  readAnyModel,
} from '@quickcolumn/predict';
import type { JobContext } from '../context.js';
import type { ThreadedCompute } from '../jobs/parts.js';
import { chooseDevice } from '../runtime/choose-device.js';
import { modelFilesOf } from './model-files.js';
import { defaultModel, pretrainedNames, readPretrained } from './pretrained.js';

/**
 * @param model names of models that come along, model files, run folders or folders of a cross-validation; default: the
 *   pretrained model
 * @throws ModelError, FileError, InputError
 */
export async function readModels(
  model: string | readonly string[] = defaultModel,
): Promise<readonly AnyModelContents[]> {
  const named = typeof model === 'string' ? [model] : model;
  const models: AnyModelContents[] = [];
  for (const one of named) {
    if (pretrainedNames.includes(one)) models.push(await readPretrained(one));
    else for (const path of await modelFilesOf(one)) models.push(await readAnyModel(path));
  }
  return models;
}

/**
 * @throws RuntimeError as `chooseDevice` does; `usage` when models do not fit together, or one of another framework is asked
 *   for on another runtime than `onnx`
 */
export async function openModels(
  models: readonly AnyModelContents[],
  { model: _model, ...request }: ThreadedCompute & { readonly model?: unknown },
  context: JobContext,
): Promise<LoadedModel> {
  const { threads, runtime = 'auto' } = request;
  const foreign = models.filter(isForeignModel);
  // Before a runtime that cannot help is looked for.
  const [first] = foreign;
  if (first !== undefined && runtime !== 'auto' && runtime !== 'onnx') throw foreignRuntimeError(first.name, runtime);
  const device = await chooseDevice(
    { ...request, work: 'prediction', ...(foreign.length > 0 && { runtime: 'onnx' }) },
    context,
  );
  return ensembleOf(models.map((one) => anyModelOn(one, { ...device, ...(threads === undefined ? {} : { threads }) })));
}

/** What whoever asked for a job must know of its models, a line for each that says something else. */
export function modelLines(models: readonly AnyModelContents[]): readonly string[] {
  return [...new Set(models.map(({ file }) => modelLine(file)))];
}
