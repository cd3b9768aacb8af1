/**
 * A training that is killed three times at random moments (twice at once, once by the signal of a crash in native code)
 * and resumed ends with the weights of one that was not. Real program, real network, real files: phantoms, the built
 * command line, the fastest runtime that is there.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writePhantomCases } from '@quickcolumn/phantom';
import { randomOf } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../packages/quickcolumn/dist/main.js', import.meta.url));
const random = randomOf('kill-resume');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-kill-'));
  await writePhantomCases(join(folder, 'data'), 4, 3);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const epochs = 12;

/** Runs `train`; kills it after `afterMs` counted from its first progress. Resolves to true when it finished. */
async function train(
  out: string,
  resume: boolean,
  kill?: { readonly afterMs: number; readonly signal: NodeJS.Signals },
): Promise<boolean> {
  const fresh = ['--profile', 'quick', '--images', 'data/ct', '--labels', 'data/labels', '--epochs', String(epochs)];
  const size = ['--steps-per-epoch', '6', '--patch', '32,32,16', '--root-filters', '2', '--seed', '9'];
  // One precision for all of them: what is measured to be the faster one may turn out otherwise a moment later.
  const args = resume ? ['--resume'] : [...fresh, ...size, '--precision', 'float32'];
  const child = spawn(
    process.execPath,
    [program, 'train', ...args, '--out', out, '--cache', 'cache', '--no-evaluate'],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (kill !== undefined && text.includes('epoch '))
      timer ??= setTimeout(() => child.kill(kill.signal), kill.afterMs);
  });
  const code = await new Promise<number | null>((done) => {
    child.on('exit', done);
  });
  clearTimeout(timer);
  if (code !== 0 && code !== null) throw new Error(`train ended with ${code}: ${text}`);
  return code === 0;
}

async function lastState(out: string): Promise<{ weights: Buffer; epoch: number }> {
  const checkpoints = join(folder, out, 'checkpoints');
  const { state, weights } = JSON.parse(await readFile(join(checkpoints, 'last.json'), 'utf8')) as {
    state: { epoch: number };
    weights: { file: string };
  };
  return { weights: await readFile(join(checkpoints, weights.file)), epoch: state.epoch };
}

describe('a killed training', () => {
  it('resumes to the weights of an uninterrupted one', async () => {
    expect(await train('whole', false)).toBe(true);
    for (const [turn, signal] of (['SIGKILL', 'SIGSEGV', 'SIGKILL'] as const).entries()) {
      const finished = await train('killed', turn > 0, { afterMs: random() * 500, signal });
      expect(finished, 'the kill came before the end').toBe(false);
    }
    expect(await train('killed', true)).toBe(true);
    const [whole, killed] = [await lastState('whole'), await lastState('killed')];
    expect(killed.epoch).toBe(epochs);
    expect(killed.weights.equals(whole.weights)).toBe(true);
  });
});
