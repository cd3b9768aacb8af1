/** Tensors that live at the same time never overlap, and the arena is no larger than all of them side by side. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Interval, placeIntervals } from './placement.js';

const intervals = fc
  .array(fc.record({ size: fc.integer({ min: 1, max: 50 }), from: fc.nat(20), length: fc.nat(10) }), { maxLength: 40 })
  .map((list): Interval[] =>
    list.map(({ size, from, length }, id) => ({ id, bytes: 64 * size, from, to: from + length })),
  );

it('separates what lives at the same time', () => {
  fc.assert(
    fc.property(intervals, (list) => {
      const { offsets, bytes } = placeIntervals(list);
      const at = (one: Interval): number => offsets.get(one.id) ?? Number.NaN;
      for (const a of list) {
        expect(at(a) % 64).toBe(0);
        expect(at(a) + a.bytes).toBeLessThanOrEqual(bytes);
        for (const b of list) {
          const together = a.id < b.id && a.from <= b.to && b.from <= a.to;
          if (together) expect(at(a) + a.bytes <= at(b) || at(b) + b.bytes <= at(a)).toBe(true);
        }
      }
      const alive = Array.from({ length: 32 }, (_, time) =>
        list.filter(({ from, to }) => from <= time && time <= to).reduce((sum, one) => sum + one.bytes, 0),
      );
      expect(bytes).toBeGreaterThanOrEqual(Math.max(...alive));
      expect(bytes).toBeLessThanOrEqual(list.reduce((sum, one) => sum + one.bytes, 0));
    }),
  );
});

it('reuses the place of what is gone', () => {
  const { bytes } = placeIntervals([
    { id: 0, bytes: 640, from: 0, to: 1 },
    { id: 1, bytes: 640, from: 2, to: 3 },
    { id: 2, bytes: 640, from: 1, to: 2 },
  ]);
  expect(bytes).toBe(1280);
});
