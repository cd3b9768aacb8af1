/**
 * A fold of a system on disk: a run folder with masks/, identity.json (what its numbers depend on, written before the
 * training), training.json (peak memory so far) and result.json. result.json is written last: where it is, the fold is
 * done, and its checkpoints are removed; model, history and configuration stay.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaseMetrics, FoldCost } from '@quickcolumn/evaluate';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { checkpointsFolder, parseRecord } from '@quickcolumn/learn';
import { QuickcolumnError } from '@quickcolumn/errors';
import { z } from 'zod';
import { type FoldIdentity, foldIdentity } from '../jobs/fold.js';

export interface FoldResult {
  readonly identity: FoldIdentity;
  readonly fold: number;
  readonly cases: readonly CaseMetrics[];
  readonly cost: FoldCost;
}

export const masksFolder = 'masks';
const resultFile = 'result.json';
const identityFile = 'identity.json';
const trainingFile = 'training.json';
/** The files of a fold that name what it depends on. */
export const identityFiles: readonly string[] = [resultFile, identityFile];

const seconds = z.number().min(0);
const caseSchema = z.custom<CaseMetrics>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'classes' in value &&
    Array.isArray(value.classes),
  'expected the metrics of a case',
);
const resultSchema: z.ZodType<FoldResult> = z.object({
  identity: foldIdentity,
  fold: z.int().min(0),
  cases: z.array(caseSchema),
  cost: z.object({
    trainingSteps: z.int().min(0),
    trainingSeconds: seconds,
    secondsPerScan: seconds,
    predictionPeakBytes: seconds,
    trainingPeakBytes: seconds,
  }),
});
const peakSchema = z.object({ peakBytes: z.number().min(0) });

/** undefined where the fold is not finished. @throws QuickcolumnError `input` for a damaged file */
export async function readResult(folder: string): Promise<FoldResult | undefined> {
  return await readJson(join(folder, resultFile), resultSchema);
}

/** Makes the fold done. */
export async function writeResult(folder: string, result: FoldResult): Promise<void> {
  await writeJson(folder, resultFile, result);
}

/** undefined where the fold was not begun. */
export async function readIdentity(folder: string): Promise<FoldIdentity | undefined> {
  return await readJson(join(folder, identityFile), foldIdentity);
}

export async function writeIdentity(folder: string, identity: FoldIdentity): Promise<void> {
  await writeJson(folder, identityFile, identity);
}

/** Highest resident memory of the training processes so far; 0 where there was none. */
export async function readTrainingPeak(folder: string): Promise<number> {
  return (await readJson(join(folder, trainingFile), peakSchema))?.peakBytes ?? 0;
}

export async function writeTrainingPeak(folder: string, peakBytes: number): Promise<void> {
  await writeJson(folder, trainingFile, { peakBytes });
}

/** Removes the checkpoints of a finished fold: they are many times the size of the model. */
export async function removeCheckpoints(folder: string): Promise<void> {
  await rm(join(folder, checkpointsFolder), { recursive: true, force: true });
}

/** Forgets a fold altogether; result.json first, so that half of a removal is no finished fold. */
export async function removeFold(folder: string): Promise<void> {
  await rm(join(folder, resultFile), { force: true });
  await rm(folder, { recursive: true, force: true });
}

async function writeJson(folder: string, name: string, value: object): Promise<void> {
  await makeFolder(folder);
  await writeFileAtomic(join(folder, name), `${JSON.stringify({ version: 1, ...value }, null, 2)}\n`);
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
  const damaged = 'damaged; remove it to have this fold done again';
  return parseRecord(text, { schema, steps: [] }, (problem = damaged, cause) => {
    return new QuickcolumnError('input', `${path}: ${problem}`, { path }, { cause });
  });
}
