/**
 * A run folder: config.yaml (complete, re-runnable), history.jsonl, tensorboard/, checkpoints/, model.onnx and
 * report.html. A folder that is no run folder is never cleared, not even with `--force`.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from './cases.js';
import { checkOutputFolder, exists, OutputError } from './outputs.js';

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
  if (!(await exists(folder)) || (await readdir(folder)).length === 0) return 'fresh';
  const isRun = await exists(join(folder, runFiles.config));
  if (flags.resume) {
    if (isRun) return 'resume';
    throw new OutputError(`${folder}: nothing to resume, there is no ${runFiles.config} in it`, folder);
  }
  if (!flags.force) {
    const hint = isRun ? 'use --resume to continue it, --force to start it anew' : 'choose a new folder';
    throw new OutputError(`${folder} exists and is not empty; ${hint}`, folder);
  }
  if (!isRun) throw new OutputError(`${folder} is not a run folder; --force clears run folders only`, folder);
  return 'fresh';
}

/** Removes what an earlier run left; other files stay. */
export async function clearRun(folder: string): Promise<void> {
  for (const name of Object.values(runFiles)) await rm(join(folder, name), { recursive: true, force: true });
}

/** The model file of a path: itself, or the one in a run folder. @throws InputError for a folder without one */
export async function modelFile(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  const file = join(path, runFiles.model);
  if (await exists(file)) return file;
  throw new InputError(
    `${path}: there is no ${runFiles.model} in this folder; give a model file, or a run folder whose training has ended`,
    { path },
  );
}
