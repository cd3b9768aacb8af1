/**
 * `history.jsonl`: one line per completed epoch, appended before the epoch's checkpoint is committed. Every line says its
 * version; lines without are of version 1.
 *
 * A crash between the two leaves one line too many, never one too few; a resume drops the lines after the
 * checkpoint's epoch and the repeated epoch writes the same numbers again. What a crash of the machine took of the file
 * is written again from the checkpoint, which keeps the records too.
 */
import { open, readFile } from 'node:fs/promises';
import { QuickcolumnError } from '@quickcolumn/errors';
import { FileError, writeFileAtomic } from '@quickcolumn/io';
import { z } from 'zod';
import { parseRecord, type RecordFormat, versionOf } from '../migrate.js';

/** Means over an epoch's steps or over the validation patches; `softDice` per class, background included. */
export interface LossSummary {
  readonly loss: number;
  readonly crossEntropy: number;
  readonly tversky: number;
  readonly softDice: readonly number[];
}

export interface EpochRecord {
  /** 1-based. */
  readonly epoch: number;
  /** Optimiser steps since the start of the training. */
  readonly steps: number;
  /** The rate of the epoch's last step. */
  readonly learningRate: number;
  readonly training: LossSummary;
  readonly validation: LossSummary | null;
  /** Whether this epoch became `best`. */
  readonly best: boolean;
  /** Wall-clock time of the epoch with validation, and the part of it that waited for samples. */
  readonly seconds: number;
  readonly waitedSeconds: number;
  /** When the epoch ended, ISO 8601. */
  readonly time: string;
  /** Of the first epoch, where the weights did not start at random: the model file and what identifies its weights. */
  readonly init?: { readonly file: string; readonly weightsSha256: string };
  /** Of the first epoch of an extension: how many epochs were planned before and since. */
  readonly extended?: { readonly from: number; readonly to: number };
}

/** A history file that cannot be read (code `history`, fields `path` and, for a bad line, `line`). */
export class HistoryError extends QuickcolumnError {
  constructor(
    path: string,
    message: string,
    { line, cause }: { readonly line?: number; readonly cause?: unknown } = {},
  ) {
    super('history', `${path}: ${message}`, { path, line }, { cause });
  }
}

const lossSchema = z.object({
  loss: z.number(),
  crossEntropy: z.number(),
  tversky: z.number(),
  softDice: z.array(z.number()),
});

export const epochSchema: z.ZodType<EpochRecord> = z.object({
  epoch: z.int().min(1),
  steps: z.int().min(1),
  learningRate: z.number(),
  training: lossSchema,
  validation: lossSchema.nullable(),
  best: z.boolean(),
  seconds: z.number(),
  waitedSeconds: z.number(),
  time: z.string(),
  init: z.object({ file: z.string(), weightsSha256: z.string() }).optional(),
  extended: z.object({ from: z.int(), to: z.int() }).optional(),
});

const format: RecordFormat<EpochRecord> = { schema: epochSchema, steps: [] };

const lineOf = (record: EpochRecord): string => `${JSON.stringify({ version: versionOf(format), ...record })}\n`;

/** Appends one line and returns when it is on the disk. @throws FileError when the disk is full or not writable */
export async function appendHistory(path: string, record: EpochRecord): Promise<void> {
  try {
    const file = await open(path, 'a');
    try {
      await file.writeFile(lineOf(record));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new FileError(path, 'write', cause);
  }
}

/** All records in order; none when the file does not exist. A torn last line (no newline) is left out. */
export async function readHistory(path: string): Promise<EpochRecord[]> {
  return (await readLines(path, 'strict')).lines.map(({ record }) => record);
}

export interface HealedHistory {
  readonly records: EpochRecord[];
  /** What was wrong and what came of it, for people; absent where nothing was. */
  readonly note?: string;
}

/**
 * What the history is after `epoch`, as a resume finds it: the lines of the file up to there, or those that the
 * checkpoint kept where the file has lost some. Nothing is written.
 *
 * @param kept the epochs 1 to `epoch` as the checkpoint knows them; null where it does not
 * @throws HistoryError for a file that cannot be opened or is of a newer version
 */
export async function mendHistory(
  path: string,
  epoch: number,
  kept: readonly EpochRecord[] | null,
): Promise<HealedHistory> {
  const { lines, damage } = await readLines(path, 'lenient');
  const found = lines.filter(({ record }) => record.epoch <= epoch).map(({ record }) => record);
  const records = kept === null ? found : [...kept];
  const missing: number[] = [];
  for (let at = 1; at <= epoch; at++) if (!found.some((record) => record.epoch === at)) missing.push(at);
  const problems = [...damage, ...(missing.length > 0 ? [`it lacks ${epochsText(missing)}`] : [])];
  if (problems.length === 0) return { records };
  const mend =
    missing.length === 0
      ? 'what is damaged is left out, no epoch is lost'
      : kept === null
        ? 'the others are kept, and these are not known any more'
        : 'they are written again from the checkpoint';
  return { records, note: `${path}: ${problems.join('; ')}; ${mend}` };
}

const epochsText = (epochs: readonly number[]): string =>
  epochs.length === 1 ? `epoch ${epochs[0]}` : `epochs ${epochs[0]} to ${epochs.at(-1)}`;

/** Makes the file that of these records: lines that are there stay as they are; replaced atomically. @throws FileError */
export async function rewriteHistory(path: string, records: readonly EpochRecord[]): Promise<void> {
  const { lines } = await readLines(path, 'lenient');
  const known = new Map(lines.map(({ line, record }) => [record.epoch, line]));
  const texts = records.map((record) => {
    const line = known.get(record.epoch);
    return line === undefined ? lineOf(record) : `${line}\n`;
  });
  await writeFileAtomic(path, texts.join(''));
}

interface HistoryLines {
  readonly lines: readonly { readonly line: string; readonly record: EpochRecord }[];
  /** What is no record, for people. */
  readonly damage: readonly string[];
}

/** @param mode whether a line that is no record is an error or left out */
async function readLines(path: string, mode: 'strict' | 'lenient'): Promise<HistoryLines> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { lines: [], damage: [] };
    }
    throw new HistoryError(path, 'cannot read; check permissions', { cause: error });
  }
  const lines: HistoryLines['lines'][number][] = [];
  const damage: string[] = [];
  const texts = text.split('\n');
  if (texts.at(-1) !== '') damage.push('it ends in half a line');
  texts.slice(0, -1).forEach((line, index) => {
    let damaged = false;
    try {
      const record = parseRecord(line, format, (problem, cause) => {
        damaged = problem === undefined;
        const message = problem ?? 'not an epoch record; remove the line, or resume the training, which mends it';
        return new HistoryError(path, `line ${index + 1}: ${message}`, { line: index + 1, cause });
      });
      lines.push({ line, record });
    } catch (error) {
      if (mode === 'strict' || !damaged) throw error;
      damage.push(`line ${index + 1} is no epoch record`);
    }
  });
  return { lines, damage };
}

/** A record as TensorBoard scalars: one chart a quantity, training and validation as its curves. */
export function historyScalars(record: EpochRecord, classNames: readonly string[]): Record<string, number> {
  const scalars: Record<string, number> = { 'learning-rate': record.learningRate, 'seconds-per-epoch': record.seconds };
  for (const [set, summary] of [
    ['training', record.training],
    ['validation', record.validation],
  ] as const) {
    if (summary === null) continue;
    scalars[`loss/${set}`] = summary.loss;
    scalars[`cross-entropy/${set}`] = summary.crossEntropy;
    scalars[`tversky/${set}`] = summary.tversky;
    summary.softDice.forEach((dice, c) => {
      scalars[`soft-dice ${classNames[c] ?? `class ${c}`}/${set}`] = dice;
    });
  }
  return scalars;
}
