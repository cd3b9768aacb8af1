/** Trainings of the built program that a signal, a crash or a change of their data came between. */
import { spawn } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePhantomCases } from '@quickcolumn/phantom';
import { readModel } from '@quickcolumn/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programPath, quickcolumn } from './command.test.helpers.js';

const config = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 2, stepsPerEpoch: 30, schedule: { kind: constant } }
predict: { overlap: [4, 4, 4] }
`;

describe('a training that was interrupted', () => {
  let folder = '';
  const at = (...names: string[]): string => join(folder, ...names);
  const quiet = ['--threads', '1', '--no-evaluate'];
  const fresh = (out: string): string[] => ['train', '--config', 'config.yaml', '--out', out, ...quiet];
  const resume = (out: string, ...more: string[]) =>
    quickcolumn(folder, 'train', '--resume', '--out', out, ...quiet, ...more);
  const weightsOf = async (out: string): Promise<string> =>
    (await readModel(at(out, 'model.onnx'))).metadata.weightsSha256;

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-interrupted-')), 'work');
    await mkdir(folder);
    await writePhantomCases(at('data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(at('config.yaml'), config);
    await quickcolumn(folder, ...fresh('whole'));
  });
  afterAll(() => rm(join(folder, '..'), { recursive: true, force: true }));

  /** Sends the signals one after the other at the first sign of a step; its standard error closes, as a terminal does. */
  async function stopped(args: readonly string[], signals: readonly NodeJS.Signals[]): Promise<number | null> {
    const env = { ...process.env, QUICKCOLUMN_CACHE: join(folder, '..', 'cache'), NO_COLOR: '1' };
    const child = spawn(process.execPath, [programPath, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    let sent = false;
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (sent || !/^epoch 1\/2 step \d+/m.test(text)) return;
      sent = true;
      for (const signal of signals) child.kill(signal);
      if (signals.includes('SIGHUP')) child.stderr.destroy();
    });
    return await new Promise((done) => child.on('close', done));
  }

  it.each([
    ['Ctrl-C', ['SIGINT']],
    ['SIGTERM', ['SIGTERM']],
    ['a closed terminal, which sends several', ['SIGHUP', 'SIGHUP', 'SIGTERM']],
  ] as const)('by %s loses no step and comes to the same weights', async (name, signals) => {
    const out = `stopped-${name.slice(0, 4).trim()}`;
    expect(await stopped(fresh(out), signals)).toBe(130);
    const { code, stderr } = await resume(out);
    expect(stderr).toMatch(/resuming after step \d+ of epoch 1/);
    expect(code).toBe(0);
    expect(await weightsOf(out)).toBe(await weightsOf('whole'));
  });

  it('by a crash that hurt history and checkpoint is mended, with a word, and comes to the same', async () => {
    const { code } = await quickcolumn(folder, ...fresh('hurt'), '--max-minutes', '0.0001');
    expect(code).toBe(0);
    await appendFile(at('hurt', 'history.jsonl'), '{"version":1,"epo\n');
    const { weights } = JSON.parse(await readFile(at('hurt', 'checkpoints', 'last.json'), 'utf8')) as {
      weights: { file: string };
    };
    await writeFile(at('hurt', 'checkpoints', weights.file), 'torn');
    const again = await resume('hurt', '--max-minutes', '9');
    expect(again.stderr).toContain('the last checkpoint cannot be used: ');
    expect(again.stderr).toContain('; the one after epoch 0 is whole');
    expect(again.code).toBe(0);
    expect(await weightsOf('hurt')).toBe(await weightsOf('whole'));

    await rm(at('hurt', 'history.jsonl'));
    const healed = await resume('hurt', '--epochs', '3');
    expect(healed.stderr).toContain(
      'history.jsonl: it lacks epochs 1 to 2; they are written again from the checkpoint',
    );
    const lines = (await readFile(at('hurt', 'history.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { epoch: number }).epoch)).toEqual([1, 2, 3]);
  });

  it('is not resumed with other settings or data, and nothing in its folder has changed', async () => {
    await cp(at('whole'), at('kept'), { recursive: true });
    await cp(at('data'), at('data-kept'), { recursive: true });
    const before = await readFile(at('kept', 'config.yaml'), 'utf8');
    const rate = await resume('kept', '--learning-rate', '0.5', '--epochs', '3');
    expect(rate.stderr).toMatch(/kept: cannot resume, train\.learningRate changed from 0\.0\d+ to 0\.5; put it back/);
    expect(rate.stderr).not.toContain('prepare');
    expect(rate.code).toBe(2);
    expect(await readFile(at('kept', 'config.yaml'), 'utf8')).toBe(before);

    for (const part of ['ct', 'labels']) {
      await cp(at('data', part, 'phantom_0002.nii.gz'), at('data', part, 'phantom_0001.nii.gz'));
      await cp(at('data', part, 'phantom_0004.nii.gz'), at('data', part, 'phantom_0003.nii.gz'));
    }
    const data = await resume('kept', '--epochs', '3');
    expect(data.stderr).toContain(
      'cannot resume, scans or labels have changed since the training was begun, in 2 of 4 cases: ',
    );
    expect(data.stderr).toMatch(/cases: (phantom_0001, phantom_0003|phantom_0003, phantom_0001); put them back/);
    expect(data.stderr).toContain('or use --accept-changed-data to go on with them all the same');
    expect(data.code).toBe(2);
    expect(await readFile(at('kept', 'config.yaml'), 'utf8')).toBe(before);
    const accepted = await resume('kept', '--epochs', '3', '--accept-changed-data');
    expect(accepted.stderr).toContain('going on with changed scans or labels, in 2 of 4 cases: ');
    expect(accepted.code).toBe(0);
    await rm(at('data'), { recursive: true });
    await cp(at('data-kept'), at('data'), { recursive: true });
  });
});
