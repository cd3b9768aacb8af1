import { mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '@quickcolumn/io';
import {
  type Checkpoint,
  type FileActions,
  loadCheckpoint,
  loadNewestCheckpoint,
  promoteCheckpoint,
  saveCheckpoint,
} from './checkpoint.js';
import { startSchedule } from '../schedules/learning-rate.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-checkpoint-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function checkpoint(epoch: number): Checkpoint {
  return {
    state: {
      epoch,
      steps: epoch * 10,
      schedule: { ...startSchedule(0.1), best: 1 / 3 },
      stopper: { best: 0.1 + 0.2, wait: 1 },
      best: { epoch, loss: Math.PI / epoch },
      identity: { seed: '7' },
      partial: null,
      data: { case_1: 'abc' },
    },
    history: [],
    variables: new Map([
      ['weight', { shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => Math.sin(i + epoch)) }],
      ['adam.m.weight', { shape: [2, 3], data: new Float32Array(6).fill(epoch) }],
    ]),
  };
}

/** Real file operations that fail from number `failsAt` on, as a full disk or a dying process does. */
function failing(failsAt: number): FileActions & { readonly done: () => number } {
  let operation = 0;
  const guarded = async (action: () => Promise<void>): Promise<void> => {
    if (operation++ >= failsAt) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    await action();
  };
  return {
    done: () => operation,
    // A disk that fills up leaves a torn file behind.
    write: async (path, bytes) => {
      await writeFile(path, bytes.subarray(0, bytes.length / 2));
      await guarded(() => writeFile(path, bytes));
    },
    rename: (from, to) => guarded(() => rename(from, to)),
    remove: (path) => guarded(() => rm(path, { force: true })),
  };
}

describe('checkpoint', () => {
  it('gives back exactly what was saved, and keeps best while last moves on', async () => {
    await saveCheckpoint(folder, ['best', 'last'], checkpoint(1));
    expect((await readdir(folder)).filter((name) => name.endsWith('.safetensors'))).toHaveLength(1);
    for (const epoch of [2, 3, 4]) await saveCheckpoint(folder, ['last'], checkpoint(epoch));
    expect(await loadCheckpoint(folder, 'last')).toEqual(checkpoint(4));
    expect(await loadCheckpoint(folder, 'best')).toEqual(checkpoint(1));
    expect(await loadCheckpoint(folder, 'previous')).toEqual(checkpoint(3));
    expect(await readdir(folder)).toHaveLength(6);
  });

  it.each([
    ['last', { damaged: ['last'], epoch: 3, name: 'previous', best: 1 }],
    ['last and the one before', { damaged: ['last', 'previous'], epoch: 1, name: 'best', best: 1 }],
    ['last, which was the best', { damaged: ['last'], epoch: 3, name: 'previous', best: 4 }],
  ] as const)('is the newest whole one where the %s is damaged', async (_, { damaged, epoch, name, best }) => {
    for (const at of [1, 2, 3, 4])
      await saveCheckpoint(folder, at === best ? ['best', 'last'] : ['last'], checkpoint(at));
    for (const one of damaged) {
      const { weights } = JSON.parse(await readFile(join(folder, `${one}.json`), 'utf8')) as {
        weights: { file: string };
      };
      await truncate(join(folder, weights.file), 10);
    }
    const { name: found, damage, ...rest } = (await loadNewestCheckpoint(folder)) ?? {};
    expect({ found, rest }).toEqual({ found: name, rest: checkpoint(epoch) });
    expect(damage).toEqual([expect.stringMatching(/weights-.*damaged: 10 bytes do not match/)]);
    // What was found becomes the last one, and the damaged one is not kept as the one before.
    await promoteCheckpoint(folder, name);
    await saveCheckpoint(folder, ['last'], checkpoint(5));
    expect(await loadCheckpoint(folder, 'last')).toEqual(checkpoint(5));
    expect(await loadCheckpoint(folder, 'previous')).toEqual(checkpoint(epoch));
  });

  it('is none where all are damaged or one is of a newer version, and says so', async () => {
    expect(await loadNewestCheckpoint(folder)).toBeUndefined();
    for (const at of [1, 2]) await saveCheckpoint(folder, ['best', 'last'], checkpoint(at));
    await rm(join(folder, 'last.json'));
    expect(await loadNewestCheckpoint(folder)).toMatchObject({ name: 'best', damage: ['last.json is missing'] });
    for (const name of await readdir(folder)) if (name.endsWith('.safetensors')) await truncate(join(folder, name), 9);
    await expect(loadNewestCheckpoint(folder)).rejects.toThrow(/damaged: 9 bytes/);
    await writeFile(join(folder, 'previous.json'), '{"format":"quickcolumn-checkpoint","version":9}');
    await expect(loadNewestCheckpoint(folder)).rejects.toThrow(/made by a newer version/);
  });

  it('is undefined where there is none', async () => {
    expect(await loadCheckpoint(join(folder, 'missing'), 'last')).toBeUndefined();
    expect(await loadCheckpoint(folder, 'best')).toBeUndefined();
  });

  it('is whole, old or new, when the save dies at any operation', async () => {
    await saveCheckpoint(folder, ['best', 'last'], checkpoint(1));
    const seen = new Set<string>();
    for (let failsAt = 0; ; failsAt++) {
      const files = failing(failsAt);
      const error: unknown = await saveCheckpoint(folder, ['best', 'last'], checkpoint(2), files).catch(
        (e: unknown) => e,
      );
      const last = await loadCheckpoint(folder, 'last');
      const best = await loadCheckpoint(folder, 'best');
      expect([checkpoint(1), checkpoint(2)]).toContainEqual(last);
      expect([checkpoint(1), checkpoint(2)]).toContainEqual(best);
      seen.add(`${best?.state.epoch}${last?.state.epoch}`);
      if (last?.state.epoch === 1) {
        expect(error).toBeInstanceOf(FileError);
        expect(error).toMatchObject({ code: 'file-write', cause: { code: 'ENOSPC' } });
        expect(String(error)).toMatch(
          /(weights-.*\.safetensors|best\.json|previous\.json|last\.json): cannot write: ENOSPC/,
        );
      }
      if (files.done() <= failsAt) break;
      // Begin again from epoch 1; this also proves that the leftovers of a failed save do no harm.
      await saveCheckpoint(folder, ['best', 'last'], checkpoint(1));
    }
    expect([...seen].sort()).toEqual(['11', '21', '22']);
    // last and best share their weights; the one before has its own.
    expect(await readdir(folder)).toHaveLength(5);
  });

  it('refuses damaged weights and records with a clear error', async () => {
    await saveCheckpoint(folder, ['last'], checkpoint(1));
    const weights = join(folder, (await readdir(folder)).find((name) => name.startsWith('weights-')) ?? '');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1] ^= 1;
    await writeFile(weights, bytes);
    await expect(loadCheckpoint(folder, 'last')).rejects.toThrow(/damaged: .* do not match the checksum/);
    await truncate(weights, 10);
    await expect(loadCheckpoint(folder, 'last')).rejects.toMatchObject({ code: 'checkpoint' });
    await rm(weights);
    await expect(loadCheckpoint(folder, 'last')).rejects.toThrow(/cannot read the weights that last.json names/);
    await writeFile(join(folder, 'last.json'), '{"format":"quickcol');
    await expect(loadCheckpoint(folder, 'last')).rejects.toThrow(/is not a checkpoint/);
    await writeFile(join(folder, 'last.json'), '{"format":"quickcolumn-checkpoint","version":1}');
    await expect(loadCheckpoint(folder, 'last')).rejects.toThrow(/is not a checkpoint/);
  });

  it('refuses what a newer version wrote, by name', async () => {
    await saveCheckpoint(folder, ['last'], checkpoint(1));
    const path = join(folder, 'last.json');
    const record = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...record, version: 3 }));
    const error: unknown = await loadCheckpoint(folder, 'last').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'checkpoint', fields: { path } });
    expect(String(error)).toMatch(/made by a newer version of quickcolumn \(format 3, this one reads up to 2\)/);
  });
});
