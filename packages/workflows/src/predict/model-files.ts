/** What a path stands for as a model: a file, a run folder, or the folder of a cross-validation, an ensemble of its folds. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readResult } from '../compare/fold-files.js';
import { exists } from '../folders/outputs.js';
import { crossValidationFile, crossValidationFold, runFiles } from '../folders/run-folder.js';
import { readYaml } from '../folders/yaml.js';
import { InputError } from '../scans/scan-files.js';

/**
 * The model files that a path stands for.
 * @throws InputError for any other folder, and naming folds that are not finished
 */
export async function modelFilesOf(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [path];
  if (!(await exists(join(path, crossValidationFile)))) {
    const ofRun = join(path, runFiles.model);
    if (await exists(ofRun)) return [ofRun];
    throw new InputError(
      `${path} is a folder, but holds no model; expected a model file (such as RUN/${runFiles.model}), the run folder of ` +
        'a training that has ended, or the folder of a cross-validation',
      { path },
    );
  }
  const file = join(path, crossValidationFile);
  const settings = await readYaml(file);
  const folds = typeof settings === 'object' && settings !== null && 'folds' in settings ? settings.folds : undefined;
  if (typeof folds !== 'number' || !Number.isInteger(folds) || folds < 1 || folds > 1000) {
    throw new InputError(`${file}: folds is missing; expected how many there are`, { path: file });
  }
  const numbers = Array.from({ length: folds }, (_, fold) => fold);
  const unfinished: string[] = [];
  for (const fold of numbers) {
    if ((await readResult(crossValidationFold(path, fold))) === undefined) unfinished.push(`fold-${fold}`);
  }
  if (unfinished.length > 0) {
    throw new InputError(
      `${path}: ${unfinished.join(', ')} of this cross-validation are not finished; run cross-validate again to go on`,
      { path },
    );
  }
  return numbers.map((fold) => join(crossValidationFold(path, fold), runFiles.model));
}

/** The same where only one model will do. @throws InputError for the folder of a cross-validation */
export async function singleModelFile(path: string): Promise<string> {
  const files = await modelFilesOf(path);
  if (files.length === 1) return files[0];
  throw new InputError(
    `${path} holds the ${files.length} models of a cross-validation; name one of them, such as ${files[0]}`,
    {
      path,
    },
  );
}
