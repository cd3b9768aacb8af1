import type { Affine, Size3, Volume } from '@quickcolumn/volume';
import { axisCodes, covidClasses, GridMismatchError, msdClasses, spacingMm } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { paperPreparation, type PreparationConfig } from './config.js';
import { LabelValueError } from './errors.js';
import { preparedSize, prepareScan } from './prepare.js';
import { restoreProbabilities, restoreProbability } from './restore.js';

const config: PreparationConfig = { ...paperPreparation, spacingMm: [1, 1, 1], classes: msdClasses };

function lps(sx: number, sy: number, sz: number): Affine {
  return [-sx, 0, 0, 10, 0, -sy, 0, 20, 0, 0, sz, 30, 0, 0, 0, 1];
}

function scan(values: readonly number[], size: Size3, affine: Affine): Volume<Int16Array> {
  return { voxels: Int16Array.from(values), size, affine };
}

describe('prepareScan', () => {
  it('windows before resampling and z-scores after it (by hand)', () => {
    // x: 0.5 mm → 1 mm, two voxels become one, their mean. Clipped first: (0 + 255)/2 = 127.5 and 255.
    // Clipped last it would be (-3000 + 250)/2 = -1375 → 0; z-scored first, the mean and sd would be of 4 voxels.
    const image = scan([-3000, 250, 250, 250], [2, 2, 1], lps(0.5, 1, 1));
    const { image: prepared, size, mean, sd, airValue, scale, affine, undo } = prepareScan(image, config);
    expect(size).toEqual([1, 2, 1]);
    expect(mean).toBeCloseTo(191.25, 3);
    expect(sd).toBeCloseTo(63.75, 3);
    expect(prepared[0]).toBeCloseTo(-1, 4);
    expect(prepared[1]).toBeCloseTo(1, 4);
    expect(airValue).toBeCloseTo((42.5 - 191.25) / 63.75, 4);
    expect(scale).toBe('hu');
    // The new voxel sits in the middle of the two: x = 10 - 0.25.
    expect(affine[3]).toBeCloseTo(9.75, 9);
    expect(undo).toEqual({ originalSize: [2, 2, 1], originalAffine: image.affine, reorientedSize: [2, 2, 1] });
    expect(JSON.parse(JSON.stringify(undo))).toEqual(undo);
    expect([...image.voxels]).toEqual([-3000, 250, 250, 250]);
  });

  it('keeps the label to ignore where most of a voxel has it, and refuses it undeclared', () => {
    const image = scan(new Array<number>(8).fill(0), [8, 1, 1], lps(0.5, 1, 1));
    const labels = {
      voxels: Uint8Array.from([0, 0, 255, 255, 255, 255, 1, 1]),
      size: image.size,
      affine: image.affine,
    };
    const prepared = prepareScan(image, { ...config, ignoreLabel: 255 }, { labels });
    expect([...(prepared.labels ?? [])]).toEqual([0, 255, 255, 1]);
    expect(() => prepareScan(image, config, { labels })).toThrow(LabelValueError);
    expect(() => prepareScan(image, { ...config, ignoreLabel: 254 }, { labels })).toThrow(LabelValueError);
  });

  it('maps labels before it resamples them, so that merged classes have no seam', () => {
    const image = scan([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2], lps(0.5, 0.5, 0.5));
    // Eight voxels become one: three of them are 1, two 2 and three background. Most are lung, though no value has the most.
    const labels = { voxels: Uint8Array.of(1, 0, 2, 2, 7, 1, 0, 1), size: image.size, affine: image.affine };
    const before = [...labels.voxels];
    const lung = { ...config, classes: [msdClasses[0], { value: 5, name: 'lung', color: [0, 0, 0] as const }] };
    const mapped = { ...lung, labels: { 1: 'lung', 2: 'lung', 7: null } };
    expect([...(prepareScan(image, mapped, { labels }).labels ?? [])]).toEqual([5]);
    const fine = { ...mapped, spacingMm: [0.5, 0.5, 0.5] as const };
    expect([...(prepareScan(image, fine, { labels }).labels ?? [])]).toEqual([5, 0, 5, 5, 0, 5, 0, 5]);
    expect([...labels.voxels]).toEqual(before);
    expect(() => prepareScan(image, { ...mapped, labels: { 1: 'lung', 2: 'lung' } }, { labels })).toThrow(
      /value 7 \(1 voxels\), which no class declares; .* or map the value in preparation\.labels/,
    );
  });

  it('brings the axes to L-P-S before anything else', () => {
    // Stored S-R-A: i runs up, j to the right, k to the front.
    const affine: Affine = [0, 1, 0, -5, 0, 0, 1, 7, 1, 0, 0, 3, 0, 0, 0, 1];
    const image = scan([-1000, -900, -800, -700, -600, -500, -400, -300], [2, 2, 2], affine);
    const { image: prepared, size, affine: after, mean, sd } = prepareScan(image, config);
    expect(size).toEqual([2, 2, 2]);
    expect(axisCodes(after)).toBe('LPS');
    const back = Array.from(prepared, (z) => Math.round(((z * sd + mean) / 255) * 1500 - 1250));
    // L = 1 - j, P = 1 - k, S = i: first voxel is i 0, j 1, k 1.
    expect(back).toEqual([-400, -600, -800, -1000, -300, -500, -700, -900]);
  });

  it('gives 0-255 scans the same prepared values as the HU they came from', () => {
    const hu = [-1250, -1000, -800, -500, -100, 0, 40, 250];
    const window = hu.map((value) => ((value + 1250) / 1500) * 255);
    const affine = lps(0.9, 1.3, 0.7);
    const a = prepareScan(scan(hu, [2, 2, 2], affine), config);
    const b = prepareScan({ voxels: Float32Array.from(window), size: [2, 2, 2], affine }, config);
    expect([a.scale, b.scale]).toEqual(['hu', '0-255']);
    expect(b.size).toEqual(a.size);
    b.image.forEach((value, at) => expect(value).toBeCloseTo(a.image[at], 4));
  });

  it('floors the new size, at least 1, and forgives float32 spacings', () => {
    expect(preparedSize([512, 512, 301], [0.79, 0.79, 1.25], [1.58, 1.58, 2.7])).toEqual([256, 256, 139]);
    expect(preparedSize([256, 256, 2], [Math.fround(1.58), 1.5799999, 1], [1.58, 1.58, 2.7])).toEqual([256, 256, 1]);
    expect(preparedSize([100, 100, 1], [0.99, 1, 0.5], [1, 1, 2.7])).toEqual([99, 100, 1]);
  });

  it('resamples labels by class and keeps the configured spacing to within a voxel', () => {
    const size: Size3 = [4, 4, 4];
    const affine = lps(2, 2, 2);
    const labels = { voxels: new Uint8Array(64), size, affine };
    for (let at = 0; at < 64; at++) labels.voxels[at] = at % 4 >= 2 ? 1 : 0;
    const image = scan(
      Array.from(labels.voxels, (v) => -1000 + 1000 * v),
      size,
      affine,
    );
    const prepared = prepareScan(image, config, { labels });
    expect(prepared.size).toEqual([8, 8, 8]);
    expect(spacingMm(prepared.affine).map((mm) => Number(mm.toFixed(6)))).toEqual([1, 1, 1]);
    expect([...(prepared.labels?.subarray(0, 8) ?? [])]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    // No resampling must not hand out the caller's own array.
    const same = prepareScan(image, { ...config, spacingMm: [2, 2, 2] }, { labels });
    expect(same.labels).toEqual(labels.voxels);
    expect(same.labels).not.toBe(labels.voxels);
  });

  it('refuses labels on another grid, naming both and the difference', () => {
    const image = scan(new Array(8).fill(-1000), [2, 2, 2], lps(1, 1, 1));
    const shifted = { voxels: new Uint8Array(8), size: [2, 2, 2] as const, affine: lps(1, 1, 1.2) };
    const options = { labels: shifted, name: 'ct/a.nii.gz', labelName: 'labels/a.nii.gz' };
    expect(() => prepareScan(image, config, options)).toThrow(GridMismatchError);
    expect(() => prepareScan(image, config, options)).toThrow(
      /label map labels\/a\.nii\.gz does not lie on the grid of scan ct\/a\.nii\.gz: positions differ by up to 0\.2000 mm/,
    );
    const larger = { voxels: new Uint8Array(12), size: [2, 2, 3] as const, affine: lps(1, 1, 1) };
    expect(() => prepareScan(image, config, { labels: larger })).toThrow(/2×2×3 and 2×2×2/);
  });

  it('refuses undeclared label values, naming value and count', () => {
    const image = scan(new Array(8).fill(-1000), [2, 2, 2], lps(1, 1, 1));
    const labels = { ...image, voxels: Uint8Array.of(0, 1, 7, 7, 9, 0, 0, 0) };
    const act = (): unknown => prepareScan(image, config, { labels, labelName: 'l.nii' });
    expect(act).toThrow(LabelValueError);
    expect(act).toThrow('labels l.nii have value 7 (2 voxels), value 9 (1 voxels)');
    expect(act).toThrow('declared: 0 background, 1 tumour');
  });
});

describe('restoreProbabilities', () => {
  const undo = { originalSize: [2, 1, 1], originalAffine: lps(1, 1, 1), reorientedSize: [2, 1, 1] } as const;

  it('resamples probabilities, not labels, and gives the classes their values', () => {
    // Two prepared voxels onto four: 0.1 → 0.9 crosses one half between voxels 2 and 3, linear and clamped.
    const wide = { ...undo, originalSize: [4, 1, 1], reorientedSize: [4, 1, 1] } as const;
    const lung = Float32Array.of(0.1, 0.9);
    const classes = [covidClasses[0], covidClasses[3]];
    const channels = [lung.map((p) => 1 - p), lung];
    const restored = restoreProbabilities((c) => channels[c], classes, [2, 1, 1], wide);
    expect([...restored.voxels]).toEqual([0, 0, 3, 3]);
    const soft = channels.map((channel) =>
      Array.from(restoreProbability(channel, [2, 1, 1], wide).voxels, (p) => Number(p.toFixed(4))),
    );
    expect(soft).toEqual([
      [0.9, 0.7, 0.3, 0.1],
      [0.1, 0.3, 0.7, 0.9],
    ]);
    expect(restored.affine).toEqual(undo.originalAffine);
  });

  it('gives ties to the first class', () => {
    const half = Float32Array.of(0.5, 0.5);
    expect([...restoreProbabilities(() => half, msdClasses, [2, 1, 1], undo).voxels]).toEqual([0, 0]);
  });

  it('refuses NaN instead of calling it background', () => {
    const broken = Float32Array.of(0.5, Number.NaN);
    expect(() => restoreProbabilities(() => broken, msdClasses, [2, 1, 1], undo, { name: 'case_1' })).toThrow(
      'case_1: the probability of class background is NaN in 1 of 2 voxels',
    );
  });
});
