/** Transfer, pseudo-labels and semi-supervised training through the command line, on phantoms with a tiny network. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readLabels, readVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { readModel } from '@quickcolumn/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAt, type Outcome, quickcolumn } from './command.test.helpers.js';

const tiny = `profile: quick
data: { list: labelled.csv }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 2, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

let folder = '';
const at = (...path: string[]): string => join(folder, ...path);
const run = (...args: string[]): Promise<Outcome> => quickcolumn(folder, ...args);
const train = (...args: string[]): Promise<Outcome> => run('train', '--config', 'tiny.yaml', '--no-evaluate', ...args);
const model = (...path: string[]): ReturnType<typeof readModel> => readModel(at(...path, 'model.onnx'));

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-strategies-')), 'work');
  await mkdir(folder);
  await writePhantomCases(at('data'), 6, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(at('tiny.yaml'), tiny);
  const rows = [1, 2, 3].map((n) => `data/ct/phantom_000${n}.nii.gz,data/labels/phantom_000${n}.nii.gz,p${n},`);
  await writeFile(
    at('labelled.csv'),
    ['image,label,patient,split', ...rows, 'data/ct/phantom_0004.nii.gz,,p4,test'].join('\n'),
  );
  const row = (n: number, rest: string): string => `data/ct/phantom_000${n}.nii.gz,${rest}`;
  const labelled = (n: number, rest: string = ''): string => row(n, `data/labels/phantom_000${n}.nii.gz${rest}`);
  await writeFile(at('held.csv'), `image,label,patient,split\n${labelled(1, ',a,validation')}\n`);
  const rest = ['image,patient,split', row(5, 'a,'), row(6, 'b,'), row(2, 'c,test')];
  await writeFile(at('rest.csv'), rest.join('\n'));
  await writeFile(at('all.csv'), ['image,label', ...[1, 2, 3, 4, 5, 6].map((n) => labelled(n))].join('\n'));
  const first = await train('--out', 'first');
  if (first.code !== 0) throw new Error(first.stderr);
});
afterAll(() => rm(dirname(folder), { recursive: true, force: true }));

describe('train --init-from', () => {
  it('takes weights over, freezes, says where they come from, and resumes without the file', async () => {
    const options = ['--init-from', 'first', '--freeze', 'stem,encoder', '--epochs', '3'];
    const whole = await train('--out', 'second', ...options);
    expect(whole.code).toBe(0);
    expect(whole.stderr).toMatch(/frozen by 'stem': 2 variables: stem\/weight, stem\/bias/);
    expect(whole.stderr).toMatch(
      /weights from .*first.model\.onnx \([0-9a-f]{12}…\): \d+ variables taken over, none new/,
    );
    const [first, second] = [await model('first'), await model('second')];
    const { weightsSha256 } = first.metadata;
    expect(second.metadata.training).toMatchObject({
      initFile: 'model.onnx',
      initWeightsSha256: weightsSha256,
      frozen: 'stem encoder',
    });
    expect(await readFile(at('second', 'config.yaml'), 'utf8')).toContain(`weightsSha256: ${weightsSha256}`);
    const [line, next] = (await readFile(at('second', 'history.jsonl'), 'utf8')).split('\n');
    expect(JSON.parse(line)).toMatchObject({ init: { file: 'model.onnx', weightsSha256 } });
    expect(JSON.parse(next)).not.toHaveProperty('init');
    for (const [name, { data }] of second.weights) {
      const before = first.weights.get(name)?.data;
      if (/^(stem|encoder\d)\//.test(name)) expect(data, name).toEqual(before);
      else if (name.endsWith('conv/weight')) expect(data, name).not.toEqual(before);
    }

    expect((await train('--out', 'stopped', ...options, '--max-minutes', '0.00001')).stderr).toContain('after epoch 1');
    await rename(at('first'), at('moved'));
    const resumed = await run('train', '--resume', '--out', 'stopped', '--max-minutes', '5', '--no-evaluate');
    await rename(at('moved'), at('first'));
    expect(resumed.code).toBe(0);
    expect((await model('stopped')).metadata.weightsSha256).toBe(second.metadata.weightsSha256);
    const yaml = await readFile(at('stopped', 'config.yaml'), 'utf8');
    await writeFile(at('stopped', 'other.yaml'), yaml.replace('freeze: [stem, encoder]', 'freeze: [stem]'));
    const changed = await run('train', '--resume', '--out', 'stopped', '--config', join('stopped', 'other.yaml'));
    expect(changed).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot resume, init.freeze lost encoder'),
    });
  });

  it('starts with the very predictions of the model: its first validation is that of the model', async () => {
    const start = ['--init-from', 'first', '--learning-rate', '1e-30', '--epochs', '1', '--out', 'still'];
    expect((await train(...start, '--freeze', 'stem,encoder,decoder')).code).toBe(0);
    const lines = (await readFile(at('first', 'history.jsonl'), 'utf8')).trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as { best: boolean; validation: { loss: number } });
    const still = JSON.parse(await readFile(at('still', 'history.jsonl'), 'utf8')) as { validation: { loss: number } };
    expect(still.validation.loss).toBe(records.findLast(({ best }) => best)?.validation.loss);
  });

  it('gives other classes a new head', async () => {
    const yaml = `${tiny.replace('spacingMm: [10, 10, 10]', 'spacingMm: [10, 10, 12], classes: [{ value: 0, name: background, color: [0, 0, 0] }, { value: 1, name: l, color: [0, 0, 0] }, { value: 2, name: r, color: [0, 0, 0] }, { value: 3, name: lesion, color: [0, 0, 0] }]')}init: { from: first/model.onnx }\n`;
    await writeFile(at('other.yaml'), yaml);
    const other = await run('train', '--config', 'other.yaml', '--epochs', '1', '--no-evaluate', '--out', 'other');
    expect(other.code).toBe(0);
    expect(other.stderr).toContain('new: head3/weight, head2/weight, head1/weight, head0/weight, head/bias');
    expect(other.stderr).toContain('trained with preparation.spacingMm [10,10,10], here it is [10,10,12]');
  });

  it('refuses what does not fit', async () => {
    const refused = async (code: number, text: string | RegExp, ...args: string[]): Promise<void> => {
      const outcome = await train('--out', 'refused', ...args);
      expect(outcome.stderr).toMatch(text);
      expect(outcome.code).toBe(code);
      expect(existsSync(at('refused'))).toBe(false);
    };
    await refused(2, /freeze needs a model to start from/, '--freeze', 'encoder');
    await refused(2, /freeze: 'encodr' names no variable/, '--init-from', 'first', '--freeze', 'encodr');
    await refused(2, /every variable is frozen/, '--init-from', 'first', '--freeze', '**');
    await refused(
      2,
      /do not fit.*stem\/weight is \[2,1,3,3,3\] in the model, here \[4,1,3,3,3\].*network in the configuration/s,
      '--init-from',
      'first',
      '--root-filters',
      '4',
    );
    await refused(
      2,
      /encoder0\/unit0.* is not in the model.*and \d+ more/s,
      '--init-from',
      'first',
      '--network',
      'vb-net',
    );
    await refused(3, /is a folder, but holds no model/, '--init-from', 'data');
    await refused(3, /no such file/, '--init-from', 'none.onnx');
    await refused(3, /expected a model\.onnx written by quickcolumn/, '--init-from', 'tiny.yaml');
    await writeFile(at('pinned.yaml'), `${tiny}init: { from: first/model.onnx, weightsSha256: '${'0'.repeat(64)}' }\n`);
    await refused(2, /init\.weightsSha256 is 000/, '--config', 'pinned.yaml');
    await writeFile(at('bad.yaml'), `${tiny}init: { from: first/model.onnx, frieze: [stem] }\n`);
    await refused(4, /init\.frieze: unknown key/, '--config', 'bad.yaml');
  });
});

describe('distill', () => {
  it('trains on the votes of a model, scans without labels too, and goes on where it was stopped', async () => {
    const rows = [1, 2].map((n) => `data/ct/phantom_000${n}.nii.gz,data/labels/phantom_000${n}.nii.gz`);
    await writeFile(at('distill.csv'), ['image,label', ...rows, 'data/ct/phantom_0005.nii.gz,'].join('\n'));
    const flags = [
      '--model',
      'first',
      '--list',
      'distill.csv',
      '--hard-share',
      '0.5',
      '--epochs',
      '2',
      '--no-evaluate',
    ];
    const args = ['distill', ...flags, '--steps-per-epoch', '2', '--threads', '1', '--out'];
    const whole = await run(...args, 'distilled');
    expect(whole.stderr).toContain('1 of 3 cases have no labels');
    expect(whole).toMatchObject({ code: 0, stdout: expect.stringContaining(join('distilled', 'model.onnx')) });
    const { weightsSha256 } = (await model('first')).metadata;
    expect((await model('distilled')).metadata.training).toMatchObject({
      teachers: 1,
      teacherWeightsSha256: weightsSha256,
      hardShare: 0.5,
    });
    await killAt(folder, at('distil-killed', 'history.jsonl'), [...args, 'distil-killed']);
    const resumed = await run('distill', '--resume', '--threads', '1', '--no-evaluate', '--out', 'distil-killed');
    expect(resumed.code).toBe(0);
    expect((await model('distil-killed')).metadata.weightsSha256).toBe(
      (await model('distilled')).metadata.weightsSha256,
    );
    expect(await run('distill', '--hard-share', '2', '--out', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected a number from 0 to 1'),
    });
    expect(await run('distill', '--list', 'distill.csv', '--out', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('distillation needs teachers'),
    });
  });
});

describe('pseudo-label', () => {
  const label = (...args: string[]): Promise<Outcome> => run('pseudo-label', '--model', 'first', ...args);

  it('labels what the model is sure of, beside the labelled cases, ready to train on', async () => {
    const plain = ['predict', '--model', 'first', 'data/ct/phantom_0005.nii.gz', '--out', 'plain', '--probabilities'];
    expect((await run(...plain)).code).toBe(0);
    const names = ['0_background', '1_left-lung', '2_right-lung', '3_infection'];
    const files = names.map((name) => at('plain', 'probabilities', `phantom_0005_${name}.nii.gz`));
    const probabilities = await Promise.all(files.map(async (file) => (await readVolume(file)).voxels));
    const largest = Array.from(probabilities[0], (_, i) => Math.max(...probabilities.map((of) => of[i])));
    const sorted = [...largest].sort((a, b) => a - b);
    const confidence = sorted[Math.floor(sorted.length / 4)];
    const made = await label(
      '--images',
      'data/ct',
      '--with',
      'labelled.csv',
      '--confidence',
      String(confidence),
      '--out',
      'set',
    );
    expect(made.stderr).not.toContain('error');
    expect(made.code).toBe(0);
    expect(made.stderr).toContain('phantom_0001: left out, it is among the labelled cases');
    const rows = (await readFile(at('set', 'cases.csv'), 'utf8')).trim().split('\n');
    expect(rows).toEqual([
      'name,image,label,patient,split',
      ...[1, 2, 3].map(
        (n) => `phantom_000${n},../data/ct/phantom_000${n}.nii.gz,../data/labels/phantom_000${n}.nii.gz,p${n},train`,
      ),
      'phantom_0004,../data/ct/phantom_0004.nii.gz,,p4,test',
      ...[5, 6].map(
        (n) =>
          `phantom_000${n},../data/ct/phantom_000${n}.nii.gz,labels/phantom_000${n}.nii.gz,phantom_000${n},train-only`,
      ),
    ]);
    const mask = await readLabels(at('plain', 'phantom_0005.nii.gz'));
    const pseudo = await readLabels(at('set', 'labels', 'phantom_0005.nii.gz'));
    expect(pseudo.affine).toEqual(mask.affine);
    const expected = mask.voxels.map((value, i) => (largest[i] >= confidence - 1e-6 ? value : 255));
    expect(pseudo.voxels).toEqual(expected);
    const unsure = expected.filter((value) => value === 255).length;
    expect(unsure).toBeGreaterThan(0);
    expect(unsure).toBeLessThan(expected.length / 2);
    const about: unknown = JSON.parse(await readFile(at('set', 'pseudo-labels.json'), 'utf8'));
    const { weightsSha256 } = (await model('first')).metadata;
    expect(about).toMatchObject({
      confidence,
      ignoreLabel: 255,
      model: { weightsSha256 },
      cases: [{ used: true }, {}],
    });

    const student = ['train', '--config', 'set/config.yaml', '--init-from', 'first', '--epochs', '1'];
    const trained = await run(...student, '--steps-per-epoch', '2', '--no-evaluate', '--out', 'student');
    expect(trained.stderr).toContain('4 cases to train on, 1 to validate');
    expect(trained.code).toBe(0);
    expect((await model('student')).metadata.preparation.ignoreLabel).toBe(255);
  });

  it('goes by a list, keeps patients apart, and leaves out scans it knows nothing of', async () => {
    const made = await label('--list', 'rest.csv', '--with', 'held.csv', '--confidence', '0.2', '--out', 'by-list');
    expect(made.stderr).toContain(
      'phantom_0005: left out, it is of patient a, as phantom_0001 of the split validation',
    );
    expect((await readFile(at('by-list', 'cases.csv'), 'utf8')).match(/^phantom_\d+/gm)).toEqual([
      'phantom_0001',
      'phantom_0006',
    ]);
    const none = await label('--images', 'data/ct', '--minimum-voxels', '1000000', '--out', 'none');
    expect(none).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('sure of fewer than 1000000 voxels in every scan'),
    });
    expect(existsSync(at('none'))).toBe(false);
  });

  it('refuses wrong arguments and foreign folders', async () => {
    const refused = async (code: number, text: string, ...args: string[]): Promise<void> =>
      expect(await label(...args)).toMatchObject({ code, stderr: expect.stringContaining(text) });
    await refused(2, 'either images or list', '--out', 'x');
    await refused(2, 'either images or list', '--out', 'x', '--images', 'data/ct', '--list', 'rest.csv');
    await refused(2, 'above 0 and at most 1', '--out', 'x', '--images', 'data/ct', '--confidence', '90');
    await refused(3, 'nothing to label', '--out', 'x', '--list', 'held.csv');
    await refused(5, 'not empty', '--out', 'data', '--images', 'data/ct');
    await refused(5, 'labels that are no pseudo-labels', '--out', 'data', '--images', 'data/ct', '--force');
    await refused(3, 'no scan is left', '--out', 'x', '--images', 'data/ct', '--with', 'all.csv');
  });
});

describe('semi-supervised', () => {
  it('teaches students, and goes on after a kill to the same weights', async () => {
    await writeFile(
      at('semi.csv'),
      [
        'image,label,split',
        ...[1, 2, 3].map((n) => `data/ct/phantom_000${n}.nii.gz,data/labels/phantom_000${n}.nii.gz,`),
        'data/ct/phantom_0004.nii.gz,,test',
        ...[5, 6].map((n) => `data/ct/phantom_000${n}.nii.gz,,`),
      ].join('\n'),
    );
    const semi = (out: string, ...more: string[]): string[] =>
      ['semi-supervised --config tiny.yaml --list semi.csv --confidence 0.5 --rounds 2 --epochs 4 --no-evaluate --out']
        .flatMap((text) => text.split(' '))
        .concat(out, more);
    const whole = await run(...semi('whole'));
    expect(whole.stderr).not.toContain('error');
    expect(whole).toMatchObject({ code: 0, stdout: expect.stringContaining(join('student-2', 'model.onnx')) });
    for (const file of [at('killed', 'teacher', 'history.jsonl'), at('killed', 'student-1', 'history.jsonl')]) {
      await killAt(folder, file, semi('killed'));
    }
    expect((await run(...semi('killed'))).code).toBe(0);
    for (const name of ['teacher', 'student-1', 'student-2']) {
      const [a, b] = [await model('whole', name), await model('killed', name)];
      expect(b.metadata.weightsSha256, name).toBe(a.metadata.weightsSha256);
    }
    const lists = await Promise.all(
      ['labelled.csv', 'labels-1/cases.csv', 'labels-2/cases.csv'].map((file) => readFile(at('whole', file), 'utf8')),
    );
    const validated = lists.map((text) => text.match(/^[^,]+(?=,.*,validation$)/gm));
    expect(validated[0]).toHaveLength(1);
    expect(validated[1]).toEqual(validated[0]);
    expect(validated[2]).toEqual(validated[0]);
    expect(lists[1].match(/,train-only$/gm)).toHaveLength(4);
    expect((await model('whole', 'student-2')).metadata.training).toMatchObject({
      initWeightsSha256: (await model('whole', 'student-1')).metadata.weightsSha256,
    });
    // Nothing is done twice, and other numbers are another undertaking.
    expect((await run(...semi('whole'))).stderr).not.toContain('training');
    expect(await run(...semi('whole', '--confidence', '0.6'))).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('was begun with'),
    });
    expect(await run('semi-supervised', '--out', 'y')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('needs a list'),
    });
    expect(await run('semi-supervised', '--config', 'tiny.yaml', '--list', 'all.csv', '--out', 'y')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('every case has a label'),
    });
  });
});
