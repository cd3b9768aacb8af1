/** Two processes that are told to write the same folder: one does, the other is refused and told about the first. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePhantomCases } from '@quickcolumn/phantom';
import { withLock } from '@quickcolumn/workflows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, programPath, quickcolumn } from './command.test.helpers.js';

const config = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 400, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

describe('a second process', () => {
  let folder = '';
  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-two-')), 'work');
    await mkdir(folder);
    await writePhantomCases(join(folder, 'data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(join(folder, 'config.yaml'), config);
  });
  afterAll(() => rm(join(folder, '..'), { recursive: true, force: true }));

  /** Starts a training and calls `during` after its first epoch; it is then stopped. */
  async function whileTraining(args: readonly string[], during: (pid: number) => Promise<void>): Promise<void> {
    const env = { ...process.env, QUICKCOLUMN_CACHE: join(folder, '..', 'cache'), NO_COLOR: '1' };
    const child = spawn(process.execPath, [programPath, 'train', ...args], { cwd: folder, env });
    const ended = new Promise((done) => child.on('close', done));
    let text = '';
    await new Promise<void>((begun, fail) => {
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (/^epoch \d+\/\d+ +loss/m.test(text)) begun();
      });
      child.on('close', () => fail(new Error(text)));
    });
    try {
      await during(child.pid ?? 0);
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  }

  const fresh = ['--config', 'config.yaml', '--out', 'run', '--no-evaluate'];

  it('is refused while a training writes the folder, however it asks', async () => {
    const refused = async (pid: number, args: readonly string[]): Promise<void> => {
      const { code, stderr } = await quickcolumn(folder, 'train', ...args);
      expect(stderr).toContain(`run is in use by 'train', process ${pid} on ${hostname()}, since `);
      expect(stderr).toContain('; wait until it has ended, end it, or choose another place');
      expect(code).toBe(5);
    };
    await whileTraining(fresh, async (pid) => {
      const before = await readFile(join(folder, 'run', 'config.yaml'), 'utf8');
      await refused(pid, fresh);
      await refused(pid, [...fresh, '--force', '--seed', '7']);
      await refused(pid, ['--resume', '--out', 'run', '--no-evaluate']);
      expect(await readFile(join(folder, 'run', 'config.yaml'), 'utf8')).toBe(before);
    });
    expect(await filesIn(join(folder, 'run'))).not.toContain('.quickcolumn-lock');
    await whileTraining(['--resume', '--out', 'run', '--no-evaluate'], async (pid) => {
      await refused(pid, ['--resume', '--out', 'run']);
    });
    const history = (await readFile(join(folder, 'run', 'history.jsonl'), 'utf8')).trim().split('\n');
    const epochs = history.map((line) => (JSON.parse(line) as { epoch: number }).epoch);
    expect(epochs).toEqual(epochs.map((_, index) => index + 1));
  });

  it('of two that begin at once is refused', async () => {
    const args = ['train', '--config', 'config.yaml', '--epochs', '12', '--out', 'twice', '--no-evaluate'];
    const codes = (await Promise.all([quickcolumn(folder, ...args), quickcolumn(folder, ...args)])).map(
      ({ code }) => code,
    );
    expect(codes).toContain(0);
    expect(codes).toContain(5);
    const history = await readFile(join(folder, 'twice', 'history.jsonl'), 'utf8');
    expect(history.trim().split('\n')).toHaveLength(12);
  });

  it.each([
    ['masks', ['predict', '--model', 'twice', 'data/ct', '--out', 'masks']],
    ['mask.nii.gz', ['predict', '--model', 'twice', 'data/ct/phantom_0001.nii.gz', '--out', 'mask.nii.gz']],
    ['cv', ['cross-validate', '--config', 'config.yaml', '--folds', '2', '--out', 'cv']],
    ['scores', ['evaluate', '--truth', 'data/labels', '--prediction', 'data/labels', '--out', 'scores']],
  ])('is refused by %s', async (out, args) => {
    const place = join(folder, out);
    const { code, stderr } = await withLock({ place, isFile: out.includes('.'), doing: 'predict' }, () =>
      quickcolumn(folder, ...args),
    );
    expect(stderr).toContain(`${out} is in use by 'predict', process ${process.pid} on ${hostname()}, since `);
    expect(code).toBe(5);
    expect(await filesIn(folder)).not.toContain(out);
  });
});
