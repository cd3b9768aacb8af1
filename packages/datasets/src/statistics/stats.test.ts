import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ListedCase } from '@quickcolumn/cases';
import { paperPreparation } from '@quickcolumn/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putLabels, putScan } from '../datasets.test.helpers.js';
import { datasetStats, statsPage, statsRows, suggestPatch, summaryOf } from '../index.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-stats-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const matrix = (x: number, y: number, z: number): number[] => [-x, 0, 0, 0, 0, -y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1];

async function putCase(name: string, spacing: number, low: number, high: number): Promise<ListedCase> {
  const affine = matrix(spacing, spacing, 2 * spacing);
  return {
    name,
    imagePath: await putScan(join(root, 'ct', `${name}.nii`), name.length, { low, high, affine }),
    labelPath: await putLabels(join(root, 'labels', `${name}.nii`), [1, 2, 3], { affine }),
    patient: 'p',
    split: 'train',
  };
}

describe('datasetStats', () => {
  it('leaves what is ignored, and what no class declares, out of the intensities', async () => {
    const entry = await putCase('a', 2, -1000, 200);
    await putLabels(entry.labelPath ?? '', [1, 2, 9, 8], { affine: matrix(2, 2, 4) });
    const { histograms, cases } = await datasetStats([entry], { ...paperPreparation, ignoreLabel: 9 });
    const total = (bins: readonly number[]): number => bins.reduce((sum, count) => sum + count, 0);
    expect(histograms[0].counts.map(total)).toEqual([560, 100, 100, 0]);
    expect(cases[0].volumeMl).toEqual([560, 100, 100, 0].map((voxels) => (voxels * 16) / 1000));
  });

  it('counts a value as what it is mapped to', async () => {
    const entry = await putCase('a', 2, -1000, 200);
    await putLabels(entry.labelPath ?? '', [1, 2, 9, 8], { affine: matrix(2, 2, 4) });
    const labels = { 9: 'infection', 8: 'infection', 2: 'left lung', 3: 'right lung' };
    const { cases } = await datasetStats([entry], { ...paperPreparation, labels });
    expect(cases[0].volumeMl).toEqual([560, 200, 0, 200].map((voxels) => (voxels * 16) / 1000));
  });

  it('measures shapes, volumes and intensities', async () => {
    const cases = [
      await putCase('a', 2, -1000, 200),
      await putCase('bb', 3, 0, 255),
      { ...(await putCase('ccc', 4, -1000, 100)), labelPath: undefined, split: 'test' } as unknown as ListedCase,
    ];
    const stats = await datasetStats(cases, paperPreparation);
    expect(stats.medianShape).toEqual([12, 10, 8]);
    expect(stats.medianSpacingMm).toEqual([3, 3, 6]);
    // floor(size · spacing / 1.58 or 2.7) of each case: 15×12×11, 22×18×17, 30×25×23.
    expect(stats.cases.map((entry) => entry.preparedSize)).toEqual([
      [15, 12, 11],
      [22, 18, 17],
      [30, 25, 23],
    ]);
    expect(stats.medianShapeAfter).toEqual([22, 18, 17]);
    expect(stats.suggestedPatch).toEqual([32, 32, 32]);
    expect(stats.cases[0].volumeMl).toEqual([660, 100, 100, 100].map((voxels) => (voxels * 16) / 1000));
    expect(stats.cases[2].volumeMl).toBeUndefined();
    const [hu, windowed] = stats.histograms;
    expect([hu.scale, hu.low, hu.high, windowed.scale, windowed.high]).toEqual(['hu', -1250, 250, '0-255', 255]);
    const total = (bins: readonly number[]): number => bins.reduce((sum, count) => sum + count, 0);
    expect(hu.counts.map(total)).toEqual([660 + 960, 100, 100, 100]);
    expect(windowed.counts.map(total)).toEqual([660, 100, 100, 100]);
    // Nothing lies below −1000 HU: the first ten bins of 25 HU are empty.
    expect(total(hu.counts[0].slice(0, 10))).toBe(0);

    expect(statsRows(stats)[1]).toEqual([
      'a',
      'train',
      'hu',
      '12×10×8',
      '2.00×2.00×4.00',
      '15×12×11',
      '1.6',
      '1.6',
      '1.6',
    ]);
    expect(Object.fromEntries(summaryOf(stats))).toMatchObject({
      cases: '3 of 1 patients, 2 in HU, 1 in 0-255',
      'median shape after resampling': '22×18×17 at 1.58×1.58×2.70 mm',
    });
    const page = statsPage(stats, paperPreparation.classes, 'A & B');
    expect(page).toContain('<title>A &amp; B</title>');
    expect(page.match(/<svg /g)).toHaveLength(3);
  });

  it('refuses labels of another grid', async () => {
    const entry = await putCase('a', 2, -1000, 200);
    await putLabels(entry.labelPath ?? '', [1], { affine: matrix(2, 2, 5) });
    await expect(datasetStats([entry], paperPreparation)).rejects.toMatchObject({ code: 'grid-mismatch' });
  });
});

describe('suggestPatch', () => {
  it.each([
    [[267, 254, 104], undefined, [176, 176, 64]],
    [[20, 20, 20], undefined, [32, 32, 32]],
    [[500, 500, 500], 16 ** 3, [16, 16, 16]],
    [[500, 500, 500], 1, [16, 16, 16]],
    [[16, 16, 1000], 16 * 16 * 100, [16, 16, 96]],
  ] as const)('%j within %s voxels: %j', (shape, voxels, wanted) => {
    expect(suggestPatch(shape, voxels)).toEqual(wanted);
  });
});
