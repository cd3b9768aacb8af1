import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VolumeError } from './errors.js';
import {
  applyAffine,
  axisCodes,
  compareGrids,
  invertAffine,
  multiplyAffine,
  resizedAffine,
  spacingMm,
} from './geometry.js';
import { affineArbitrary, closeTo, golden } from './shared.test.helpers.js';
import type { Affine } from './volume.js';

const scanner: Affine = [-0.7, 0, 0, 180, 0, -0.7, 0, 150, 0, 0, 2.5, -400, 0, 0, 0, 1];

describe('affines', () => {
  it('reads the spacing from the columns', () => {
    expect(spacingMm(scanner)).toEqual([0.7, 0.7, 2.5]);
  });

  it('inverse times affine is the identity, for oblique, flipped, anisotropic and sheared affines', () => {
    fc.assert(
      fc.property(affineArbitrary(), (affine) => {
        closeTo(multiplyAffine(invertAffine(affine), affine), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], 1e-8);
        closeTo(applyAffine(invertAffine(affine), applyAffine(affine, [3, -4, 50])), [3, -4, 50], 1e-8);
      }),
    );
  });

  it('a product applies the right-hand map first', () => {
    const shift: Affine = [1, 0, 0, 10, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    closeTo(applyAffine(multiplyAffine(scanner, shift), [0, 0, 0]), applyAffine(scanner, [10, 0, 0]), 1e-12);
  });

  it.each([
    ['a zero spacing', [0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1]],
    ['two parallel axes', [1, 2, 0, 1, 1, 2, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1]],
    ['a NaN', [1, 0, 0, 0, 0, Number.NaN, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]],
    ['twelve numbers', [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]],
  ])('refuses an affine with %s', (_, affine) => {
    expect(() => invertAffine(affine)).toThrow(VolumeError);
    expect(() => axisCodes(affine)).toThrow(/affine/);
  });

  it('inverts grids of tiny voxels, whose determinant is small', () => {
    const micro: Affine = [1e-4, 0, 0, 0, 0, 1e-4, 0, 0, 0, 0, 1e-4, 0, 0, 0, 0, 1];
    closeTo(applyAffine(invertAffine(micro), [1e-4, 2e-4, 3e-4]), [1, 2, 3], 1e-9);
  });
});

describe('axisCodes', () => {
  it('names the direction each axis increases towards', () => {
    expect(axisCodes(scanner)).toBe('LPS');
    expect(axisCodes([0, 0, 1, 0, 0.5, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0, 1])).toBe('AIR');
  });

  it('equals nibabel for random oblique and sheared affines', () => {
    const cases = golden<{ axisCodes: { affine: Affine; codes: string }[] }>('orientation.json').axisCodes;
    expect(cases.map(({ affine }) => axisCodes(affine))).toEqual(cases.map(({ codes }) => codes));
  });
});

describe('resizedAffine', () => {
  it('keeps the edges of the box in place', () => {
    fc.assert(
      fc.property(
        affineArbitrary(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 6, maxLength: 6 }),
        (a, n) => {
          const resized = resizedAffine(a, [n[0], n[1], n[2]], [n[3], n[4], n[5]]);
          closeTo(applyAffine(resized, [-0.5, -0.5, -0.5]), applyAffine(a, [-0.5, -0.5, -0.5]), 1e-8);
          closeTo(
            applyAffine(resized, [n[3] - 0.5, n[4] - 0.5, n[5] - 0.5]),
            applyAffine(a, [n[0] - 0.5, n[1] - 0.5, n[2] - 0.5]),
            1e-8,
          );
        },
      ),
    );
  });

  it('changes the spacing by old/new', () => {
    closeTo(spacingMm(resizedAffine(scanner, [100, 100, 10], [50, 200, 10])), [1.4, 0.35, 2.5], 1e-12);
  });
});

describe('compareGrids', () => {
  const grid = { size: [512, 512, 200], affine: scanner } as const;

  it('accepts float32 rounding of the affine', () => {
    expect(compareGrids(grid, { ...grid, affine: scanner.map(Math.fround) })).toEqual({ same: true });
  });

  it('says which way grids differ', () => {
    expect(compareGrids(grid, { ...grid, size: [512, 512, 199] }).reason).toMatch(/512×512×200 and 512×512×199/);
    const wider = scanner.map((value, at) => (at === 0 ? -0.701 : value));
    expect(compareGrids(grid, { ...grid, affine: wider })).toEqual({
      same: false,
      reason: expect.stringMatching(/differ by up to 0\.5110 mm .*0\.7010×0\.7000×2\.5000/),
    });
    expect(compareGrids(grid, { ...grid, affine: wider }, 0.6).same).toBe(true);
  });

  it('does not call a NaN affine the same', () => {
    const broken = scanner.map((value, at) => (at === 3 ? Number.NaN : value));
    expect(compareGrids(grid, { ...grid, affine: broken }).same).toBe(false);
  });
});
