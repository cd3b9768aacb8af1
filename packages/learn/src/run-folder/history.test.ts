import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  appendHistory,
  type EpochRecord,
  HistoryError,
  historyScalars,
  readHistory,
  truncateHistory,
} from './history.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-history-'));
  path = join(folder, 'history.jsonl');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function record(epoch: number): EpochRecord {
  const training = { loss: 1 / epoch, crossEntropy: 0.1, tversky: 0.2, softDice: [1, 0.5] };
  const rest = { learningRate: 1e-4, best: false, seconds: 1, waitedSeconds: 0, time: '2024-01-01T00:00:00.000Z' };
  return { epoch, steps: epoch * 10, training, validation: null, ...rest };
}

it('reads back what was appended', async () => {
  expect(await readHistory(path)).toEqual([]);
  for (const epoch of [1, 2, 3]) await appendHistory(path, record(epoch));
  expect(await readHistory(path)).toEqual([1, 2, 3].map(record));
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4);
});

it('drops lines after the checkpoint and a torn last line', async () => {
  for (const epoch of [1, 2, 3]) await appendHistory(path, record(epoch));
  await appendFile(path, '{"epoch":4,"st');
  expect(await truncateHistory(path, 2)).toEqual([1, 2].map(record));
  await appendHistory(path, record(3));
  expect(await readHistory(path)).toEqual([1, 2, 3].map(record));
  expect(await truncateHistory(path, 0)).toEqual([]);
  expect(await readFile(path, 'utf8')).toBe('');
});

it('names the line that is no record', async () => {
  await writeFile(path, `${JSON.stringify(record(1))}\n{"epoch":"two"}\n`);
  const error: unknown = await readHistory(path).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(HistoryError);
  expect(error).toMatchObject({ code: 'history', fields: { path, line: 2 } });
});

it('gives TensorBoard one tag per class and set', () => {
  const scalars = historyScalars({ ...record(2), validation: record(1).training }, ['background', 'infection']);
  expect(scalars).toMatchObject({ 'loss/training': 0.5, 'loss/validation': 1, 'soft-dice infection/training': 0.5 });
});

it('writes the version into every line, and reads lines without one as version 1', async () => {
  await writeFile(path, `${JSON.stringify(record(1))}\n`);
  await appendHistory(path, record(2));
  expect(
    (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).version),
  ).toEqual([undefined, 1]);
  expect(await readHistory(path)).toEqual([1, 2].map(record));
  await appendFile(path, `${JSON.stringify({ ...record(3), version: 2 })}\n`);
  const error: unknown = await readHistory(path).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'history', fields: { path, line: 3 } });
  expect(String(error)).toMatch(/line 3: made by a newer version of quickcolumn/);
});
