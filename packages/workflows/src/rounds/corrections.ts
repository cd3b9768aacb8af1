/**
 * The person's turn: corrected files are read and checked, compared with what the model drew, and copied into
 * `labels/`, where training finds them. Either all files of a round are accepted or none, and every problem is named at once.
 *
 * A file that equals the prediction voxel by voxel was perhaps not looked at yet; it needs the person's word.
 */
import { join, resolve } from 'node:path';
import { type HeaderAssumptions, makeFolder, readLabels, writeVolume } from '@quickcolumn/io';
import { checkLabelValues, type PreparationConfig } from '@quickcolumn/pipeline';
import { QuickcolumnError } from '@quickcolumn/errors';
import { compareGrids, type LabelClass, type Volume, voxelVolumeMm3 } from '@quickcolumn/volume';
import { caseName, InputError } from '../scans/scan-files.js';
import type { JobContext } from '../context.js';
import { exists } from '../folders/outputs.js';
import { labelPath, maskName, roundPaths, roundsFiles } from './folder.js';
import { type Correction, currentRound, type RoundsState, withCorrections } from './rounds-state.js';

export interface AcceptOptions {
  /** Corrected files that lie elsewhere, known by their names. */
  readonly files: readonly string[];
  readonly acceptUnchanged: boolean;
  readonly preparation: PreparationConfig;
  /** What is known of files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
}

/**
 * The state after all corrections of the round were accepted; it is not saved yet.
 * @throws InputError that lists files that are missing, unreadable, on another grid, with unknown labels or unchanged
 */
export async function acceptCorrections(
  out: string,
  state: RoundsState,
  options: AcceptOptions,
  context: JobContext,
): Promise<RoundsState> {
  const { batch } = currentRound(state);
  const { predicted, toCorrect } = roundPaths(out, state.rounds.length);
  const elsewhere = namedFiles(options.files, batch);
  const problems: string[] = [];
  const unchanged: string[] = [];
  const corrections: Correction[] = [];
  // Two passes, because a whole batch may not fit into memory.
  for (const name of batch) {
    context.throwIfInterrupted();
    const path = elsewhere.get(name) ?? join(toCorrect, maskName(name));
    const prediction = await readLabels(join(predicted, maskName(name)));
    try {
      const corrected = await readCorrected(path, prediction, options);
      const correction = compareLabels(name, { prediction, corrected }, options.preparation);
      corrections.push(correction);
      if (correction.changedVoxels === 0) unchanged.push(path);
    } catch (error) {
      if (!(error instanceof QuickcolumnError) || error.code === 'interrupted') throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) {
    throw new InputError(`${problems.join('\n')}\nNothing was accepted; correct these files and go on again`, {
      files: problems.length,
    });
  }
  if (unchanged.length > 0 && !options.acceptUnchanged) {
    throw new InputError(
      `not changed since the model drew them: ${unchanged.join(', ')}; ` +
        'correct them, or accept them if they are right as they are. Nothing was accepted',
      { unchanged, options: { 'accept-unchanged': 'accept them as they are' } },
    );
  }
  await makeFolder(join(out, roundsFiles.labels));
  for (const name of batch) {
    context.throwIfInterrupted();
    const path = elsewhere.get(name) ?? join(toCorrect, maskName(name));
    const { voxels, size, affine } = await readLabels(path, { assume: options.assume });
    const description = 'quickcolumn corrected labels';
    await writeVolume(labelPath(out, name), { voxels, size, affine }, { force: true, description });
  }
  return withCorrections(state, corrections);
}

function namedFiles(files: readonly string[], batch: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of files) {
    const name = caseName(file);
    if (!batch.includes(name)) {
      throw new InputError(`${file}: no scan of this round is named ${name}; there are ${batch.join(', ')}`, { file });
    }
    if (found.has(name))
      throw new InputError(`${file} and ${found.get(name)} are both named ${name}; give one`, { file });
    found.set(name, resolve(file));
  }
  return found;
}

async function readCorrected(
  path: string,
  prediction: Volume<Uint8Array>,
  { preparation: { classes, ignoreLabel }, assume }: AcceptOptions,
): Promise<Volume<Uint8Array>> {
  if (!(await exists(path))) {
    throw new InputError(`${path}: is missing; put the corrected file there, or name where it lies`, { path });
  }
  const corrected = await readLabels(path, { assume });
  const { same, reason } = compareGrids(prediction, corrected);
  if (!same)
    throw new InputError(`${path}: is not on the grid of its scan: ${reason}; save it without resampling`, { path });
  checkLabelValues(corrected.voxels, classes, path, ignoreLabel);
  return corrected;
}

/** What was changed. Voxels that the person set to the label to ignore count as changed and in no Dice. */
export function compareLabels(
  name: string,
  { prediction, corrected }: { readonly prediction: Volume<Uint8Array>; readonly corrected: Volume<Uint8Array> },
  { classes, ignoreLabel }: { readonly classes: readonly LabelClass[]; readonly ignoreLabel?: number },
): Correction {
  const [both, drawn, kept] = [new Float64Array(256), new Float64Array(256), new Float64Array(256)];
  let changedVoxels = 0;
  for (let i = 0; i < corrected.voxels.length; i++) {
    const [p, c] = [prediction.voxels[i], corrected.voxels[i]];
    if (p !== c) changedVoxels++;
    if (c === ignoreLabel) continue;
    drawn[p]++;
    kept[c]++;
    if (p === c) both[c]++;
  }
  const voxelMl = voxelVolumeMm3(corrected.affine) / 1000;
  const dice = classes
    .filter(({ value }) => value !== 0)
    .map(({ value, name: className }): [string, number | null] => {
      const sum = drawn[value] + kept[value];
      return [className, sum === 0 ? null : (2 * both[value]) / sum];
    });
  return { name, changedVoxels, changedMl: changedVoxels * voxelMl, dice: Object.fromEntries(dice) };
}
