import { execFile } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FileError } from '@quickcolumn/io';
import { exitCodeOf } from '@quickcolumn/errors';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startSchedule } from '../schedules/learning-rate.js';
import { configWith, LogisticStep, SeededSamples, validationCase } from '../trainer/logistic-step.test.helpers.js';
import { train } from '../trainer/trainer.js';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { appendHistory, type EpochRecord, readHistory, rewriteHistory } from './history.js';
import { EventWriter } from './tensorboard.js';

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), 'quickcolumn-full-'));
const blockBytes = 4096;
/** A file system of 16 pages; only root may mount one. */
const why = await run('mount', ['-t', 'tmpfs', '-o', `size=${16 * blockBytes}`, 'tmpfs', disk]).then(
  () => '',
  (error: unknown) => ` (skipped: cannot mount a file system: ${String(error).split('\n')[0]})`,
);

afterAll(async () => {
  if (why === '') await run('umount', [disk]);
  await rm(disk, { recursive: true });
});
beforeEach(async () => {
  for (const name of await readdir(disk)) await rm(join(disk, name), { recursive: true });
});

/** Leaves no free page. */
function fill(): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filling'), new Uint8Array(bavail * bsize));
}

async function expectNoSpace(work: Promise<unknown>, path: RegExp): Promise<void> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileError);
  expect(error).toMatchObject({ code: 'file-write', cause: { code: 'ENOSPC' } });
  expect((error as FileError).path).toMatch(path);
  expect(String(error)).toContain('no space left on the disk (ENOSPC)');
  expect(exitCodeOf((error as FileError).code)).toBe(5);
}

function checkpoint(epoch: number): Checkpoint {
  return {
    state: {
      epoch,
      steps: epoch,
      schedule: startSchedule(0.1),
      stopper: { best: null, wait: 0 },
      best: null,
      identity: {},
      partial: null,
      data: null,
    },
    history: null,
    variables: new Map([['weight', { shape: [1024], data: new Float32Array(1024).fill(epoch) }]]),
  };
}

const record: EpochRecord = {
  epoch: 1,
  steps: 10,
  learningRate: 1e-4,
  // Longer than a page.
  training: { loss: 1, crossEntropy: 0.1, tversky: 0.2, softDice: new Array<number>(2000).fill(0.5) },
  validation: null,
  best: false,
  seconds: 1,
  waitedSeconds: 0,
  time: '2024-01-01T00:00:00.000Z',
};

describe.skipIf(why !== '')(`a full disk${why}`, () => {
  it('keeps the checkpoint before, and says that the new one cannot be written', async () => {
    await saveCheckpoint(disk, ['last'], checkpoint(1));
    fill();
    await expectNoSpace(saveCheckpoint(disk, ['last'], checkpoint(2)), /weights-[0-9a-f]{64}\.safetensors$/);
    expect(await loadCheckpoint(disk, 'last')).toEqual(checkpoint(1));
  });

  it('keeps the history before, appended to or cut', async () => {
    const path = join(disk, 'history.jsonl');
    await appendHistory(path, record);
    await appendHistory(path, { ...record, epoch: 2 });
    fill();
    await expectNoSpace(rewriteHistory(path, [record]), /history\.jsonl$/);
    expect((await readHistory(path)).map(({ epoch }) => epoch)).toEqual([1, 2]);
    await expectNoSpace(appendHistory(path, { ...record, epoch: 3 }), /history\.jsonl$/);
    // What did fit of the line is a torn one, which is left out.
    expect((await readHistory(path)).map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('fails TensorBoard events when opened and when written', async () => {
    await mkdir(join(disk, 'events'));
    const writer = await EventWriter.open(join(disk, 'events'), 1);
    const scalars = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`soft-dice class ${i}/training`, i]));
    fill();
    await expectNoSpace(writer.scalars(1, scalars), /events\.out\.tfevents/);
    await writer.close();
    await expectNoSpace(EventWriter.open(join(disk, 'events'), 1), /events\.out\.tfevents/);
  });

  it('ends a training with finished epochs kept', async () => {
    const runFolder = join(disk, 'run');
    const training = train({
      config: configWith({ epochs: 3 }),
      cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
      step: new LogisticStep(),
      evaluation: new LogisticStep(),
      openSamples: (startStep) => new SeededSamples(startStep),
      runFolder,
      onProgress: (progress) => {
        if (progress.kind === 'epoch') fill();
      },
    });
    await expectNoSpace(training, /run\//);
    expect((await loadCheckpoint(join(runFolder, 'checkpoints'), 'last'))?.state.epoch).toBe(1);
    expect(await readFile(join(runFolder, 'history.jsonl'), 'utf8')).toMatch(/^\{"version":1,"epoch":1,/);
  });
});
