import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, quickcolumn, writeLabels, writeScan, writeModel } from './command.test.helpers.js';

/** Each row: what a user got wrong, the arguments, the exit code, and what the message must say. */
interface BadInput {
  readonly what: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly says: readonly RegExp[];
}

const trainOn = (images: string, labels: string, ...more: string[]): string[] => [
  'train',
  '--profile',
  'quick',
  '--images',
  images,
  '--labels',
  labels,
  '--out',
  'run',
  ...more,
];

const badInputs: readonly BadInput[] = [
  {
    what: 'a truncated gzip file',
    args: ['prepare', '--images', 'truncated'],
    code: 3,
    says: [/truncated\/a\.nii\.gz: gzip: /],
  },
  {
    what: 'a NIfTI with NaN in its affine',
    args: ['prepare', '--images', 'nan'],
    code: 3,
    says: [/nan\/a\.nii: .*(srow|affine|sform)/],
  },
  {
    what: 'labels on another grid than the image',
    args: trainOn('ct', 'other-grid'),
    code: 3,
    says: [/other-grid.*does not lie on the grid of/, /20/],
  },
  {
    what: 'a label value no class declares',
    args: trainOn('ct', 'undeclared'),
    code: 3,
    says: [/undeclared\/.*value 9 \(1 voxels\)/, /3 infection/],
  },
  {
    what: 'a patch that cannot be halved four times',
    args: trainOn('ct', 'labels', '--patch', '96,96,40'),
    code: 4,
    says: [/train\.patch\[2\]: 40 is not a multiple of 16; use 48/],
  },
  {
    what: 'an output below a file',
    args: ['train', '--profile', 'quick', '--images', 'ct', '--labels', 'labels', '--out', 'notes.txt/run'],
    code: 5,
    says: [/cannot write notes\.txt\/run: .*notes\.txt is a file, not a folder/],
  },
  {
    what: 'an unknown flag',
    args: trainOn('ct', 'labels', '--epoch', '3'),
    code: 2,
    says: [/unknown option '--epoch'/, /Did you mean --epochs\?/],
  },
  {
    what: 'a model file that is not ours',
    args: ['predict', '--model', 'notes.txt', 'ct/a.nii.gz', '--out', 'mask.nii.gz'],
    code: 3,
    says: [/notes\.txt/],
  },
  {
    what: 'a folder that does not exist',
    args: trainOn('nowhere', 'labels'),
    code: 3,
    says: [/nowhere: cannot list this folder/],
  },
  {
    what: 'an output that exists',
    args: ['predict', '--model', 'm.onnx', 'ct/a.nii.gz', '--out', 'labels/a.nii.gz'],
    code: 5,
    says: [/labels\/a\.nii\.gz exists; choose another name, or use --force to replace it/],
  },
  {
    what: 'an unknown profile',
    args: ['train', '--profile', 'fast', '--images', 'ct', '--labels', 'labels', '--out', 'run'],
    code: 2,
    says: [/argument 'fast' is invalid/, /paper, mueller, ma, quick/],
  },
  {
    what: 'a key the configuration does not have',
    args: ['train', '--config', 'wrong-key.yaml', '--out', 'run'],
    code: 4,
    says: [/wrong-key\.yaml: train\.epocs: unknown key; did you mean epochs\?/],
  },
  {
    what: 'text that is not YAML',
    args: ['train', '--config', 'broken.yaml', '--out', 'run'],
    code: 4,
    says: [/broken\.yaml: not valid YAML: .*line 3/],
  },
  {
    what: 'an image without labels',
    args: trainOn('ct', 'truncated'),
    code: 3,
    says: [/no label in .*truncated for b\.nii\.gz/],
  },
  {
    what: 'a number that is none',
    args: trainOn('ct', 'labels', '--epochs', 'many'),
    code: 2,
    says: [/--epochs.*'many' is invalid.*whole number/],
  },
  {
    what: 'a run folder that is none, with --force',
    args: ['train', '--profile', 'quick', '--images', 'ct', '--labels', 'labels', '--out', 'labels', '--force'],
    code: 5,
    says: [/labels is not a run folder, and only run folders are cleared; choose a new folder/],
  },
  {
    what: 'nothing to resume',
    args: ['train', '--resume', '--out', 'labels'],
    code: 5,
    says: [/labels: nothing to resume/],
  },
  {
    what: 'a prediction without truth',
    args: ['evaluate', '--truth', 'labels', '--prediction', 'extra', '--out', 'evaluation'],
    code: 3,
    says: [/labels: no truth for c;/],
  },
  {
    what: 'an experiment with a key that no system has',
    args: ['compare', '--experiment', 'wrong-system.yaml', '--out', 'run'],
    code: 4,
    says: [/wrong-system\.yaml: b: .*network\.rootFiltres: unknown key; did you mean rootFilters\?/],
  },
  {
    what: 'an experiment that borrows weights of no system',
    args: ['compare', '--experiment', 'no-lender.yaml', '--out', 'run'],
    code: 4,
    says: [/no-lender\.yaml: systems\[1\]\.weightsOf: b: no system 'z' stands before it; there are: a/],
  },
  {
    what: 'more folds than patients',
    args: ['compare', '--experiment', 'many-folds.yaml', '--out', 'run'],
    code: 3,
    says: [/5 folds needs at least 5 patients, the dataset has 2/],
  },
  {
    what: 'a comparison to go on with that is none',
    args: ['compare', '--out', 'labels'],
    code: 5,
    says: [/labels is not empty and holds no experiment\.yaml/],
  },
  {
    what: 'a new comparison without an experiment',
    args: ['compare', '--out', 'run'],
    code: 2,
    says: [/run holds no experiment to go on with, or use --experiment to give one/],
  },
  {
    what: 'a cross-validation of one fold',
    args: ['cross-validate', '--profile', 'quick', '--folds', '1', '--out', 'run'],
    code: 2,
    says: [/--folds <n>' argument '1' is invalid\. Expected a whole number of at least 2/],
  },
];

describe('bad inputs', () => {
  let folder = '';
  let before: string[] = [];

  beforeAll(async () => {
    const root = await mkdtemp(join(tmpdir(), 'quickcolumn-cli-'));
    folder = join(root, 'work');
    for (const name of ['ct', 'labels', 'truncated', 'nan', 'other-grid', 'undeclared', 'extra']) {
      await mkdir(join(folder, name), { recursive: true });
    }
    for (const name of ['a', 'b']) {
      await writeScan(join(folder, 'ct', `${name}.nii.gz`));
      await writeLabels(join(folder, 'labels', `${name}.nii.gz`), 3);
      await writeLabels(join(folder, 'other-grid', `${name}.nii.gz`), 3, [24, 20, 12]);
      await writeLabels(join(folder, 'undeclared', `${name}.nii.gz`), 9);
    }
    await writeLabels(join(folder, 'extra', 'c.nii.gz'), 3);
    const whole = await readFile(join(folder, 'ct', 'a.nii.gz'));
    await writeFile(join(folder, 'truncated', 'a.nii.gz'), whole.subarray(0, Math.floor(whole.length / 2)));
    await writeScan(join(folder, 'nan', 'a.nii'));
    const scan = await readFile(join(folder, 'nan', 'a.nii'));
    // srow_x[0] of NIfTI-1.
    scan.writeFloatLE(Number.NaN, 280);
    await writeFile(join(folder, 'nan', 'a.nii'), scan);
    await writeFile(join(folder, 'notes.txt'), 'not a model');
    await writeModel(join(folder, 'm.onnx'));
    await writeFile(join(folder, 'wrong-key.yaml'), 'profile: quick\ntrain:\n  epocs: 3\n');
    await writeFile(join(folder, 'broken.yaml'), 'profile: quick\ntrain: [1, 2\n');
    const experiment = (folds: number, b: string): string =>
      `title: two\nfolds: ${folds}\nseed: 1\nbase: { profile: quick, data: { images: ct, labels: labels } }\n` +
      `systems:\n  - { id: a }\n  - { id: b, ${b} }\n`;
    await writeFile(join(folder, 'wrong-system.yaml'), experiment(2, 'network: { rootFiltres: 8 }'));
    await writeFile(join(folder, 'no-lender.yaml'), experiment(2, 'weightsOf: z'));
    await writeFile(join(folder, 'many-folds.yaml'), experiment(5, 'seed: 1').replace(', seed: 1 }', ' }'));
    before = await filesIn(folder);
  });

  afterAll(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it.each(badInputs)('$what: exit code $code', async ({ args, code, says }) => {
    const content = await readFile(join(folder, 'labels', 'a.nii.gz'));
    const outcome = await quickcolumn(folder, ...args);
    for (const text of says) expect(outcome.stderr).toMatch(text);
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toBe('');
    expect(outcome.stderr).not.toMatch(/\n {4}at /);
    expect(await filesIn(folder)).toEqual(before);
    expect(existsSync(join(folder, 'run'))).toBe(false);
    expect(await readFile(join(folder, 'labels', 'a.nii.gz'))).toEqual(content);
  });

  it('shows the stack with --debug', async () => {
    const outcome = await quickcolumn(folder, 'prepare', '--images', 'truncated', '--debug');
    expect(outcome.code).toBe(3);
    expect(outcome.stderr).toMatch(/\n {4}at /);
  });
});
