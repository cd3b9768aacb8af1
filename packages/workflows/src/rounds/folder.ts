/**
 * The folder of training rounds: where everything lies in it, and its state, which is replaced in one rename.
 *
 *   state.json  config.yaml  report.html  labels/NAME.nii.gz (accepted corrections)
 *   round-1/cases.csv  round-1/run/  round-2/predicted/  round-2/to-correct/  round-2/cases.csv  round-2/run/  …
 *
 * `to-correct` belongs to the person: a file is put there once and never touched again.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@quickcolumn/io';
import { InputError } from '../scans/scan-files.js';
import { exists } from '../folders/outputs.js';
import { parseRounds, type RoundsState } from './rounds-state.js';

export const roundsFiles = {
  state: 'state.json',
  config: 'config.yaml',
  report: 'report.html',
  labels: 'labels',
} as const;

export interface RoundPaths {
  readonly folder: string;
  readonly list: string;
  readonly run: string;
  /** Masks as the model drew them. */
  readonly predicted: string;
  /** The person's copies. */
  readonly toCorrect: string;
}

/** Paths of round 1, 2, … */
export function roundPaths(out: string, round: number): RoundPaths {
  const folder = join(out, `round-${round}`);
  return {
    folder,
    list: join(folder, 'cases.csv'),
    run: join(folder, 'run'),
    predicted: join(folder, 'predicted'),
    toCorrect: join(folder, 'to-correct'),
  };
}

export const maskName = (name: string): string => `${name}.nii.gz`;

/** An accepted correction. */
export const labelPath = (out: string, name: string): string => join(out, roundsFiles.labels, maskName(name));

/** @throws InputError where there are no rounds, DatasetError for a damaged state */
export async function readRounds(out: string): Promise<RoundsState> {
  const path = join(out, roundsFiles.state);
  if (!(await exists(path))) {
    throw new InputError(`${out}: no training rounds here, there is no ${roundsFiles.state}; start them first`, {
      path,
    });
  }
  return parseRounds(await readFile(path, 'utf8'), path);
}

export async function saveRounds(out: string, state: RoundsState): Promise<RoundsState> {
  await writeFileAtomic(join(out, roundsFiles.state), `${JSON.stringify(state, null, 1)}\n`);
  return state;
}
