import type { Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { chest } from './chest.test.helpers.js';
import { defects } from './defects.js';
import { finiteDefects, scanDefects } from './scan-defects.js';

const whole = chest();
const changed = (map: (hu: number, at: number) => number): Volume => ({ ...whole, voxels: whole.voxels.map(map) });
const kinds = (scan: Volume): string[] => scanDefects(scan).map(({ kind }) => kind);
const windowed = (hu: number): number => Math.max(0, Math.min(255, Math.round(((hu + 1250) / 1500) * 255)));

describe('a scan that is none', () => {
  it('is told apart by its values', () => {
    expect(scanDefects({ ...whole, voxels: new Int16Array(whole.voxels.length) })).toEqual([
      { kind: 'constant', message: 'every voxel is 0: no image' },
    ]);
    expect(scanDefects(changed((hu, at) => (at < 2 ? Number.NaN : at === 2 ? Number.POSITIVE_INFINITY : hu)))).toEqual([
      {
        kind: 'not-finite',
        message: `3 of ${whole.voxels.length} voxels are not finite numbers; expected HU or 0–255 everywhere. Replace them, e.g. by −1000 (air)`,
      },
    ]);
    expect(finiteDefects(whole.voxels)).toEqual([]);
  });

  it.each([
    ['HU + 1024', (hu: number) => hu + 1044, /values from 24 to .* are neither HU nor 0–255 \(HU \+ 1024\?\)/],
    ['MR', (hu: number) => (hu < -200 ? 0 : hu + 800), /neither HU nor 0–255/],
    [
      'HU clipped to a soft-tissue window',
      (hu: number) => Math.max(-160, Math.min(240, hu)),
      /from -160 to 240 are neither/,
    ],
    ['0 to 1', (hu: number) => windowed(hu) / 255, /from 0\.15.* to 1: neither HU nor the whole range of 0–255/],
    ['a label map', (hu: number) => (hu < -500 ? 1 : 0), /from 0 to 1: neither/],
    ['huge numbers', (hu: number) => hu * 1e300, /no CT has these/],
    ['1e300 in one voxel', (hu: number, at: number) => (at === 5 ? 1e300 : hu), /to 1e\+300: no CT has these/],
    ['−1e5 in one voxel', (hu: number, at: number) => (at === 5 ? -1e5 : hu), /from -100000 to .*no CT has these/],
  ])('%s', (_what, map, message) => {
    const voxels = Float64Array.from(whole.voxels, map);
    const [defect, ...more] = scanDefects({ ...whole, voxels });
    expect(more.map(({ kind }) => defects[kind].outcome)).not.toContain('refused');
    expect(defect.kind).toBe('value-range');
    expect(defect.message).toMatch(message);
  });

  it('good ones have no defect: HU, 0–255, padded, of every kind of numbers', () => {
    expect(scanDefects(whole)).toEqual([]);
    expect(scanDefects(changed(windowed))).toEqual([]);
    expect(scanDefects({ ...whole, voxels: Uint8Array.from(whole.voxels, windowed) })).toEqual([]);
    expect(scanDefects({ ...whole, voxels: Int16Array.from(whole.voxels) })).toEqual([]);
    // A quarter of the voxels are outside the field of view.
    expect(scanDefects(changed((hu, at) => (at % 4 === 0 ? -3024 : hu)))).toEqual([]);
    expect(scanDefects(changed((hu, at) => (at % 5000 === 0 ? 30_000 : hu)))).toEqual([]);
  });
});

describe('a wrong rescale is seen', () => {
  it.each([
    ['intercept of −1024 twice', (hu: number) => hu - 1024],
    ['intercept forgotten, with padding', (hu: number, at: number) => (at % 4 === 0 ? -2000 : hu + 1024)],
    ['slope of 2', (hu: number) => (hu + 1024) * 2 - 1024],
    ['slope of 1/2', (hu: number) => (hu + 1024) / 2 - 1024],
    ['twice the values', (hu: number) => hu * 2],
    ['half the values', (hu: number) => hu / 2],
    ['the sign turned', (hu: number) => -hu],
  ])('%s', (_what, map) => {
    const [defect, ...more] = scanDefects(changed(map));
    expect(more.map(({ kind }) => defects[kind].outcome)).not.toContain('refused');
    expect(defect.kind).toBe('calibration');
    expect(defect.message).toMatch(/no HU of a chest, or a wrong rescale slope or intercept$/);
  });

  it('but not in a small part of a chest, which may be all lung or all muscle', () => {
    let noise = 1;
    const next = (): number => (noise = (noise * 16_807) % 2_147_483_647);
    const voxels = Int16Array.from({ length: 32 * 32 * 16 }, () => -850 + (next() % 50));
    expect(scanDefects({ voxels, size: [32, 32, 16], affine: whole.affine })).toEqual([]);
  });
});

describe('one defect does not hide another, since it may be accepted', () => {
  const [columns, rows] = whole.size;
  const plane = columns * rows;
  /** One slice is shifted by half a row. */
  const broken = (map: (hu: number) => number): Volume => {
    const voxels = whole.voxels.map(map);
    voxels.copyWithin(30 * plane + columns / 2, 30 * plane, 31 * plane - columns / 2);
    return { ...whole, voxels };
  };

  it.each<[string, string, (hu: number) => number]>([
    ['the scale', 'value-range', (hu) => hu + 1044],
    ['the calibration', 'calibration', (hu) => 2 * hu],
  ])('%s is wrong and a slice is', (_what, kind, map) => {
    expect(kinds(broken(map))).toEqual([kind, 'discontinuity']);
  });

  it('the spacing is wrong and the scale is', () => {
    const [dx, dy, dz] = [-0.0007, -0.0007, 0.0025];
    const affine = [dx, 0, 0, 0, 0, dy, 0, 0, 0, 0, dz, 0, 0, 0, 0, 1];
    expect(kinds({ ...changed((hu) => hu + 1044), affine })).toEqual(['extent', 'value-range']);
  });
});

describe('a size that no chest has', () => {
  const sized = (size: Volume['size'], mm: readonly number[]): Volume => ({
    voxels: Int16Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => (at % 2 === 0 ? -1000 : 40)),
    size,
    affine: [-mm[0], 0, 0, 0, 0, -mm[1], 0, 0, 0, 0, mm[2], 0, 0, 0, 0, 1],
  });

  it.each([
    [[1, 1, 1], [1, 1, 1], /1×1×1 voxels: too few/],
    [[100, 1, 2], [1, 1, 1], /too few to show a chest/],
    [[64, 64, 32], [0.0007, 0.0007, 0.001], /voxels of 0\.0007×0\.0007×0\.001 mm; expected 0\.05 to 25 mm/],
    [[64, 64, 32], [700, 700, 1000], /expected 0\.05 to 25 mm along each axis/],
    [[256, 256, 40], [0.07, 0.07, 0.2], /make 17\.92×17\.92×8 mm, smaller than any chest/],
    [[256, 256, 40], [7, 7, 20], /make 1792×1792×800 mm, larger than any patient/],
    [[40, 40, 300], [0.7, 0.7, 10], /larger than any patient/],
  ] as const)('%j voxels of %j mm', (size, mm, message) => {
    const found = scanDefects(sized([...size], mm));
    expect(found[0].kind).toBe('extent');
    expect(found[0].message).toMatch(message);
  });

  it.each([
    [
      [256, 256, 1],
      [1.4, 1.4, 5],
    ],
    [
      [24, 24, 12],
      [2, 2, 4],
    ],
    [
      [256, 256, 30],
      [0.5, 0.5, 0.4],
    ],
    [
      [400, 400, 20],
      [0.3, 0.3, 10],
    ],
    [
      [64, 64, 200],
      [7, 7, 7],
    ],
  ] as const)('%j voxels of %j mm pass', (size, mm) => {
    expect(kinds(sized([...size], mm))).not.toContain('extent');
  });
});
