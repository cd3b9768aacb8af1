/**
 * Checkpoints that a crash or a full disk cannot mix or lose.
 *
 * `last.json` and `best.json` each name one weights file by its content (`weights-<sha256>.safetensors`). Saving writes
 * the weights first, then renames the JSON into place: that one rename is the commit. Before it the old pair is
 * whole, after it the new one. When both names point at the same epoch the weights are written once.
 * `best.json` is committed before `last.json`: a crash in between repeats the epoch from `last` and reaches the same best.
 */
import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import { decodeSafetensors, encodeSafetensors, FileError, makeFolder } from '@quickcolumn/io';
import { z } from 'zod';
import { parseRecord, type RecordFormat } from '../migrate.js';
import type { ScheduleState } from '../schedules/schedule.js';
import type { StopperState } from '../trainer/early-stop.js';
import type { NamedTensor } from '../step/step-types.js';

export type CheckpointName = 'last' | 'best';

/** Everything but the variables that a resumed run needs. Random numbers are counter-based and need no state. */
export interface CheckpointState {
  /** Completed epochs. */
  readonly epoch: number;
  /** Completed optimiser steps: Adam's t. */
  readonly steps: number;
  readonly schedule: ScheduleState;
  readonly stopper: StopperState;
  /** The epoch with the lowest validation loss so far, 1-based. */
  readonly best: { readonly epoch: number; readonly loss: number } | null;
  /** What may not change on resume, as JSON text per key. */
  readonly identity: Readonly<Record<string, string>>;
}

/** `variables` hold weights, running statistics and optimiser moments. */
export interface Checkpoint {
  readonly state: CheckpointState;
  readonly variables: ReadonlyMap<string, NamedTensor>;
}

/** A checkpoint that cannot be read (code `checkpoint`, field `path`). */
export class CheckpointError extends QuickcolumnError {
  constructor(path: string, message: string, cause?: unknown) {
    super('checkpoint', `${path}: ${message}`, { path }, { cause });
  }
}

/** The file operations of a save, replaceable so that tests can fail each of them. */
export interface FileActions {
  /** Creates or replaces a file and returns when its bytes are on the disk. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

const recordSchema = z.strictObject({
  format: z.literal('quickcolumn-checkpoint'),
  version: z.literal(1),
  weights: z.strictObject({
    file: z.string().regex(/^weights-[0-9a-f]{64}\.safetensors$/),
    bytes: z.int().min(0),
    sha256: z.string(),
  }),
  state: z.strictObject({
    epoch: z.int().min(0),
    steps: z.int().min(0),
    schedule: z.strictObject({
      learningRate: z.number(),
      best: z.number().nullable(),
      wait: z.int(),
      cooldownLeft: z.int(),
    }),
    stopper: z.strictObject({ best: z.number().nullable(), wait: z.int() }),
    best: z.strictObject({ epoch: z.int(), loss: z.number() }).nullable(),
    identity: z.record(z.string(), z.string()),
  }),
});

type CheckpointRecord = z.infer<typeof recordSchema>;

const format: RecordFormat<CheckpointRecord> = { schema: recordSchema, steps: [] };

/**
 * Saves one checkpoint under the given names in `folder` (created if needed).
 *
 * @throws FileError when the disk is full or not writable; what the names pointed at before is still whole.
 */
export async function saveCheckpoint(
  folder: string,
  names: readonly CheckpointName[],
  checkpoint: Checkpoint,
  files: FileActions = diskFiles,
): Promise<void> {
  const bytes = encodeSafetensors(checkpoint.variables);
  const sha256 = sha256Of(bytes);
  const file = `weights-${sha256}.safetensors`;
  const record: CheckpointRecord = {
    format: 'quickcolumn-checkpoint',
    version: 1,
    weights: { file, bytes: bytes.length, sha256 },
    state: checkpoint.state,
  };
  const json = new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
  await makeFolder(folder);
  await replaceFile(join(folder, file), bytes, files);
  for (const name of ['best', 'last'] as const) {
    if (names.includes(name)) await replaceFile(join(folder, `${name}.json`), json, files);
  }
  await removeUnreferenced(folder, files);
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
    throw new CheckpointError(path, `cannot read the weights that ${name}.json names (${reason(error)})`, error);
  }
  if (bytes.length !== record.weights.bytes || sha256Of(bytes) !== record.weights.sha256) {
    const message = `damaged: ${bytes.length} bytes do not match the checksum of ${record.weights.bytes} bytes in ${name}.json; use the other checkpoint of this run or train again`;
    throw new CheckpointError(path, message);
  }
  return { state: record.state, variables: decodeSafetensors(bytes, path).tensors };
}

/** Whether `folder` holds a checkpoint of that name, damaged or not. */
export async function hasCheckpoint(folder: string, name: CheckpointName): Promise<boolean> {
  return (await entries(folder)).includes(`${name}.json`);
}

async function readRecord(folder: string, name: CheckpointName): Promise<CheckpointRecord | undefined> {
  const path = join(folder, `${name}.json`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new CheckpointError(path, `cannot read (${reason(error)})`, error);
  }
  return parseRecord(text, format, (problem = 'is not a checkpoint of quickcolumn, or is damaged', cause) => {
    return new CheckpointError(path, problem, cause);
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

/** Removes weights that neither name points at and leftovers of killed saves. Failing here loses nothing. */
async function removeUnreferenced(folder: string, files: FileActions): Promise<void> {
  const kept = new Set<string>();
  for (const name of ['last', 'best'] as const) {
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
    const leftover = /^(weights-|last\.json|best\.json).*\.tmp-\d+$/.test(entry);
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
    throw new CheckpointError(folder, `cannot list (${reason(error)})`, error);
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
