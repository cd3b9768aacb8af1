import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison } from '@quickcolumn/evaluate';
import { readLabels } from '@quickcolumn/io';
import { casesOf } from '@quickcolumn/cases';
import { writePhantomCases } from '@quickcolumn/phantom';
import { randomOf } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, programPath, quickcolumn } from '../command.test.helpers.js';
import { caseImages, readExperiment } from '@quickcolumn/workflows';

const experiment = `title: tiny
folds: 2
seed: 1
base:
  profile: quick
  data: { images: data/ct, labels: data/labels }
  preparation: { spacingMm: [10, 10, 10] }
  network: { rootFilters: 2 }
  train: { patch: [16, 16, 16], epochs: 2, stepsPerEpoch: 2 }
  predict: { overlap: [4, 4, 4] }
systems:
  - { id: qchc, title: QC-HC }
  - { id: unet, network: { name: unet3d } }
  - { id: mirrored, weightsOf: qchc, predict: { mirror: [x], postProcessing: { keepLargest: { left lung: 1 } } } }
`;

/** Times and memory are those of the machine; everything else must be the same. */
async function comparable(path: string): Promise<unknown> {
  const measured = ['date', 'trainingSeconds', 'secondsPerScan', 'predictionPeakBytes', 'trainingPeakBytes'];
  const text = await readFile(path, 'utf8');
  return JSON.parse(text, (key, value: unknown) => (measured.includes(key) ? 0 : value));
}

async function readComparison(path: string): Promise<Comparison> {
  return JSON.parse(await readFile(path, 'utf8')) as Comparison;
}

describe('quickcolumn compare', () => {
  let folder = '';
  const compare = async (...args: string[]): ReturnType<typeof quickcolumn> =>
    await quickcolumn(folder, 'compare', ...args);

  const random = randomOf('compare');
  /** Runs it and kills it up to 10 ms behind the first line that has `text`. */
  async function killedAt(text: string, signal: NodeJS.Signals, out: string): Promise<number | NodeJS.Signals | null> {
    const args = ['compare', '--experiment', 'exp.yaml', '--out', out];
    const env = { ...process.env, QUICKCOLUMN_CACHE: join(folder, '..', 'cache') };
    const child = spawn(process.execPath, [programPath, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let seen = '';
    let killed = false;
    child.stderr.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (killed || !seen.includes(text)) return;
      killed = true;
      setTimeout(() => child.kill(signal), random() * 10);
    });
    await once(child, 'close');
    expect(seen).toContain(text);
    return child.signalCode ?? child.exitCode;
  }

  beforeAll(async () => {
    const root = await mkdtemp(join(tmpdir(), 'quickcolumn-compare-'));
    folder = join(root, 'work');
    await mkdir(folder);
    await writePhantomCases(join(folder, 'data'), 5, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(join(folder, 'exp.yaml'), experiment);
    const { code, stderr } = await compare('--experiment', 'exp.yaml', '--out', 'whole');
    if (code !== 0 || !stderr.includes('6 of 6 folds done')) throw new Error(stderr);
  });

  afterAll(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it('leaves model, history, masks and result of every fold, without checkpoints', async () => {
    const files = await filesIn(join(folder, 'whole'));
    expect(files).toContain('experiment.yaml');
    for (const file of ['model.onnx', 'history.jsonl', 'config.yaml', 'result.json']) {
      expect(files).toContain(`systems/unet/fold-1/${file}`);
    }
    expect(files.filter((file) => /^systems\/mirrored\/fold-\d\/masks\/.*nii\.gz$/.test(file))).toHaveLength(5);
    expect(files.filter((file) => file.includes('checkpoints'))).toEqual([]);
  });

  it('tells of every system the folds, curves and costs', async () => {
    const { systems, leftOut, identity } = await readComparison(join(folder, 'whole', 'comparison.json'));
    expect(leftOut).toEqual([]);
    expect(identity.data).toMatch(/^[0-9a-f]{64}$/);
    expect(systems.map(({ id }) => id)).toEqual(['qchc', 'unet', 'mirrored']);
    const [qchc, unet, mirrored] = systems;
    expect(qchc.folds.flatMap(({ cases }) => cases)).toHaveLength(5);
    expect(unet.folds.map(({ cases }) => cases.map(({ name }) => name))).toEqual(
      qchc.folds.map(({ cases }) => cases.map(({ name }) => name)),
    );
    expect(unet.folds[0].history).toHaveLength(2);
    expect(mirrored.folds[0].history).toBeUndefined();
    expect(mirrored.folds[0].cases).not.toEqual(qchc.folds[0].cases);
    for (const { cost } of systems.flatMap(({ folds }) => folds)) {
      expect(cost.trainingSteps).toBe(4);
      for (const value of Object.values(cost)) expect(value).toBeGreaterThan(0);
    }
  });

  it('that is killed again and again equals an uninterrupted one', async () => {
    const moments = [
      'qchc, fold-0 (1 of 2): training',
      'qchc, fold-0 (1 of 2): epoch 1/2  loss',
      'qchc, fold-0 (1 of 2): phantom_0002:',
      'unet, fold-0 (1 of 2): finished',
      'mirrored, fold-0 (1 of 2): prediction',
      'qchc, fold-1 (2 of 2): evaluate',
    ];
    for (const moment of moments) expect(await killedAt(moment, 'SIGKILL', 'killed')).toBe('SIGKILL');
    expect(await killedAt('unet, fold-1 (2 of 2): training', 'SIGINT', 'killed')).toBe(130);
    const last = await compare('--out', 'killed');
    expect(last.stderr).toContain('4 of 6 folds done');
    expect(last.code).toBe(0);
    expect(await comparable(join(folder, 'killed', 'comparison.json'))).toEqual(
      await comparable(join(folder, 'whole', 'comparison.json')),
    );
  });

  it('says after Ctrl-C how to go on', async () => {
    const args = ['--experiment', 'exp.yaml', '--out', 'stopped'];
    expect(await killedAt('qchc, fold-0 (1 of 2): training', 'SIGTERM', 'stopped')).toBe(130);
    const { code, stderr } = await compare(...args, '--folds', '0', '--systems', 'qchc');
    expect(code).toBe(0);
    expect(stderr).toContain('left out: qchc: fold-1 is not finished');
    expect(existsSync(join(folder, 'stopped', 'systems', 'unet'))).toBe(false);
  });

  it('refuses to mix configurations, machines and data', async () => {
    await writeFile(join(folder, 'wider.yaml'), experiment.replace('name: unet3d', 'name: unet3d, rootFilters: 3'));
    const wider = await compare('--experiment', 'wider.yaml', '--out', 'whole');
    expect(wider.code).toBe(5);
    expect(wider.stderr).toContain('unet, fold-0 (');
    expect(wider.stderr).toContain('made with another configuration');
    expect(wider.stderr).toContain('--redo unet ');
    expect(wider.stderr).not.toContain('qchc, fold-0');
    const threads = await compare('--out', 'whole', '--threads', '63');
    expect(threads.code).toBe(5);
    expect(threads.stderr).toContain('another runtime or machine');

    await cp(join(folder, 'data'), join(folder, 'changed'), { recursive: true });
    await cp(join(folder, 'data/labels/phantom_0001.nii.gz'), join(folder, 'changed/labels/phantom_0002.nii.gz'));
    const data = await compare('--out', 'whole', '--images', 'changed/ct', '--labels', 'changed/labels');
    expect(data.code).toBe(5);
    expect(data.stderr).toContain('made with another data');
    const same = await compare('--out', 'whole');
    expect(same.code).toBe(0);
  });

  it('redoes a system with those that use its weights, and reports what belongs together', async () => {
    await cp(join(folder, 'whole'), join(folder, 'mixed'), { recursive: true });
    const path = join(folder, 'mixed', 'systems', 'unet', 'fold-1', 'result.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"numerics": 1', '"numerics": 99'));
    const refused = await compare('--out', 'mixed');
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain(
      'unet, fold-1 (mixed/systems/unet/fold-1): made with another version of the numerics (then 99',
    );
    const reported = await compare('--out', 'mixed', '--report-only');
    expect(reported.code).toBe(0);
    const mixed = await readComparison(join(folder, 'mixed', 'comparison.json'));
    expect(mixed.leftOut[0].id).toBe('unet');
    expect(mixed.leftOut[0].reason).toContain('fold-1 was made with another version of the numerics');
    // A mean over other cases is no comparison: fold-1 of the others waits.
    expect(mixed.systems.map(({ folds }) => folds.map(({ fold }) => fold))).toEqual([[0], [0], [0]]);
    const redone = await compare('--out', 'mixed', '--redo', 'unet', '--folds', '1');
    expect(redone.stderr).toContain('2 of 3 folds done');
    expect(redone.code).toBe(0);
    expect(await comparable(join(folder, 'mixed', 'comparison.json'))).toEqual(
      await comparable(join(folder, 'whole', 'comparison.json')),
    );
  });

  it('has the pictures of every case and system', async () => {
    const read = await readExperiment(join(folder, 'whole', 'experiment.yaml'));
    const cases = await casesOf(read.systems[0].config.data);
    const folderOf = (id: string, fold: number): string => join(folder, 'whole', 'systems', id, `fold-${fold}`);
    const images = caseImages(read, cases, { folderOf, shownName: ({ name }) => name.replace('phantom_000', 'case-') });
    const { image, truth, predictions } = await images('case-4', ['unet', 'mirrored']);
    expect(image.size).toEqual([40, 36, 24]);
    expect(truth.voxels).toEqual((await readLabels(join(folder, 'data/labels/phantom_0004.nii.gz'))).voxels);
    expect(predictions.map(({ id }) => id)).toEqual(['unet', 'mirrored']);
    expect(predictions[0].labels.size).toEqual(image.size);
    await expect(images('case-9', ['unet'])).rejects.toThrow('is no case');
  });

  it('goes on with the other systems when one fails', async () => {
    const wild = experiment.replace('name: unet3d }', 'name: unet3d }, train: { learningRate: 1.0e+30 }');
    await writeFile(join(folder, 'wild.yaml'), `${wild}  - { id: more, weightsOf: unet }\n`);
    const { code, stderr } = await compare('--experiment', 'wild.yaml', '--out', 'failed', '--folds', '0');
    expect(code).toBe(6);
    expect(stderr).toContain('2 of 4 folds done');
    expect(stderr).toContain('2 folds failed; run the same again to retry:\n  unet, fold-0 (1 of 2): ');
    expect(stderr).toContain('more, fold-0 (1 of 2): unet has no model of this fold');
    const { systems } = await readComparison(join(folder, 'failed', 'comparison.json'));
    expect(systems.map(({ id }) => id)).toEqual(['qchc', 'mirrored']);
  });

  it('shows no names with --anonymize', async () => {
    const { code, stderr } = await compare('--out', 'whole', '--anonymize-key', 'key.json');
    expect(code).toBe(0);
    expect(stderr).not.toContain('phantom_');
    const text = await readFile(join(folder, 'whole', 'comparison.json'), 'utf8');
    expect(text).not.toContain('phantom_');
    expect(text).toContain('case-5');
    expect(await readFile(join(folder, 'key.json'), 'utf8')).toContain('phantom_0005');
  });
});
