import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '@quickcolumn/testing';
import { expect, it } from 'vitest';
import { loadCheckpoint } from '../run-folder/checkpoint.js';
import { readHistory } from '../run-folder/history.js';

const child = fileURLToPath(new URL('../../dist/trainer/killed-training.test.helpers.js', import.meta.url));
const random = randomOf('trainer-kill');

/** Runs the child; with `ticks` it is killed a few milliseconds after that many progress reports. */
async function run(folder: string, ticks = Number.POSITIVE_INFINITY): Promise<NodeJS.Signals | null> {
  const process = spawn(globalThis.process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = 0;
  process.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen >= ticks) void sleep(random() * 8).then(() => process.kill('SIGKILL'));
  });
  await once(process, 'close');
  return process.signalCode;
}

it('a SIGKILLed and resumed run equals an uninterrupted one', async () => {
  const root = await mkdtemp(join(tmpdir(), 'quickcolumn-kill-'));
  try {
    expect(await run(join(root, 'whole'))).toBeNull();
    for (const ticks of [2, 6, 5]) expect(await run(join(root, 'killed'), ticks)).toBe('SIGKILL');
    expect(await run(join(root, 'killed'))).toBeNull();
    for (const name of ['last', 'best'] as const) {
      const whole = await loadCheckpoint(join(root, 'whole', 'checkpoints'), name);
      expect(whole?.state.epoch).toBeGreaterThan(0);
      const killed = await loadCheckpoint(join(root, 'killed', 'checkpoints'), name);
      expect(killed?.state).toEqual(whole?.state);
      expect(killed?.variables).toEqual(whole?.variables);
    }
    const epochs = (await readHistory(join(root, 'killed', 'history.jsonl'))).map((record) => record.epoch);
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
