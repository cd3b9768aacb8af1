/**
 * What the tests of this package share: golden files (made by test/golden/make-volume-golden.py), random affines and
 * volumes for property tests, and comparison of number lists. Not part of the public API; the
 * name keeps it out of the published files, as the tests are.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Affine, Size3 } from './volume.js';

export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8')) as T;
}

/** Fails naming the worst element when two lists differ by more than `tolerance` anywhere, or a value is NaN. */
export function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let at = 0; at < expected.length; at++) {
    const off = (i: number): number => (actual[i] === expected[i] ? 0 : Math.abs(actual[i] - expected[i]));
    if (!(off(at) <= off(worst))) worst = at;
  }
  const message = `[${worst}] is ${actual[worst]}, expected ${expected[worst]} within ${tolerance}`;
  expect(Array.from(actual).some(Number.isNaN), 'NaN in the result').toBe(false);
  expect(Math.abs(actual[worst] - expected[worst]) <= tolerance || actual[worst] === expected[worst], message).toBe(
    true,
  );
}

/** Random rotation (Euler angles, any size) × shear × flips × anisotropic spacing, and an origin. */
export function affineArbitrary(): fc.Arbitrary<Affine> {
  const number = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
  const three = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<[T, T, T]> => fc.tuple(of, of, of);
  return fc
    .record({
      angles: three(number(-Math.PI, Math.PI)),
      shears: three(number(-0.3, 0.3)),
      spacing: three(number(0.3, 6)),
      signs: three(fc.constantFrom(1, -1)),
      origin: three(number(-300, 300)),
    })
    .map(({ angles, shears, spacing, signs, origin }) => {
      const [ca, cb, cc] = angles.map(Math.cos);
      const [sa, sb, sc] = angles.map(Math.sin);
      const rotation = [
        [ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc],
        [sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc],
        [-sb, cb * sc, cb * cc],
      ];
      const scale = spacing.map((mm, axis) => mm * signs[axis]);
      return rotation.flatMap((r, row) => {
        const sheared = [r[0], r[1] + shears[0] * r[0], r[2] + shears[1] * r[0] + shears[2] * r[1]];
        return [...sheared.map((value, axis) => value * scale[axis]), origin[row]];
      });
    })
    .map((rows) => [...rows, 0, 0, 0, 1]);
}

/** Sizes with each side in 1 … max. */
export function sizeArbitrary(max: number): fc.Arbitrary<Size3> {
  const side = fc.integer({ min: 1, max });
  return fc.tuple(side, side, side);
}

/** Small repeatable pseudo-random integers in 0 … below−1. */
export function randomIntegers(length: number, below: number, seed: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  });
}
