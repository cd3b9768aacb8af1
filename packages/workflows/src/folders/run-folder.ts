/**
 * A run folder: config.yaml (complete, re-runnable), history.jsonl, tensorboard/, checkpoints/, model.onnx and
 * report.html. A folder that is no run folder is never cleared, not even with `force`.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOutputFolder, entriesOf, exists, OutputError } from './outputs.js';

export const runFiles = {
  config: 'config.yaml',
  history: 'history.jsonl',
  tensorboard: 'tensorboard',
  checkpoints: 'checkpoints',
  model: 'model.onnx',
  report: 'report.html',
} as const;

/** What a new run finds in its folder. */
export type RunStart = 'fresh' | 'resume';

/**
 * Checks a run folder before any work. Nothing is removed here.
 *
 * @throws OutputError when it holds something and neither `resume` nor `force` is given, or `force` would clear a
 *   folder that is not a run folder.
 */
export async function checkRunFolder(folder: string, flags: { resume?: boolean; force?: boolean }): Promise<RunStart> {
  await checkOutputFolder(folder, true);
  if ((await entriesOf(folder)).length === 0) return 'fresh';
  const isRun = await exists(join(folder, runFiles.config));
  if (flags.resume) {
    if (isRun) return 'resume';
    throw new OutputError(`${folder}: nothing to resume, there is no ${runFiles.config} in it`, folder);
  }
  if (!flags.force) {
    const options = isRun ? { resume: 'continue it', force: 'start it anew' } : undefined;
    throw new OutputError(`${folder} exists and is not empty; choose a new folder`, folder, { options });
  }
  if (!isRun)
    throw new OutputError(
      `${folder} is not a run folder, and only run folders are cleared; choose a new folder`,
      folder,
    );
  return 'fresh';
}

/** Removes what an earlier run left; other files stay. */
export async function clearRun(folder: string): Promise<void> {
  for (const name of Object.values(runFiles)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Settings of a cross-validation, complete, in its folder. */
export const crossValidationFile = 'cross-validation.yaml';

/** Folder of a fold of a cross-validation, counted from 0. */
export function crossValidationFold(out: string, fold: number): string {
  return join(out, `fold-${fold}`);
}
