import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  appendHistory,
  type EpochRecord,
  HistoryError,
  historyScalars,
  mendHistory,
  readHistory,
  rewriteHistory,
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
  const { records } = await mendHistory(path, 2, null);
  expect(records).toEqual([1, 2].map(record));
  await rewriteHistory(path, records);
  await appendHistory(path, record(3));
  expect(await readHistory(path)).toEqual([1, 2, 3].map(record));
  await rewriteHistory(path, []);
  expect(await readFile(path, 'utf8')).toBe('');
});

const whole = [1, 2, 3].map(record);
const lines = whole.map((one) => `${JSON.stringify({ version: 1, ...one })}\n`);

it.each([
  ['nothing', lines.join(''), undefined],
  [
    'half a line at the end',
    `${lines.join('')}{"epoch":4,"st`,
    'it ends in half a line; what is damaged is left out, no epoch is lost',
  ],
  [
    'half a line with its end',
    `${lines.join('')}{"epoch":4,"st\n`,
    'line 4 is no epoch record; what is damaged is left out, no epoch is lost',
  ],
  [
    'half of the last epoch',
    `${lines[0]}${lines[1]}${lines[2].slice(0, 40)}`,
    'it ends in half a line; it lacks epoch 3; they are written again from the checkpoint',
  ],
  [
    'zeros in the middle',
    `${lines[0]}${'\0'.repeat(50)}\n${lines[2]}`,
    'line 2 is no epoch record; it lacks epoch 2; they are written again from the checkpoint',
  ],
  ['the file', undefined, 'it lacks epochs 1 to 3; they are written again from the checkpoint'],
])('mends %s from what the checkpoint kept, and says so', async (_, text, note) => {
  if (text !== undefined) await writeFile(path, text);
  const mended = await mendHistory(path, 3, whole);
  expect(mended.records).toEqual(whole);
  expect(mended.note).toBe(note && `${path}: ${note}`);
  await rewriteHistory(path, mended.records);
  expect(await readFile(path, 'utf8')).toBe(lines.join(''));
});

it('keeps what is left where the checkpoint of an earlier version kept nothing', async () => {
  await writeFile(path, `${lines[0]}{"epo\n${lines[2]}`);
  const { records, note } = await mendHistory(path, 3, null);
  expect(records).toEqual([record(1), record(3)]);
  expect(note).toBe(
    `${path}: line 2 is no epoch record; it lacks epoch 2; the others are kept, and these are not known any more`,
  );
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
