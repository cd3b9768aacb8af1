/**
 * `history.jsonl`: one line per completed epoch, appended before the epoch's checkpoint is committed. Every line says its
 * version; lines without are of version 1.
 *
 * A crash between the two leaves one line too many, never one too few; a resume drops the lines after the
 * checkpoint's epoch (and a torn last line) and the repeated epoch writes the same numbers again.
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

const recordSchema: z.ZodType<EpochRecord> = z.object({
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
});

const format: RecordFormat<EpochRecord> = { schema: recordSchema, steps: [] };

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
  return (await readLines(path)).map(({ record }) => record);
}

/** Drops what comes after `epoch` and returns the rest, whose lines stay as they are; the file is replaced atomically. */
export async function truncateHistory(path: string, epoch: number): Promise<EpochRecord[]> {
  const kept = (await readLines(path)).filter(({ record }) => record.epoch <= epoch);
  await writeFileAtomic(path, kept.map(({ line }) => `${line}\n`).join(''));
  return kept.map(({ record }) => record);
}

async function readLines(path: string): Promise<{ readonly line: string; readonly record: EpochRecord }[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new HistoryError(path, 'cannot read; check permissions', { cause: error });
  }
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      const damaged = 'not an epoch record; remove the line or start a new run folder';
      const record = parseRecord(line, format, (problem = damaged, cause) => {
        return new HistoryError(path, `line ${index + 1}: ${problem}`, { line: index + 1, cause });
      });
      return { line, record };
    });
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
