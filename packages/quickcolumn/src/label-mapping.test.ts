/** Labels that are mapped in the configuration, from checking a dataset to evaluating masks with `evaluate --config`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabels, writeVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quickcolumn } from './command.test.helpers.js';

/** Both lungs are one class, and the lesions have another value than in the files. */
const mapped = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation:
  spacingMm: [10, 10, 10]
  classes:
    - { value: 0, name: background, color: [0, 0, 0] }
    - { value: 1, name: lung, color: [0, 0, 255] }
    - { value: 2, name: infection, color: [255, 0, 0], role: lesion }
  labels: { 1: lung, 2: lung, 3: infection }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

let folder = '';
const run = (...args: string[]): ReturnType<typeof quickcolumn> => quickcolumn(folder, ...args);
const words = (text: string): string[] => text.split(' ');

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-labels-')), 'work');
  await mkdir(folder);
  await writePhantomCases(join(folder, 'data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(join(folder, 'mapped.yaml'), mapped);
  await writeFile(join(folder, 'plain.yaml'), mapped.replace(/^ {2}labels:.*\n/m, ''));
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

describe('labels mapped in the configuration', () => {
  it('are checked, measured and prepared as their classes; without the mapping they are refused', async () => {
    const check = await run(...words('dataset check --config mapped.yaml'));
    expect(check.stdout).toContain('4 cases: 0 errors');
    const refused = await run(...words('dataset check --config plain.yaml'));
    expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining('label values 3 (') });
    const classes = await run(...words('dataset check --config mapped.yaml --classes covid'));
    expect(classes).toMatchObject({ code: 2, stderr: expect.stringContaining("no class is named 'lung'") });
    const stats = await run(...words('dataset stats --config mapped.yaml --out stats'));
    expect(stats.code).toBe(0);
    const prepared = await run(...words('prepare --config mapped.yaml'));
    expect(prepared.stdout).toMatch(/background +lung +infection/);
    const [row] = prepared.stdout.split('\n').filter((line) => line.includes('phantom_0001'));
    const shares = [...row.matchAll(/([\d.]+) %/g)].map(([, share]) => Number(share));
    expect(shares).toHaveLength(3);
    expect(shares[1]).toBeGreaterThan(5);
    expect(shares[2]).toBeGreaterThan(0);
  });

  it('train a model that says and draws the classes, and are mapped for evaluate --config', async () => {
    const trained = await run(...words('train --config mapped.yaml --out run'));
    expect(trained).toMatchObject({ code: 0 });
    const predicted = await run(...words('predict --model run data/ct --out masks'));
    expect(predicted.code).toBe(0);
    const sidecar = JSON.parse(await readFile(join(folder, 'masks', 'phantom_0001.json'), 'utf8')) as {
      readonly classes: readonly { readonly value: number; readonly name: string }[];
    };
    expect(sidecar.classes.map(({ value, name }) => [value, name])).toEqual([
      [0, 'background'],
      [1, 'lung'],
      [2, 'infection'],
    ]);
    const mask = await readLabels(join(folder, 'masks', 'phantom_0001.nii.gz'));
    expect(Math.max(...mask.voxels)).toBeLessThanOrEqual(2);

    // A perfect mask in the classes' own values.
    await mkdir(join(folder, 'perfect'));
    const truth = await readLabels(join(folder, 'data', 'labels', 'phantom_0001.nii.gz'));
    const voxels = truth.voxels.map((value) => [0, 1, 1, 2][value]);
    await writeVolume(join(folder, 'perfect', 'phantom_0001.nii.gz'), { ...truth, voxels });
    const evaluate = words('evaluate --truth data/labels --prediction perfect --images data/ct');
    const right = await run(...evaluate, ...words('--config run/config.yaml --out right'));
    expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('lung') });
    const { cases } = JSON.parse(await readFile(join(folder, 'right', 'metrics.json'), 'utf8')) as {
      readonly cases: readonly {
        readonly classes: readonly { readonly name: string; readonly metrics: { readonly dice: number } }[];
      }[];
    };
    expect(cases[0].classes.map(({ name, metrics }) => [name, metrics.dice])).toEqual([
      ['lung', 1],
      ['infection', 1],
    ]);
    // Without it the values mean something else.
    const wrong = await run(...evaluate, ...words('--out wrong'));
    expect(wrong.stdout).toContain('right lung');
    expect(wrong.stdout).not.toBe(right.stdout);
  });

  it('evaluate --config takes the label to ignore, and refuses what contradicts it', async () => {
    const evaluate = words('evaluate --truth data/labels --prediction perfect --out evaluation --force');
    const yaml = mapped.replace('3: infection }', '3: infection }\n  ignoreLabel: 9');
    await writeFile(join(folder, 'ignoring.yaml'), yaml);
    expect(await run(...evaluate, '--config', 'ignoring.yaml')).toMatchObject({ code: 0 });
    const metrics = await readFile(join(folder, 'evaluation', 'metrics.json'), 'utf8');
    expect(JSON.parse(metrics)).toMatchObject({ cases: [{ ignoredVoxels: 0 }] });
    const both = await run(...evaluate, ...words('--config mapped.yaml --classes covid'));
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot be used with option '--config") });
    const ignored = await run(...evaluate, ...words('--config mapped.yaml --ignore-label 3'));
    expect(ignored).toMatchObject({ code: 2, stderr: expect.stringContaining('is the label to ignore') });
    // Masks say by their sidecars what they are.
    const covid = mapped.replace(/ {2}classes:[\s\S]* {2}labels:.*\n/, '');
    await writeFile(join(folder, 'covid.yaml'), covid);
    const others = await run(
      ...words('evaluate --truth data/labels --prediction masks --out others --config covid.yaml'),
    );
    expect(others).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("1 is 'lung' in their sidecars, 'left lung' (left-lung) in the configuration"),
    });
    const missing = await run(...evaluate, ...words('--config none.yaml'));
    expect(missing).toMatchObject({ code: 3, stderr: expect.stringContaining('none.yaml: cannot read') });
  });

  it('are refused where masks of a model are trained on and would be mapped again', async () => {
    await writeFile(
      join(folder, 'list.csv'),
      'image,label\ndata/ct/phantom_0001.nii.gz,data/labels/phantom_0001.nii.gz\n',
    );
    for (const command of ['rounds start', 'semi-supervised']) {
      const { code, stderr } = await run(
        ...words(`${command} --config mapped.yaml --list list.csv --out new-${command[0]}`),
      );
      expect(stderr).toContain('preparation.labels cannot be used where a model');
      expect(code).toBe(2);
    }
    const pseudo = await run(...words('pseudo-label --model run --images data/ct --out set'));
    expect(pseudo.stderr).toContain('it maps values that classes have themselves');
    expect(pseudo.code).toBe(2);
  });
});
