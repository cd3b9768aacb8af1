/** `quickcolumn dataset` and training from a list, with phantoms in nnU-Net's layout: file names are not case names there. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabels, readVolume, writeVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, quickcolumn } from './command.test.helpers.js';

let folder = '';
beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-cli-')), 'work');
  await mkdir(join(folder, 'source', 'imagesTr'), { recursive: true });
  await mkdir(join(folder, 'source', 'labelsTr'));
  const cases = await writePhantomCases(join(folder, 'phantoms'), 4, 11, { size: [40, 36, 24], spacingMm: [9, 9, 12] });
  for (const { name, imagePath, labelPath } of cases) {
    await rename(imagePath, join(folder, 'source', 'imagesTr', `${name}_0000.nii.gz`));
    await rename(labelPath, join(folder, 'source', 'labelsTr', `${name}.nii.gz`));
  }
  const labels = { background: 0, 'left lung': 1, 'right lung': 2, infection: 3 };
  const description = { channel_names: { 0: 'CT' }, labels, numTraining: 4, file_ending: '.nii.gz' };
  await writeFile(join(folder, 'source', 'dataset.json'), JSON.stringify(description));
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

describe('quickcolumn dataset', () => {
  it('imports, checks, measures, and what it wrote can be trained on', async () => {
    const imported = await quickcolumn(folder, 'dataset', 'import', 'source', '--out', 'set', '--profile', 'quick');
    expect(imported.code).toBe(0);
    expect(imported.stdout.trim()).toBe(join('set', 'config.yaml'));
    expect(imported.stderr).toMatch(/4 cases to train on, 0 to test, 4 patients/);
    expect(await filesIn(join(folder, 'set'))).toEqual(['cases.csv', 'config.yaml']);
    expect((await quickcolumn(folder, 'dataset', 'import', 'source', '--out', 'set')).code).toBe(5);

    const check = await quickcolumn(folder, 'dataset', 'check', '--config', 'set/config.yaml', '--out', 'check');
    expect(check.code).toBe(0);
    expect(check.stdout).toMatch(/phantom_0001 +phantom_0001 +train +40×36×24 .* hu .* same/);
    expect(check.stdout).toMatch(/4 cases: 0 errors/);
    expect(await filesIn(join(folder, 'check'))).toEqual(['check.json', 'thumbnails.png']);

    const stats = await quickcolumn(folder, 'dataset', 'stats', '--list', 'set/cases.csv', '--out', 'stats');
    expect(stats.code).toBe(0);
    expect(stats.stdout).toMatch(/median shape: 40×36×24 at 9\.00×9\.00×12\.00 mm/);
    expect(stats.stdout).toMatch(/suggested patch: /);
    expect(await filesIn(join(folder, 'stats'))).toEqual(['stats.html', 'stats.json']);

    const prepared = await quickcolumn(folder, 'prepare', '--config', 'set/config.yaml');
    expect(prepared.code).toBe(0);
    expect(prepared.stdout).toMatch(/phantom_0004 +40×36×24/);

    const tiny = ['--epochs', '1', '--steps-per-epoch', '1', '--patch', '32,32,16', '--root-filters', '1'];
    const trained = await quickcolumn(folder, 'train', '--config', 'set/config.yaml', '--out', 'run', ...tiny);
    expect(trained.stderr).toMatch(/3 cases to train on, 1 to validate: phantom_000\d/);
    expect(trained.code).toBe(0);
    expect(await readFile(join(folder, 'run', 'report.html'), 'utf8')).toMatch(/phantom_000\d, slice/);
    expect(await readFile(join(folder, 'run', 'config.yaml'), 'utf8')).toContain(join(folder, 'set', 'cases.csv'));
  });

  it('repairs harmless geometry, and fails for the rest', async () => {
    const path = join(folder, 'source', 'labelsTr', 'phantom_0002.nii.gz');
    const { properties: _properties, ...labels } = await readLabels(path);
    const moved = (mm: number): number[] => labels.affine.map((value, at) => (at === 3 ? value + mm : value));
    await quickcolumn(folder, 'dataset', 'import', 'source', '--out', 'set2', '--copy');
    const copied = join(folder, 'set2', 'labels', 'phantom_0002.nii.gz');
    await writeVolume(copied, { ...labels, affine: moved(0.5) }, { force: true });
    const args = ['dataset', 'check', '--config', 'set2/config.yaml'];
    const bad = await quickcolumn(folder, ...args);
    expect(bad.code).toBe(3);
    expect(bad.stdout).toMatch(
      /error \(grid\): phantom_0002: .*origin by \(0\.5000, 0\.0000, 0\.0000\) mm.*it can be repaired/,
    );
    const fixed = await quickcolumn(folder, ...args, '--fix', '--out', 'fixed');
    expect(fixed.code).toBe(0);
    expect((await readLabels(copied)).affine).not.toEqual(labels.affine);
    const again = await quickcolumn(folder, 'dataset', 'check', '--list', 'fixed/cases.csv');
    expect(again.code).toBe(0);
    const image = await readVolume(join(folder, 'set2', 'ct', 'phantom_0002.nii.gz'));
    expect((await readLabels(join(folder, 'fixed', 'labels', 'phantom_0002.nii.gz'))).affine).toEqual(image.affine);

    await writeVolume(copied, { ...labels, affine: moved(50) }, { force: true });
    expect((await quickcolumn(folder, ...args, '--fix', '--out', 'fixed', '--force')).code).toBe(3);
  });

  it('ignores the label that --config or --ignore-label says', async () => {
    await mkdir(join(folder, 'partly'));
    for (let n = 1; n <= 4; n++) {
      const name = `phantom_000${n}.nii.gz`;
      const { properties: _properties, ...labels } = await readLabels(join(folder, 'source', 'labelsTr', name));
      const voxels = labels.voxels.map((value, i) => (i < labels.voxels.length / 2 ? value : 9));
      await writeVolume(join(folder, 'partly', name), { ...labels, voxels });
    }
    const rows = [1, 2, 3, 4].map((n) => `source/imagesTr/phantom_000${n}_0000.nii.gz,partly/phantom_000${n}.nii.gz`);
    await writeFile(join(folder, 'partly.csv'), ['image,label', ...rows, ''].join('\n'));
    await writeFile(
      join(folder, 'partly.yaml'),
      'profile: quick\ndata: { list: partly.csv }\npreparation: { ignoreLabel: 9 }\n',
    );
    const check = async (...args: string[]): ReturnType<typeof quickcolumn> =>
      await quickcolumn(folder, 'dataset', 'check', ...args);
    expect((await check('--list', 'partly.csv')).stdout).toContain('label values 9 (');
    expect(await check('--list', 'partly.csv', '--ignore-label', '9')).toMatchObject({ code: 0 });
    expect(await check('--config', 'partly.yaml')).toMatchObject({ code: 0 });
    const taken = await check('--list', 'partly.csv', '--ignore-label', '3');
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining("3, is that of the class 'infection'") });
    const stats = ['dataset', 'stats', '--list', 'partly.csv', '--ignore-label', '9', '--out', 'partly-stats'];
    expect(await quickcolumn(folder, ...stats)).toMatchObject({ code: 0 });
    const { histograms } = JSON.parse(await readFile(join(folder, 'partly-stats', 'stats.json'), 'utf8')) as {
      readonly histograms: readonly { readonly counts: readonly (readonly number[])[] }[];
    };
    const counted = histograms.flatMap(({ counts }) => counts.flat()).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe((4 * 40 * 36 * 24) / 2);
  });

  it('a list whose files are not all there is not imported', async () => {
    await writeFile(join(folder, 'gone.csv'), 'image,label\nsource/imagesTr/gone.nii.gz,partly/gone.nii.gz\n');
    const { code, stderr } = await quickcolumn(folder, 'dataset', 'import', 'gone.csv', '--out', 'gone');
    expect(code).toBe(3);
    expect(stderr).toContain('gone.csv: 2 of its files are not there: ');
  });

  it.each([
    [['dataset', 'check'], 2, /give a dataset: --config, --list, or --images and --labels/],
    [['dataset', 'check', '--list', 'none.csv'], 3, /none\.csv: cannot read this list/],
    [['dataset', 'check', '--list', 'set/cases.csv', '--fix'], 3, /--fix needs --out/],
    [['prepare', '--profile', 'quick'], 2, /--images is needed where there is no --config and no --list/],
    [['dataset', 'import', 'phantoms', '--out', 'x'], 3, /not a layout that is known/],
    [['dataset', 'stats', '--list', 'a.csv', '--images', 'b'], 2, /--list replaces --images and --labels/],
    [['train', '--list', 'none.csv', '--profile', 'quick', '--out', 'x'], 3, /none\.csv: cannot read this list/],
  ])('%j ends with %i', async (args, code, says) => {
    const outcome = await quickcolumn(folder, ...args);
    expect(outcome.stderr).toMatch(says);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).not.toMatch(/\n {4}at /);
  });
});
