import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowCorners, windowGrid, windowStarts } from './windows.js';

describe('windows', () => {
  it('gives the 18 windows of the specification for the median shape', () => {
    const grid = windowGrid([267, 254, 104], [160, 160, 80], { overlap: [80, 80, 40] });
    expect(grid.starts).toEqual([
      [0, 80, 107],
      [0, 80, 94],
      [0, 24],
    ]);
    expect(grid.count).toBe(18);
    expect(windowCorners(grid)).toHaveLength(18);
    expect(windowCorners(grid)[1]).toEqual([80, 0, 0]);
  });

  it('uses one window where the patch fits exactly', () => {
    expect(windowStarts(160, 160, 80)).toEqual([0]);
    expect(windowStarts(161, 160, 80)).toEqual([0, 1]);
  });

  it('covers every voxel, stays inside, never repeats a window', () => {
    const axis = fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(200), fc.nat(1000))
      .map(([window, extra, part]) => ({ window, length: window + extra, overlap: part % window }));
    fc.assert(
      fc.property(axis, ({ window, length, overlap }) => {
        const starts = windowStarts(length, window, overlap);
        const covered = new Uint8Array(length);
        for (const start of starts) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(start + window).toBeLessThanOrEqual(length);
          covered.fill(1, start, start + window);
        }
        expect(covered.includes(0)).toBe(false);
        expect(new Set(starts).size).toBe(starts.length);
      }),
    );
  });

  it('refuses an overlap as large as the patch', () => {
    expect(() => windowStarts(200, 160, 160)).toThrow(/overlap: 160.*smaller than the patch/);
  });
});
