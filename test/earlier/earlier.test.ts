/**
 * Run folders, models, masks and configurations of an earlier version: they open, go on to the numbers that this
 * version came to, and keep what was there. Comparisons and cross-validations are in comparison.test.ts.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { readLabels } from '@quickcolumn/io';
import { readModel } from '@quickcolumn/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Earlier,
  expectCases,
  expectClose,
  expectLosses,
  hashesIn,
  lossesIn,
  type MeasuredCase,
  openEarlier,
} from './earlier.test.helpers.js';

const profiles = ['paper', 'quick', 'mueller', 'ma'].map((name) => `profiles/${name}.yaml`);
const configurations = [...profiles, 'run/config.yaml', 'rounds/round-1/run/config.yaml', 'semi/config.yaml'];
const quiet = ['--threads', '1', '--no-evaluate'];

describe('of an earlier version', () => {
  let earlier: Earlier;

  beforeAll(async () => {
    const folders = ['run', 'model', 'prediction', 'rounds', 'semi', 'profiles'];
    earlier = await openEarlier([...folders, 'cases.yaml', 'cases.csv']);
  }, 120_000);
  afterAll(() => earlier.remove());

  it('an interrupted training resumes to the same numbers', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    const before = await text('run', 'history.jsonl');
    expect(lossesIn(before)).toHaveLength(2);
    const { code, stderr } = await quickcolumn('train', '--resume', '--out', 'run', ...quiet);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    const history = await text('run', 'history.jsonl');
    expect(history.startsWith(before)).toBe(true);
    expectLosses(lossesIn(history), expected.run.losses, 1e-5);
    const { weights } = await readModel(at('run', 'model.onnx'));
    for (const [name, rms] of Object.entries(expected.run.weights.rms)) {
      const { data } = weights.get(name) ?? { data: new Float32Array() };
      const sum = data.reduce((squares, value) => squares + value * value, 0);
      expectClose(Math.sqrt(sum / data.length), rms, 1e-5, name);
    }
  });

  it('a model gives the same mask', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    const device = ['--runtime', 'onnx', '--precision', 'float32', '--threads', '1'];
    const scan = 'data/ct/phantom_0001.nii';
    const made = await quickcolumn('predict', '--model', 'model/model.onnx', scan, '--out', 'masks', ...device);
    expect(made.stderr).not.toContain('error');
    const { voxels } = await readLabels(at('masks', 'phantom_0001.nii.gz'));
    expect(new Set(voxels).size).toBeGreaterThan(2);
    expect(createHash('sha256').update(voxels).digest('hex')).toBe(expected.prediction.voxelsSha256);
    const before: unknown = JSON.parse(await text('prediction', 'phantom_0001.json'));
    expect(JSON.parse(await text('masks', 'phantom_0001.json'))).toMatchObject(before as object);
  });

  it('a mask with its sidecar is evaluated', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    await mkdir(at('truth'));
    await writeFile(at('truth', 'phantom_0001.nii'), await readFile(at('data', 'labels', 'phantom_0001.nii')));
    const folders = ['--truth', 'truth', '--prediction', 'prediction', '--out', 'evaluation'];
    expect(await quickcolumn('evaluate', ...folders)).toMatchObject({ code: 0 });
    const { cases } = JSON.parse(await text('evaluation', 'metrics.json')) as {
      cases: MeasuredCase[];
    };
    expectCases(cases, expected.prediction.cases);
  });

  it('rounds that wait for corrections are shown, accept them and go on', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    const status = await quickcolumn('rounds', 'status', '--out', 'rounds');
    expect(status.code).toBe(0);
    expect(status.stdout).toContain('Correct these 2 of 2 scans');
    expect(status.stdout).toContain('phantom_0003');

    // One is saved in its place, the other comes from elsewhere.
    const truth = await readFile(at('data', 'labels', 'phantom_0003.nii'));
    await writeFile(at('rounds', 'round-2', 'to-correct', 'phantom_0003.nii.gz'), gzipSync(truth));
    const first = await hashesIn(at('rounds', 'round-1'));
    const next = await quickcolumn('rounds', 'next', 'data/labels/phantom_0004.nii', '--out', 'rounds', ...quiet);
    expect(next.stderr).not.toContain('error');
    expect(next.code).toBe(0);
    expect(next.stdout).toContain('All scans are labelled');
    expect(await hashesIn(at('rounds', 'round-1'))).toEqual(first);
    const state = JSON.parse(await text('rounds', 'state.json')) as {
      rounds: { corrections: { name: string; changedVoxels: number }[] }[];
    };
    const changed = (corrections: (typeof state.rounds)[number]['corrections']): Record<string, number> =>
      Object.fromEntries(corrections.map(({ name, changedVoxels }) => [name, changedVoxels]));
    expect(changed(state.rounds[1].corrections)).toEqual(changed([...expected.rounds.corrections]));
    expectLosses(lossesIn(await text('rounds', 'round-2', 'run', 'history.jsonl')), expected.rounds.losses, 1e-4);
  });

  it('semi-supervised training that has its teacher goes on with the student', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    const teacher = await hashesIn(at('semi', 'teacher'));
    const args = ['--config', 'cases.yaml', '--confidence', '0.26', ...quiet, '--out', 'semi'];
    const { code, stderr } = await quickcolumn('semi-supervised', ...args);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(stderr).not.toContain('teacher: training');
    expect(await hashesIn(at('semi', 'teacher'))).toEqual(teacher);
    expectLosses(lossesIn(await text('semi', 'student-1', 'history.jsonl')), expected.semi.losses, 1e-4);
  });

  it.each(configurations)('%s is read and printed with all that it says', async (file) => {
    const { quickcolumn, text } = earlier;
    const { code, stdout, stderr } = await quickcolumn('config', '--file', file);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const printed = stdout.split('\n');
    // A newer version may print more keys, in between.
    const missing = (await text(file)).split('\n').filter((line) => {
      const place = printed.indexOf(line);
      if (place >= 0) printed.splice(0, place + 1);
      return place < 0 && line !== '' && !line.startsWith('#');
    });
    expect(missing).toEqual([]);
  });
});
