/** Volumes, counts and mean HU by hand, in the case, the CSV and the report. */
import { measureMask } from '@quickcolumn/measure';
import { GridMismatchError, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { labelMap, lungClasses } from '../label-maps.test.helpers.js';
import { evaluateCase } from './metrics.js';
import { buildReport } from '../report/report.js';
import { summarize } from '../statistics/summary.js';
import { toCsv } from '../report/table.js';

// 12 × 4 × 3 voxels of 1 × 2 × 5 mm = 10 mm³. Left lung x 0–3, right lung x 8–11. Infection: a bar of 8 voxels at
// x 4–7 with y 0–1 and z 0; one voxel that touches its end by a corner (x 8, y 2, z 1); one voxel alone (x 10, z 2).
const size = [12, 4, 3] as const;
const spacing = [1, 2, 5] as const;
const labelAt = (x: number, y: number, z: number): number => {
  if (x >= 4 && x < 8 && y < 2 && z === 0) return 3;
  if (x === 8 && y === 2 && z === 1) return 3;
  if (x === 10 && y === 3 && z === 2) return 3;
  return x < 4 ? 1 : x >= 8 ? 2 : 0;
};
const truth = labelMap(size, spacing, labelAt);
const prediction = labelMap(size, spacing, (x, y, z) => (x === 10 && labelAt(x, y, z) === 3 ? 2 : labelAt(x, y, z)));

/** Background −1000, left lung −800, right lung −700, infection 10·x − 400. */
const scan: Volume = {
  ...truth,
  voxels: Int16Array.from(truth.voxels, (label, i) => [-1000, -800, -700, 10 * (i % 12) - 400][label]),
};
// The bar: 2 voxels each at x 4, 5, 6, 7; then x 8 and x 10.
const barHu = 10 * ((2 * (4 + 5 + 6 + 7) + 8) / 9) - 400;
const allHu = 10 * ((2 * (4 + 5 + 6 + 7) + 8 + 10) / 10) - 400;

describe('clinical quantities of a case', () => {
  it('are the hand-computed ones, of truth and prediction', () => {
    const { clinical } = evaluateCase(truth, prediction, lungClasses, { image: scan });
    expect(clinical).toMatchObject({ lesion: 'infection', minimumLesionMl: 0.05, scale: 'hu' });
    // 9 voxels hang together by faces and a corner: 0.09 ml; the single one of 0.01 ml is volume, not a lesion.
    expect(clinical?.truth).toMatchObject({ lesionCount: 1, leftLungMeanHu: -800, rightLungMeanHu: -700 });
    expect(clinical?.truth.lesionMl).toBeCloseTo(0.1, 12);
    expect(clinical?.truth.lesionMeanHu).toBeCloseTo(allHu, 10);
    expect(clinical?.prediction.lesionCount).toBe(1);
    expect(clinical?.prediction.lesionMl).toBeCloseTo(0.09, 12);
    expect(clinical?.prediction.lesionMeanHu).toBeCloseTo(barHu, 10);
    // The voxel that the prediction calls right lung has 10·10 − 400 HU, beside 46 of −700.
    expect(clinical?.prediction.rightLungMeanHu).toBeCloseTo((46 * -700 - 300) / 47, 10);
  });

  it('count components from the minimum volume on, inclusive', () => {
    const countAt = (minimumLesionMl: number): number | undefined =>
      evaluateCase(truth, truth, lungClasses, { minimumLesionMl }).clinical?.truth.lesionCount;
    expect([0.001, 0.01, 0.0101, 0.09, 0.0901].map(countAt)).toEqual([2, 2, 1, 1, 0]);
  });

  it('have no HU without a scan, and none where it was windowed to 0–255', () => {
    const nothing = { lesionMeanHu: null, leftLungMeanHu: null, rightLungMeanHu: null };
    expect(evaluateCase(truth, prediction, lungClasses).clinical).toMatchObject({ scale: null, truth: nothing });
    const windowed = { ...scan, voxels: Uint8Array.from(scan.voxels, (hu) => (hu + 1250) / 6) };
    expect(evaluateCase(truth, prediction, lungClasses, { image: windowed }).clinical).toMatchObject({
      scale: '0-255',
      truth: nothing,
      prediction: nothing,
    });
  });

  it('say 0 lesions and no HU of an empty mask, and nothing without a lesion class', () => {
    const healthy = labelMap(size, spacing, (x) => (x < 4 ? 1 : x >= 8 ? 2 : 0));
    const { clinical } = evaluateCase(healthy, healthy, lungClasses, { image: scan });
    expect(clinical?.truth).toMatchObject({ lesionMl: 0, lesionCount: 0, lesionMeanHu: null, leftLungMeanHu: -800 });
    const lungsOnly = lungClasses.slice(0, 3);
    expect(evaluateCase(healthy, healthy, lungsOnly)).not.toHaveProperty('clinical');
  });

  it('leave out what nobody annotated, and refuse a scan on another grid', () => {
    const partly = { ...truth, voxels: truth.voxels.map((label, i) => (label === 3 && i % 12 < 6 ? 255 : label)) };
    const { clinical } = evaluateCase(partly, prediction, lungClasses, { image: scan, ignoreLabel: 255 });
    expect(clinical?.prediction.lesionMl).toBeCloseTo(0.05, 12);
    const other = { ...scan, affine: labelMap(size, [1, 2, 4], () => 0).affine };
    expect(() => evaluateCase(truth, prediction, lungClasses, { image: other })).toThrow(GridMismatchError);
  });

  it('stand in the CSV and in the report', () => {
    const cases = [evaluateCase(truth, prediction, lungClasses, { name: 'a', image: scan })];
    const rows = toCsv(cases)
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(',').slice(-4).join('|'));
    expect(rows).toEqual([
      'truthLesions|predictionLesions|truthMeanHu|predictionMeanHu',
      '||-800|-800',
      '||-700|-691.489362',
      `1|1|${Number(allHu.toFixed(6))}|${Number(barHu.toFixed(6))}`,
      '|||',
    ]);
    const page = buildReport({ title: 't', summary: summarize(cases, { draws: 5 }), cases });
    expect(page).toContain('<h2>Lesions</h2>');
    expect(page).toContain('of at least 0.05 ml');
    expect(page).toContain('<td>−800</td>');
  });
});

describe('a single mask', () => {
  it('gives the numbers that its evaluation gives', () => {
    const { clinical, involvement, classes } = evaluateCase(truth, prediction, lungClasses, { image: scan });
    const { quantities, volumes } = measureMask(prediction, lungClasses, { image: scan });
    expect(quantities).toMatchObject({ lesion: 'infection', ...clinical?.prediction });
    const { left, right, both } = involvement.prediction ?? {};
    expect(quantities?.infectedShare).toEqual({ left, right, both });
    expect(volumes.slice(1).map(({ volumeMl }) => volumeMl)).toEqual(
      classes.map(({ metrics }) => metrics.predictionVolumeMl),
    );
  });
});
