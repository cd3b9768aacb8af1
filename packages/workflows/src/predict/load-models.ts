/** The model of a prediction, one file or an ensemble of several, on the runtime that it can be executed with. */
import {
  type AnyModelContents,
  anyModelOn,
  ensembleOf,
  foreignRuntimeError,
  isForeignModel,
  type LoadedModel,
  readAnyModel,
} from '@quickcolumn/predict';
import type { JobContext } from '../context.js';
import type { ThreadedCompute } from '../jobs/parts.js';
import { chooseDevice } from '../runtime/choose-device.js';
import { modelFilesOf } from './model-files.js';

/**
 * @param request.model model files, run folders or folders of a cross-validation
 * @throws ModelError, FileError, InputError; RuntimeError as `chooseDevice` does; `usage` when models do not fit together, or
 *   one of another framework is asked for on another runtime than `onnx`
 */
export async function loadModels(
  request: ThreadedCompute & { readonly model: string | readonly string[] },
  context: JobContext,
): Promise<LoadedModel> {
  const { model, threads, runtime = 'auto' } = request;
  const named = typeof model === 'string' ? [model] : model;
  const models: AnyModelContents[] = [];
  for (const path of (await Promise.all(named.map(modelFilesOf))).flat()) models.push(await readAnyModel(path));
  const foreign = models.filter(isForeignModel);
  for (const { name, file } of foreign) {
    const { title, licence } = file;
    const about = [title, licence && `licence: ${licence}`].filter(Boolean).map((part) => `, ${part}`);
    context.note(`${name}: a model of another framework, executed by ONNX Runtime${about.join('')}; research use only`);
    // Before a runtime that cannot help is looked for.
    if (runtime !== 'auto' && runtime !== 'onnx') throw foreignRuntimeError(name, runtime);
  }
  const device = await chooseDevice(
    { ...request, work: 'prediction', ...(foreign.length > 0 && runtime === 'auto' && { runtime: 'onnx' }) },
    context,
  );
  return ensembleOf(models.map((one) => anyModelOn(one, { ...device, ...(threads === undefined ? {} : { threads }) })));
}
