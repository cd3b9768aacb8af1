import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabels, readVolume, writeVolume } from '@quickcolumn/io';
import { profiles } from '@quickcolumn/learn';
import { writePhantomCases } from '@quickcolumn/phantom';
import { doubtIds, readModel } from '@quickcolumn/predict';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, quickcolumn } from './command.test.helpers.js';

/** As small as a training can be: what is tested is that the commands fit together, not the numbers. */
const tiny = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 2, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

const commands = [
  'demo',
  'dataset',
  'prepare',
  'train',
  'predict',
  'evaluate',
  'pseudo-label',
  'rounds',
  'semi-supervised',
  'distill',
  'dicom',
  'doctor',
  'config',
  'networks',
  'compare',
  'cross-validate',
];

describe('quickcolumn', () => {
  let folder = '';

  beforeAll(async () => {
    const root = await mkdtemp(join(tmpdir(), 'quickcolumn-cli-'));
    folder = join(root, 'work');
    await mkdir(folder);
    await writePhantomCases(join(folder, 'data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(join(folder, 'tiny.yaml'), tiny);
  });

  afterAll(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it.each(commands)('%s --help has examples', async (command) => {
    const { code, stdout } = await quickcolumn(folder, command, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:');
  });

  it('prints a profile that reads back as itself', async () => {
    const { code, stdout } = await quickcolumn(folder, 'config', '--profile', 'mueller');
    expect(code).toBe(0);
    expect(parse(stdout)).toEqual(JSON.parse(JSON.stringify(profiles.mueller)));
  });

  it('lists the networks with their size for a patch', async () => {
    const { code, stdout } = await quickcolumn(folder, 'networks', '--network', 'qchc-unet,vb-net', '--json');
    expect(code).toBe(0);
    const [qchc, vbNet]: unknown[] = JSON.parse(stdout);
    expect(qchc).toMatchObject({ name: 'qchc-unet', parameters: 7746916, gflop: 334.3 });
    expect(vbNet).toMatchObject({ name: 'vb-net', parameters: 2203220 });
    const { predictionBytes, trainingBytes } = qchc as Record<string, number>;
    expect(trainingBytes).toBeGreaterThan(2 * predictionBytes);

    const table = await quickcolumn(folder, 'networks', '--patch', '32,32,16');
    expect(table.stdout.trim().split('\n')).toHaveLength(15);
    const odd = await quickcolumn(folder, 'networks', '--patch', '32,32,10');
    expect(odd).toMatchObject({ code: 2, stderr: expect.stringContaining('10 is not a multiple of 16; use 16') });
    const unknown = await quickcolumn(folder, 'networks', '--network', 'vnet');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("'vnet' is not known; use one of qchc") });
  });

  it('prepares once and then reads the cache', async () => {
    const args = ['prepare', '--config', 'tiny.yaml', '--images', 'data/ct', '--labels', 'data/labels'];
    const first = await quickcolumn(folder, ...args);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/phantom_0001 +40×36×24 +28×25×24 +hu .* new, /);
    const second = await quickcolumn(folder, ...args);
    expect(second.stdout.match(/ cache$/gm)).toHaveLength(4);
  });

  it('goes from training to prediction to evaluation, and resumes', async () => {
    const train = ['train', '--config', 'tiny.yaml', '--out', 'run', '--hold-out', 'phantom_0004'];
    const stopped = await quickcolumn(folder, ...train, '--max-minutes', '0.0001', '--no-evaluate');
    expect(stopped.stderr).toContain('stopped after epoch 1');
    expect(stopped.code).toBe(0);
    const bare = await readFile(join(folder, 'run', 'report.html'), 'utf8');
    expect(bare).toContain('No case was measured for this report.');
    expect(bare).not.toContain('<table');

    const again = await quickcolumn(folder, ...train);
    expect(again.code).toBe(5);
    expect(again.stderr).toContain('use --resume to continue it, --force to start it anew');

    const resumed = await quickcolumn(folder, 'train', '--resume', '--out', 'run', '--max-minutes', '5');
    expect(resumed.stderr).toContain('resuming after epoch 1');
    // The masks of its report lie in a temporary folder that is gone by then.
    expect(resumed.stderr).toMatch(/phantom_0001: mask in \d/);
    expect(resumed.stderr).not.toMatch(/quickcolumn-\w+\/phantom/);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout.trim()).toBe(join('run', 'model.onnx'));
    const run = await filesIn(join(folder, 'run'));
    for (const file of ['config.yaml', 'history.jsonl', 'model.onnx', 'report.html']) expect(run).toContain(file);
    expect(run.filter((file) => file.includes('tmp'))).toEqual([]);
    expect((await readFile(join(folder, 'run', 'history.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(2);

    const scan = join('data', 'ct', 'phantom_0004.nii.gz');
    const predict = ['predict', '--model', join('run', 'model.onnx'), scan, '--out', 'masks', '--probabilities'];
    const predicted = await quickcolumn(folder, ...predict, '--disagreement');
    expect(predicted.stderr).toMatch(/28×25×24 voxels, \d+ windows, about \d+ MB/);
    expect(predicted.code).toBe(0);
    expect(await filesIn(join(folder, 'masks'))).toEqual([
      'disagreement/phantom_0004_disagreement.nii.gz',
      'phantom_0004.json',
      'phantom_0004.nii.gz',
      'probabilities/phantom_0004_0_background.nii.gz',
      'probabilities/phantom_0004_1_left-lung.nii.gz',
      'probabilities/phantom_0004_2_right-lung.nii.gz',
      'probabilities/phantom_0004_3_infection.nii.gz',
    ]);
    const mask = await readLabels(join(folder, 'masks', 'phantom_0004.nii.gz'));
    const image = await readVolume(join(folder, scan));
    expect(mask.size).toEqual(image.size);
    expect(mask.affine).toEqual(image.affine);
    const sidecar: unknown = JSON.parse(await readFile(join(folder, 'masks', 'phantom_0004.json'), 'utf8'));
    expect(sidecar).toMatchObject({
      notice: 'research use only, not a medical device',
      model: { file: 'model.onnx', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      classes: [{ value: 0 }, { value: 1, name: 'left lung' }, { value: 2 }, { value: 3, name: 'infection' }],
      quantities: { lesion: 'infection', minimumLesionMl: 0.05, lesionMl: expect.any(Number) },
    });
    // Of a network of two epochs something must look wrong; its model tells of the two scans it was trained on.
    const { doubts } = sidecar as { doubts: { id: string; message: string; value: number }[] };
    expect(doubts.length).toBeGreaterThan(0);
    expect(doubtIds).toEqual(expect.arrayContaining(doubts.map(({ id }) => id)));
    for (const { message } of doubts) expect(predicted.stderr).toContain(`phantom_0004: warning: ${message}\n`);
    expect(predicted.stderr.match(/: warning: /g)).toHaveLength(doubts.length);
    expect(predicted.stderr).toMatch(
      /agreement of what was predicted for the same place: (\w[\w ]* \d\.\d\d|not measured)/,
    );
    expect(sidecar).toMatchObject({ disagreement: 'disagreement/phantom_0004_disagreement.nii.gz' });
    const map = await readVolume(join(folder, 'masks', 'disagreement', 'phantom_0004_disagreement.nii.gz'));
    expect([map.size, map.affine]).toEqual([image.size, image.affine]);
    const measured = map.voxels.filter((sd) => !Number.isNaN(sd));
    expect(measured.length).toBeGreaterThan(map.voxels.length / 2);
    expect(measured.every((sd) => sd >= 0 && sd <= Math.sqrt(3 / 8) + 1e-6)).toBe(true);
    expect(measured.some((sd) => sd > 0)).toBe(true);
    const { metadata } = await readModel(join(folder, 'run', 'model.onnx'));
    expect(metadata).toMatchObject({
      version: 3,
      trainingScans: { cases: 2, volumesMl: { 1: [expect.any(Number), expect.any(Number)] } },
    });
    expect((await quickcolumn(folder, ...predict)).code).toBe(5);

    const models = `${join('run', 'model.onnx')},${join('run', 'model.onnx')}`;
    const extra = ['--mirror', 'x', '--keep-largest', '1=2,right lung', '--minimum-volume', 'infection=0.5'];
    const several = ['predict', '--model', models, scan, '--out', 'several', ...extra, '--fill-holes', '3'];
    expect((await quickcolumn(folder, ...several)).code).toBe(0);
    const record: unknown = JSON.parse(await readFile(join(folder, 'several', 'phantom_0004.json'), 'utf8'));
    expect(record).toMatchObject({
      ensemble: [{ file: 'model.onnx' }, { file: 'model.onnx' }],
      options: {
        mirror: ['x'],
        postProcessing: {
          keepLargest: [
            { value: 1, components: 2 },
            { value: 2, components: 1 },
          ],
          minimumVolume: [{ value: 3, volumeMl: 0.5 }],
          fillHoles: [3],
        },
      },
    });
    expect(sidecar).not.toHaveProperty('options');
    expect(sidecar).not.toHaveProperty('ensemble');
    const wrong = await quickcolumn(folder, ...predict.slice(0, 4), '--out', 'other', '--fill-holes', 'liver');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("'liver' is no class of the model") });
    // The same scan as MetaImage: the same mask, as NIfTI, in the same place.
    const { voxels, size, affine } = image;
    const world = affine.map((value, at) => (at < 8 ? 0 - value : value));
    const spacing = [0, 1, 2].map((c) => Math.hypot(world[c], world[4 + c], world[8 + c]));
    const header = {
      NDims: 3,
      DimSize: size.join(' '),
      ElementType: 'MET_SHORT',
      ElementSpacing: spacing.join(' '),
      TransformMatrix: [0, 1, 2].flatMap((c) => [0, 4, 8].map((row) => world[row + c] / spacing[c])).join(' '),
      Offset: `${world[3]} ${world[7]} ${world[11]}`,
      ElementDataFile: 'LOCAL',
    };
    const lines = Object.entries(header).map(([key, value]) => `${key} = ${value}\n`);
    const bytes = new Uint8Array(Int16Array.from(voxels).buffer);
    await mkdir(join(folder, 'mha'));
    await writeFile(join(folder, 'mha', 'phantom_0004.mha'), Buffer.concat([Buffer.from(lines.join('')), bytes]));
    const other = await quickcolumn(
      folder,
      'predict',
      '--model',
      join('run', 'model.onnx'),
      'mha',
      '--out',
      'mha-masks',
    );
    expect(other.code).toBe(0);
    const otherMask = await readLabels(join(folder, 'mha-masks', 'phantom_0004.nii.gz'));
    expect(otherMask.voxels).toEqual(mask.voxels);
    for (const [i, value] of affine.entries()) expect(Math.abs(otherMask.affine[i] - value)).toBeLessThan(1e-4);

    const evaluate = ['evaluate', '--truth', 'data/labels', '--prediction', 'masks', '--out', 'evaluation'];
    const evaluated = await quickcolumn(folder, ...evaluate, '--images', 'data/ct');
    expect(evaluated.code).toBe(0);
    expect(evaluated.stderr).toContain('3 of 4 cases in data/labels have no prediction');
    expect(evaluated.stdout).toContain('infection');
    expect(await filesIn(join(folder, 'evaluation'))).toEqual([
      'metrics.csv',
      'metrics.json',
      'overlays/phantom_0004.png',
      'report.html',
    ]);
    const report = await readFile(join(folder, 'evaluation', 'report.html'), 'utf8');
    for (const { message } of doubts) {
      expect(report).toContain(`<li>phantom_0004: ${message}</li>`);
      expect(report).toContain(`<br>Warning: ${message}`);
    }
    expect((await quickcolumn(folder, ...evaluate)).code).toBe(5);
    expect((await quickcolumn(folder, ...evaluate, '--force')).code).toBe(0);
  });

  it('trains and evaluates on partly annotated scans', async () => {
    await mkdir(join(folder, 'partly'));
    for (let n = 1; n <= 4; n++) {
      const name = `phantom_000${n}.nii.gz`;
      const labels = await readLabels(join(folder, 'data', 'labels', name));
      const half = labels.voxels.map((value, i) => (i < labels.voxels.length / 2 ? value : 9));
      await writeVolume(join(folder, 'partly', name), { ...labels, voxels: half });
    }
    const yaml = tiny.replace('data/labels', 'partly').replace('{ spacingMm:', '{ ignoreLabel: 9, spacingMm:');
    await writeFile(join(folder, 'partly.yaml'), yaml);
    const trained = await quickcolumn(
      folder,
      'train',
      '--config',
      'partly.yaml',
      '--out',
      'run-partly',
      '--epochs',
      '1',
    );
    expect(trained.stderr).not.toContain('error');
    expect(trained.code).toBe(0);
    const scans = ['predict', '--model', join('run-partly', 'model.onnx'), 'data/ct', '--out', 'masks-partly'];
    expect((await quickcolumn(folder, ...scans)).code).toBe(0);
    const evaluate = ['evaluate', '--truth', 'partly', '--prediction', 'masks-partly', '--out', 'evaluation-partly'];
    const refused = await quickcolumn(folder, ...evaluate);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('label value 9') });
    expect((await quickcolumn(folder, ...evaluate, '--ignore-label', '9')).code).toBe(0);
    const text = await readFile(join(folder, 'evaluation-partly', 'metrics.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ cases: [{ ignoredVoxels: (40 * 36 * 24) / 2 }, {}, {}, {}] });
  });

  it('never overwrites a scan with its mask', async () => {
    const scan = join('data', 'ct', 'phantom_0001.nii.gz');
    const { code, stderr } = await quickcolumn(folder, 'predict', '--model', 'run', scan, '--out', scan, '--force');
    expect(code).toBe(5);
    expect(stderr).toContain('is an input scan; choose another output');
  });
});
