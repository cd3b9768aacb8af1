import { expect, it } from 'vitest';
import { touchedScratch } from './scratch.js';

const mb = 1 << 20;

it('is all of it with one thread', () => {
  expect(touchedScratch([{ bytes: 50 * mb, singleBytes: 50 * mb, sumBytes: 0 }], 1)).toBe(50 * mb);
});

it('is about what one thread needs where threads have blocks of their own and fill a share of them', () => {
  const touched = touchedScratch([{ bytes: 16 * 320 * mb, singleBytes: 320 * mb, sumBytes: 0 }], 16);
  expect(touched).toBeGreaterThanOrEqual(320 * mb);
  // Not more than a page at either end of each share.
  expect(touched).toBeLessThanOrEqual((320 + 2 * 2 * 16) * mb);
});

it('counts a sum of the weights for every thread, and steps with blocks of different sizes in different places', () => {
  const one = { bytes: 16 * 64 * mb, singleBytes: 64 * mb, sumBytes: 0 };
  expect(touchedScratch([{ ...one, sumBytes: 20 * mb }], 16)).toBeGreaterThan(16 * 20 * mb);
  const other = { bytes: 16 * 200 * mb, singleBytes: 200 * mb, sumBytes: 0 };
  const both = touchedScratch([one, other, one], 16);
  expect(both).toBeGreaterThan(touchedScratch([other], 16));
  expect(both).toBeLessThanOrEqual(touchedScratch([other], 16) + touchedScratch([one], 16));
});

it('is never more than the largest request, and nothing of nothing', () => {
  expect(touchedScratch([{ bytes: 100, singleBytes: 100, sumBytes: 0 }], 4)).toBe(100);
  expect(touchedScratch([], 16)).toBe(0);
});
