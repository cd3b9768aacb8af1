/**
 * Checkpoints that a crash or a full disk cannot mix or lose.
 *
 * `last.json`, `previous.json` (the last one before it) and `best.json` each name one weights file by its content
 * (`weights-<sha256>.safetensors`). Saving writes the weights first, then renames the JSON into place: that one rename is
 * the commit. Before it the old pair is whole, after it the new one. Names that point at the same weights share the file.
 * `best.json` is committed before `last.json`: a crash in between repeats the epoch from `last` and reaches the same best.
 */
import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import { decodeSafetensors, encodeSafetensors, FileError, makeFolder } from '@quickcolumn/io';
import { z } from 'zod';
import { parseRecord, type RecordFormat, versionOf } from '../migrate.js';
import type { ScheduleState } from '../schedules/schedule.js';
import type { StopperState } from '../trainer/early-stop.js';
import type { LossSums } from '../trainer/loss-mean.js';
import type { NamedTensor } from '../step/step-types.js';
import { type EpochRecord, epochSchema } from './history.js';

export type CheckpointName = 'last' | 'previous' | 'best';

/** Where an epoch was left before its end. */
export interface PartialEpoch {
  /** Steps of it that are done, at least 1. */
  readonly steps: number;
  readonly training: LossSums;
  readonly seconds: number;
  readonly waitedSeconds: number;
}

/** Everything but the variables that a resumed run needs. Random numbers are counter-based and need no state. */
export interface CheckpointState {
  /** Completed epochs. */
  readonly epoch: number;
  /** Optimiser steps of the completed epochs. */
  readonly steps: number;
  /** Steps after them; null at the end of an epoch. */
  readonly partial: PartialEpoch | null;
  readonly schedule: ScheduleState;
  readonly stopper: StopperState;
  /** The epoch with the lowest validation loss so far, 1-based. */
  readonly best: { readonly epoch: number; readonly loss: number } | null;
  /** What may not change on resume, as JSON text per key. */
  readonly identity: Readonly<Record<string, string>>;
  /** What each case holds, by its name: a key of its contents; null where an earlier version did not keep it. */
  readonly data: Readonly<Record<string, string>> | null;
  /** Epochs of the whole training, where they are fitted to a time (fit-epochs.ts). */
  readonly fittedEpochs?: number | undefined;
}

/** `variables` hold weights, running statistics and optimiser moments. */
export interface Checkpoint {
  readonly state: CheckpointState;
  /** The completed epochs, should `history.jsonl` be lost; null where an earlier version did not keep them. */
  readonly history: readonly EpochRecord[] | null;
  readonly variables: ReadonlyMap<string, NamedTensor>;
}

/** A checkpoint that cannot be read (code `checkpoint`, fields `path` and `damaged`). */
export class CheckpointError extends QuickcolumnError {
  /** Whether its files are at fault, and not their version or permissions. */
  readonly damaged: boolean;

  constructor(
    path: string,
    message: string,
    { damaged, cause }: { readonly damaged: boolean; readonly cause?: unknown },
  ) {
    super('checkpoint', `${path}: ${message}`, { path, damaged }, { cause });
    this.damaged = damaged;
  }
}

/** The file operations of a save, replaceable so that tests can fail each of them. */
export interface FileActions {
  /** Creates or replaces a file and returns when its bytes are on the disk. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

const sumsSchema: z.ZodType<LossSums> = z.strictObject({
  count: z.int().min(1),
  loss: z.number(),
  crossEntropy: z.number(),
  tversky: z.number(),
  softDice: z.array(z.number()),
});

const recordSchema = z.strictObject({
  format: z.literal('quickcolumn-checkpoint'),
  version: z.literal(2),
  weights: z.strictObject({
    file: z.string().regex(/^weights-[0-9a-f]{64}\.safetensors$/),
    bytes: z.int().min(0),
    sha256: z.string(),
  }),
  state: z.strictObject({
    epoch: z.int().min(0),
    steps: z.int().min(0),
    partial: z
      .strictObject({
        steps: z.int().min(1),
        training: sumsSchema,
        seconds: z.number(),
        waitedSeconds: z.number(),
      })
      .nullable(),
    schedule: z.strictObject({
      learningRate: z.number(),
      best: z.number().nullable(),
      wait: z.int(),
      cooldownLeft: z.int(),
    }),
    stopper: z.strictObject({ best: z.number().nullable(), wait: z.int() }),
    best: z.strictObject({ epoch: z.int(), loss: z.number() }).nullable(),
    identity: z.record(z.string(), z.string()),
    data: z.record(z.string(), z.string()).nullable(),
    fittedEpochs: z.int().min(1).optional(),
  }),
  history: z.array(epochSchema).nullable(),
});

type CheckpointRecord = z.infer<typeof recordSchema>;

const format: RecordFormat<CheckpointRecord> = {
  schema: recordSchema,
  steps: [
    // Version 1 had whole epochs only, and kept neither keys of the data nor the history.
    (older) => ({ ...older, state: { ...Object(older['state']), partial: null, data: null }, history: null }),
  ],
};

/**
 * Saves one checkpoint under the given names in `folder` (created if needed). With `last`, the one of that name so far
 * becomes `previous`.
 *
 * @throws FileError when the disk is full or not writable; what the names pointed at before is still whole.
 */
export async function saveCheckpoint(
  folder: string,
  names: readonly ('last' | 'best')[],
  checkpoint: Checkpoint,
  files: FileActions = diskFiles,
): Promise<void> {
  const bytes = encodeSafetensors(checkpoint.variables);
  const sha256 = sha256Of(bytes);
  const file = `weights-${sha256}.safetensors`;
  const record: CheckpointRecord = {
    format: 'quickcolumn-checkpoint',
    version: versionOf(format) as CheckpointRecord['version'],
    weights: { file, bytes: bytes.length, sha256 },
    state: checkpoint.state,
    history: checkpoint.history === null ? null : [...checkpoint.history],
  };
  const json = new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
  await makeFolder(folder);
  await replaceFile(join(folder, file), bytes, files);
  const before = names.includes('last') ? await readFile(recordPath(folder, 'last')).catch(() => undefined) : undefined;
  if (before !== undefined) await replaceFile(recordPath(folder, 'previous'), before, files);
  for (const name of ['best', 'last'] as const) {
    if (names.includes(name)) await replaceFile(recordPath(folder, name), json, files);
  }
  await removeUnreferenced(folder, files);
}

const recordPath = (folder: string, name: CheckpointName): string => join(folder, `${name}.json`);

export interface NewestCheckpoint extends Checkpoint {
  readonly name: CheckpointName;
  /** What is wrong with newer ones; empty where this is the last one. */
  readonly damage: readonly string[];
}

/**
 * The newest checkpoint that is whole: the last one, or else what a disk has left.
 *
 * @returns undefined when `folder` holds none.
 * @throws CheckpointError when all are damaged, or one is of a newer version or cannot be opened.
 */
export async function loadNewestCheckpoint(folder: string): Promise<NewestCheckpoint | undefined> {
  const damage: string[] = [];
  let first: CheckpointError | undefined;
  // The best one may be newer than the one before the last, or older.
  const found: NewestCheckpoint[] = [];
  for (const name of checkpointNames) {
    try {
      const checkpoint = await loadCheckpoint(folder, name);
      if (checkpoint !== undefined) found.push({ ...checkpoint, name, damage });
      else if (name === 'last') damage.push('last.json is missing');
    } catch (error) {
      if (!(error instanceof CheckpointError) || !error.damaged) throw error;
      first ??= error;
      if (name === 'last') damage.push(error.message);
    }
    if (name === 'last' && found.length > 0) return found[0];
  }
  if (found.length === 0) {
    if (first !== undefined) throw first;
    return undefined;
  }
  const stepsOf = ({ state }: Checkpoint): number => state.steps + (state.partial?.steps ?? 0);
  return found.reduce((newest, one) => (stepsOf(one) > stepsOf(newest) ? one : newest));
}

const checkpointNames = ['last', 'previous', 'best'] as const satisfies readonly CheckpointName[];

/** Makes a whole checkpoint the last one, in place of a damaged one. @throws FileError */
export async function promoteCheckpoint(folder: string, name: CheckpointName): Promise<void> {
  const record = await readFile(recordPath(folder, name));
  await replaceFile(recordPath(folder, 'last'), record, diskFiles);
}

/**
 * Loads a checkpoint and verifies the weights against their checksum.
 *
 * @returns undefined when `folder` holds no checkpoint of that name.
 * @throws CheckpointError when it is there but damaged.
 */
export async function loadCheckpoint(folder: string, name: CheckpointName): Promise<Checkpoint | undefined> {
  const record = await readRecord(folder, name);
  if (record === undefined) return undefined;
  const path = join(folder, record.weights.file);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CheckpointError(path, `cannot read the weights that ${name}.json names (${reason(error)})`, {
      damaged: !['EACCES', 'EPERM', 'EMFILE'].includes(String(errorCode(error))),
      cause: error,
    });
  }
  if (bytes.length !== record.weights.bytes || sha256Of(bytes) !== record.weights.sha256) {
    const message = `damaged: ${bytes.length} bytes do not match the checksum of ${record.weights.bytes} bytes in ${name}.json; train again`;
    throw new CheckpointError(path, message, { damaged: true });
  }
  const { state, history } = record;
  return { state, history, variables: decodeSafetensors(bytes, path).tensors };
}

/** Whether `folder` holds a checkpoint, damaged or not. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  const found = await entries(folder);
  return checkpointNames.some((name) => found.includes(`${name}.json`));
}

async function readRecord(folder: string, name: CheckpointName): Promise<CheckpointRecord | undefined> {
  const path = recordPath(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new CheckpointError(path, `cannot read (${reason(error)})`, { damaged: false, cause: error });
  }
  return parseRecord(text, format, (problem, cause) => {
    const message = problem ?? 'is not a checkpoint of quickcolumn, or is damaged';
    return new CheckpointError(path, message, { damaged: problem === undefined, cause });
  });
}

async function replaceFile(path: string, bytes: Uint8Array, files: FileActions): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await files.write(temporary, bytes);
    await files.rename(temporary, path);
  } catch (error) {
    // The error that matters is the first one; a leftover is removed by the next save.
    await files.remove(temporary).catch(() => undefined);
    throw new FileError(path, 'write', error);
  }
}

/** Removes weights that no name points at and leftovers of killed saves. Failing here loses nothing. */
async function removeUnreferenced(folder: string, files: FileActions): Promise<void> {
  const kept = new Set<string>();
  for (const name of checkpointNames) {
    let record: CheckpointRecord | undefined;
    try {
      record = await readRecord(folder, name);
    } catch {
      // A damaged record may still be repaired by hand: keep all weights.
      return;
    }
    if (record !== undefined) kept.add(record.weights.file);
  }
  for (const entry of await entries(folder)) {
    const stale = /^weights-[0-9a-f]{64}\.safetensors$/.test(entry) && !kept.has(entry);
    const leftover = /^(weights-|last\.json|previous\.json|best\.json).*\.tmp-\d+$/.test(entry);
    if (stale || leftover) await files.remove(join(folder, entry)).catch(() => undefined);
  }
}

const diskFiles: FileActions = {
  async write(path, bytes) {
    const file = await open(path, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async remove(path) {
    await rm(path, { force: true });
  },
};

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new CheckpointError(folder, `cannot list (${reason(error)})`, { damaged: false, cause: error });
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
