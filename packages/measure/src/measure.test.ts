/** Numbers by hand, the roles behind them, and the quick distances against the whole transform. */
import { type LabelClass, type Size3, type Vector3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { type Box, labelExtents } from './extents.js';
import { metricOf, placeMm } from './metric.js';
import { indexSurface, surfaceDistances, transformedDistances } from './nearest.js';
import { pointTree } from './point-tree.js';
import { measureMask } from './quantities.js';
import { rolesOf } from './roles.js';
import { type Surface, surfaceOf } from './surface.js';

const color = [0, 0, 0] as const;
const classes: readonly LabelClass[] = [
  { value: 0, name: 'Hintergrund', color },
  { value: 1, name: 'links', color, role: 'left-lung' },
  { value: 2, name: 'rechts', color, role: 'right-lung' },
  { value: 3, name: 'Infektion', color, role: 'lesion' },
];

function labelMap(size: Size3, spacing: Vector3, at: (x: number, y: number, z: number) => number): Volume<Uint8Array> {
  const [nx, ny, nz] = size;
  const voxels = Uint8Array.from({ length: nx * ny * nz }, (_, i) =>
    at(i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))),
  );
  return { voxels, size, affine: [spacing[0], 0, 0, 0, 0, spacing[1], 0, 0, 0, 0, spacing[2], 0, 0, 0, 0, 1] };
}

/** A gantry tilted by 20°, or so many mm to the front for each mm upwards: slices of these distances that slide over each other. */
const sheared = ([x, y, z]: Vector3, slope = Math.tan(Math.PI / 9)): number[] => [
  x,
  0,
  0,
  0,
  0,
  y,
  z * slope,
  0,
  0,
  0,
  z,
  0,
  0,
  0,
  0,
  1,
];

// 12 × 4 × 3 voxels of 1 × 2 × 5 mm = 10 mm³. Left lung x 0–3, right lung x 8–11. Infection: a bar of 8 voxels at
// x 4–7 with y 0–1 and z 0; one voxel that touches its end by a corner (x 8, y 2, z 1); one voxel alone (x 10, z 2).
const size = [12, 4, 3] as const;
const mask = labelMap(size, [1, 2, 5], (x, y, z) => {
  if (x >= 4 && x < 8 && y < 2 && z === 0) return 3;
  if ((x === 8 && y === 2 && z === 1) || (x === 10 && y === 3 && z === 2)) return 3;
  return x < 4 ? 1 : x >= 8 ? 2 : 0;
});
/** Background −1000, left lung −800, right lung −700, infection 10·x − 400. */
const scan: Volume = {
  ...mask,
  voxels: Int16Array.from(mask.voxels, (label, i) => [-1000, -800, -700, 10 * (i % 12) - 400][label]),
};

describe('measureMask', () => {
  it('gives the hand-computed numbers', () => {
    const { volumes, quantities } = measureMask(mask, classes, { image: scan });
    expect(volumes.map(({ value, voxels }) => [value, voxels])).toEqual([
      [0, 40],
      [1, 48],
      [2, 46],
      [3, 10],
    ]);
    expect(volumes[1].volumeMl).toBeCloseTo(0.48, 12);
    // 9 voxels hang together by faces and a corner: 0.09 ml; the single one of 0.01 ml is volume, not a lesion.
    expect(quantities).toMatchObject({ lesion: 'Infektion', minimumLesionMl: 0.05, lesionCount: 1 });
    expect(quantities?.lesionMl).toBeCloseTo(0.1, 12);
    expect(quantities?.lesionMeanHu).toBeCloseTo(10 * ((2 * (4 + 5 + 6 + 7) + 8 + 10) / 10) - 400, 10);
    expect(quantities).toMatchObject({ leftLungMeanHu: -800, rightLungMeanHu: -700 });
    // Left: x 4 and 5 of the bar, 4 voxels beside 48 of lung; right: 4, the corner and the single one beside 46.
    expect(quantities?.infectedShare?.left).toBeCloseTo(4 / 52, 12);
    expect(quantities?.infectedShare?.right).toBeCloseTo(6 / 52, 12);
  });

  it('takes the voxels of a sheared grid by the determinant', () => {
    const affine = [1, 0, 5, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1] as const;
    const { volumes, quantities } = measureMask({ ...mask, affine }, classes);
    expect(volumes[1].volumeMl).toBeCloseTo(0.48, 12);
    expect(quantities?.lesionMl).toBeCloseTo(0.1, 12);
  });

  it('takes several lesion classes together: what touches is one lesion', () => {
    const split = { ...mask, voxels: mask.voxels.map((value, i) => (value === 3 && i % 12 > 5 ? 4 : value)) };
    const more: LabelClass[] = [...classes, { value: 4, name: 'Tumor', color, role: 'lesion' }];
    const { quantities } = measureMask(split, more, { image: scan });
    expect(quantities).toEqual({
      ...measureMask(mask, classes, { image: scan }).quantities,
      lesion: 'Infektion + Tumor',
    });
  });

  it('knows lesions without lungs, and says nothing without lesions', () => {
    const map = labelMap([4, 4, 4], [2, 2, 2], (x) => (x === 1 ? 1 : 0));
    const tumour: LabelClass[] = [classes[0], { value: 1, name: 'tumour', color, role: 'lesion' }];
    expect(measureMask(map, tumour, { minimumLesionMl: 0.1 }).quantities).toEqual({
      lesion: 'tumour',
      minimumLesionMl: 0.1,
      lesionMl: expect.closeTo(0.128, 12) as number,
      lesionCount: 1,
      lesionMeanHu: null,
      leftLungMeanHu: null,
      rightLungMeanHu: null,
      infectedShare: null,
    });
    expect(measureMask(mask, classes.slice(0, 3)).quantities).toBeNull();
    const named = [classes[0], { value: 1, name: 'left lung', color }, { value: 3, name: 'infection', color }];
    expect(measureMask(mask, named).quantities).toBeNull();
  });
});

describe('rolesOf', () => {
  it('needs both lungs for a pair, and never takes the background', () => {
    expect(rolesOf(classes)).toEqual({ lungs: { left: 1, right: 2 }, lesions: [3], lesionName: 'Infektion' });
    expect(rolesOf([{ ...classes[0], role: 'lesion' }, classes[1]])).toEqual({
      lungs: null,
      lesions: [],
      lesionName: '',
    });
  });
});

it('an infection of a lung, declared before the lung, is no lung', () => {
  const declared: readonly LabelClass[] = [
    { value: 0, name: 'left lung or none', color, role: 'left-lung' },
    { value: 3, name: 'infection of left lung', color, role: 'lesion' },
    { value: 1, name: 'left lung', color, role: 'left-lung' },
    { value: 2, name: 'right lung', color, role: 'right-lung' },
  ];
  expect(rolesOf(declared)).toEqual({
    lungs: { left: 1, right: 2 },
    lesions: [3],
    lesionName: 'infection of left lung',
  });
  expect(measureMask(mask, declared).quantities?.infectedShare).toEqual(
    measureMask(mask, classes).quantities?.infectedShare,
  );
});

describe('labelExtents', () => {
  it('counts values and boxes them, alone and together', () => {
    const { counts, boxOf } = labelExtents(mask.voxels, size);
    expect([...counts.subarray(0, 4)]).toEqual([40, 48, 46, 10]);
    expect(boxOf(1)).toEqual({ minimum: [0, 0, 0], maximum: [4, 4, 3] });
    expect(boxOf(3)).toEqual({ minimum: [4, 0, 0], maximum: [11, 4, 3] });
    expect(boxOf(1, 3, 9)).toEqual({ minimum: [0, 0, 0], maximum: [11, 4, 3] });
    expect(boxOf(9)).toBeNull();
    expect(() => labelExtents(mask.voxels, [12, 4, 4])).toThrow(/label map/);
  });
});

describe('surfaceDistances', () => {
  const inEllipsoid = ([cx, cy, cz, rx, ry, rz]: readonly number[], x: number, y: number, z: number): boolean =>
    ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 <= 1;

  it('is the distance transform, near and past the budget', () => {
    const grid = [60, 40, 12] as const;
    const spacing = [0.8, 0.7, 2.5] as const;
    const box: Box = { minimum: [5, 6, 7], maximum: [65, 46, 19] };
    const surface = (ellipsoid: number[]): Surface =>
      surfaceOf(labelMap(grid, spacing, (x, y, z) => (inEllipsoid(ellipsoid, x, y, z) ? 1 : 0)).voxels, grid);
    const near = surface([30, 20, 6, 20, 15, 5]);
    for (const other of [surface([33, 19, 5, 19, 16, 4]), surface([2, 2, 1, 1, 1, 1])]) {
      const quick = surfaceDistances(near, other, indexSurface(other, box, { spacingMm: spacing }));
      const full = transformedDistances(near, other, grid, spacing);
      expect(quick).toHaveLength(near.indices.length);
      expect(Math.max(...quick.map((d, n) => Math.abs(d - full[n])))).toBeLessThan(1e-4);
    }
  });

  it('is the distance in the world where the axes are slanted', () => {
    const grid = [24, 20, 12] as const;
    const box: Box = { minimum: [5, 6, 7], maximum: [29, 26, 19] };
    const spacing = [0.8, 0.7, 2.5] as const;
    const surface = (ellipsoid: number[]): Surface =>
      surfaceOf(labelMap(grid, spacing, (x, y, z) => (inEllipsoid(ellipsoid, x, y, z) ? 1 : 0)).voxels, grid);
    const [one, other] = [surface([12, 10, 6, 9, 8, 5]), surface([17, 5, 4, 3, 4, 3])];
    const slanted = sheared(spacing);
    const metric = metricOf(slanted);
    const quick = surfaceDistances(one, other, indexSurface(other, box, metric));
    const world = (i: number): Vector3 =>
      placeMm(metric.slanted ?? [], i % 24, Math.floor(i / 24) % 20, Math.floor(i / 480));
    const exact = [...one.indices].map((i) => {
      const [x, y, z] = world(i);
      return Math.min(...[...other.indices].map(world).map(([u, v, w]) => Math.hypot(x - u, y - v, z - w)));
    });
    expect(Math.max(...exact.map((mm, n) => Math.abs(mm - quick[n])))).toBeLessThan(1e-5);
    const upright = surfaceDistances(one, other, indexSurface(other, box, metricOf([...slanted].fill(0, 6, 7))));
    expect(Math.max(...exact.map((mm, n) => Math.abs(mm - upright[n])))).toBeGreaterThan(0.5);
  });
});

it('the nearest of many points is that of all of them, equal ones too, and no farther than the cap', () => {
  // A small generator (Numerical Recipes), the same every time.
  let state = 1;
  const random = (): number => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
  const points = Float64Array.from({ length: 3 * 500 }, () => Math.floor(random() * 12) / 2);
  const all = points.slice();
  const tree = pointTree(points);
  for (let n = 0; n < 300; n++) {
    const [x, y, z] = [random() * 8 - 1, random() * 8 - 1, random() * 8 - 1];
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < all.length; i += 3) {
      best = Math.min(best, (all[i] - x) ** 2 + (all[i + 1] - y) ** 2 + (all[i + 2] - z) ** 2);
    }
    expect(tree.nearestSquared(x, y, z, Number.POSITIVE_INFINITY)).toBeCloseTo(best, 12);
    expect(tree.nearestSquared(x, y, z, best / 2)).toBe(best / 2);
  }
});

describe('a sheared grid', () => {
  it('has volumes by the determinant', () => {
    const map = labelMap([10, 10, 10], [2, 2, 1.25], () => 3);
    const { volumes, quantities } = measureMask({ ...map, affine: sheared([2, 2, 1.25]) }, classes);
    expect(volumes[3].volumeMl).toBeCloseTo(5, 9);
    expect(quantities?.lesionMl).toBeCloseTo(5, 9);
  });

  it('divides the infection by distances in the world', () => {
    // The infection is 9 slices below the right lung and 10 above the left one; but the slices slide to the front.
    const grid = [1, 40, 20] as const;
    const map = labelMap(grid, [1, 1, 1], (_, y, z) => {
      if (z === 0) return y >= 20 ? 1 : 0;
      if (z === 10) return y >= 10 && y <= 15 ? 3 : 0;
      return z === 19 && y >= 8 && y <= 17 ? 2 : 0;
    });
    const affine = sheared([1, 1, 1], 1.2);
    const world = (i: number): Vector3 => {
      const [y, z] = [i % 40, Math.floor(i / 40)];
      return [0, y + 1.2 * z, z];
    };
    const places = (value: number): Vector3[] =>
      [...map.voxels.keys()].filter((i) => map.voxels[i] === value).map(world);
    const nearest = ([x, y, z]: Vector3, value: number): number =>
      Math.min(...places(value).map(([u, v, w]) => Math.hypot(x - u, y - v, z - w)));
    const left = places(3).filter((place) => nearest(place, 1) <= nearest(place, 2)).length;
    const { quantities } = measureMask({ ...map, affine }, classes);
    const [inLeft, inRight] = [places(1).length, places(2).length];
    expect(quantities?.infectedShare?.left).toBeCloseTo(left / (left + inLeft), 12);
    const right = places(3).length - left;
    expect(quantities?.infectedShare?.right).toBeCloseTo(right / (right + inRight), 12);
    expect([left, right]).toEqual([5, 1]);
    expect(measureMask(map, classes).quantities?.infectedShare?.left).toBe(0);
  });
});
