/** The folder of a cross-validation as a model: the ensemble of its folds, which are all finished or it is none. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../cases.js';
import { exists } from '../outputs.js';
import { runFiles } from '../run-folder.js';
import { readYaml } from '../yaml.js';
import { readResult } from './fold-files.js';

/** Settings of a cross-validation, complete, in its folder. */
export const crossValidationFile = 'cross-validation.yaml';

/** Folder of a fold, counted from 0. */
export function crossValidationFold(out: string, fold: number): string {
  return join(out, `fold-${fold}`);
}

/**
 * The model files that a path stands for: itself, that of a run folder, or those of the folds of a cross-validation.
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
      `--model: ${path} is a folder; expected a model file (such as RUN/${runFiles.model}), a run folder or a folder of ` +
        'cross-validate',
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
      `--model: ${unfinished.join(', ')} of ${path} are not finished; go on with: quickcolumn cross-validate --out ${path}`,
      { path },
    );
  }
  return numbers.map((fold) => join(crossValidationFold(path, fold), runFiles.model));
}
