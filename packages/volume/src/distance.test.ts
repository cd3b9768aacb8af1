import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceTransform } from './distance.js';
import { closeTo, golden, randomIntegers, sizeArbitrary } from './shared.test.helpers.js';
import type { Size3, Vector3 } from './volume.js';

function bruteForce(mask: Uint8Array, [nx, ny]: Size3, mm: Vector3): number[] {
  const places = Array.from(mask, (_, at) => [
    (at % nx) * mm[0],
    (Math.floor(at / nx) % ny) * mm[1],
    Math.floor(at / (nx * ny)) * mm[2],
  ]);
  const set = places.filter((_, at) => mask[at] !== 0);
  return places.map((p) =>
    set.reduce((least, q) => Math.min(least, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])), Infinity),
  );
}

describe('distanceTransform', () => {
  it('equals brute force for sparse and dense masks and any spacing', () => {
    const mm = fc.double({ min: 0.3, max: 8, noNaN: true });
    fc.assert(
      fc.property(
        sizeArbitrary(9),
        fc.integer(),
        fc.constantFrom(2, 5, 60),
        fc.tuple(mm, mm, mm),
        (size, seed, one, spacing) => {
          const mask = Uint8Array.from(randomIntegers(size[0] * size[1] * size[2], one, seed), (v) =>
            v === 0 ? 1 : 0,
          );
          const expected = bruteForce(mask, size, spacing);
          closeTo(distanceTransform(mask, size, spacing), expected, 1e-4);
          closeTo(distanceTransform(mask, size, spacing, { squared: true }).map(Math.sqrt), expected, 1e-4);
        },
      ),
    );
  });

  it('equals scipy.ndimage.distance_transform_edt', () => {
    const cases = golden<{ size: Size3; mask: number[]; spacingMm: Vector3; distanceMm: number[] }[]>('regions.json');
    for (const { size, mask, spacingMm, distanceMm } of cases) {
      closeTo(distanceTransform(Uint8Array.from(mask), size, spacingMm), distanceMm, 1e-4);
    }
  });

  it('is right across strips of lines', () => {
    const size: Size3 = [67, 35, 6];
    const mask = new Uint8Array(67 * 35 * 6);
    mask[0] = mask[40] = mask[mask.length - 1] = mask[33 * 67 + 65] = 9;
    closeTo(distanceTransform(mask, size, [0.7, 1.1, 5]), bruteForce(mask, size, [0.7, 1.1, 5]), 1e-4);
  });

  it('is exactly 0 on the mask and infinite without one', () => {
    expect(distanceTransform(new Uint8Array(27).fill(1), [3, 3, 3], [0.7, 0.7, 2.5])).toEqual(new Float32Array(27));
    expect(distanceTransform(new Uint8Array(8), [2, 2, 2], [1, 1, 1])).toEqual(new Float32Array(8).fill(Infinity));
  });

  it('refuses a spacing that is not positive', () => {
    for (const spacing of [0, -1, Number.NaN, Infinity]) {
      expect(() => distanceTransform(new Uint8Array(1), [1, 1, 1], [1, spacing, 1])).toThrow(/must be positive/);
    }
  });
});
