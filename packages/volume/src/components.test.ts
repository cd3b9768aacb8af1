import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectedComponents, largestComponent, type Connectivity } from './components.js';
import { golden, randomIntegers, sizeArbitrary } from './shared.test.helpers.js';
import type { Size3 } from './volume.js';

const connectivities: readonly Connectivity[] = [6, 18, 26];

/** Components by flood fill, numbered in scan order: slow and plain. */
function floodFill(mask: Uint8Array, [nx, ny, nz]: Size3, connectivity: Connectivity): Int32Array {
  const labels = new Int32Array(mask.length);
  const reach = { 6: 1, 18: 2, 26: 3 }[connectivity];
  let count = 0;
  for (let seed = 0; seed < mask.length; seed++) {
    if (mask[seed] === 0 || labels[seed] !== 0) continue;
    labels[seed] = ++count;
    for (const queue = [seed]; queue.length > 0; ) {
      const at = queue.pop() ?? 0;
      const [x, y, z] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
      for (const step of Array.from({ length: 27 }, (_, s) => [
        (s % 3) - 1,
        (Math.floor(s / 3) % 3) - 1,
        Math.floor(s / 9) - 1,
      ])) {
        const [u, v, w] = [x + step[0], y + step[1], z + step[2]];
        if (Math.abs(step[0]) + Math.abs(step[1]) + Math.abs(step[2]) > reach) continue;
        if (u < 0 || v < 0 || w < 0 || u >= nx || v >= ny || w >= nz) continue;
        const next = (w * ny + v) * nx + u;
        if (mask[next] === 0 || labels[next] !== 0) continue;
        labels[next] = count;
        queue.push(next);
      }
    }
  }
  return labels;
}

describe('connectedComponents', () => {
  it.each(connectivities)('equals a flood fill with connectivity %d', (connectivity) => {
    fc.assert(
      fc.property(sizeArbitrary(7), fc.integer(), fc.integer({ min: 1, max: 9 }), (size, seed, tenths) => {
        const mask = Uint8Array.from(randomIntegers(size[0] * size[1] * size[2], 10, seed), (v) =>
          v < tenths ? 1 : 0,
        );
        const { labels, count, sizes } = connectedComponents(mask, size, { connectivity });
        expect(labels).toEqual(floodFill(mask, size, connectivity));
        const counted = new Uint32Array(count + 1);
        for (const label of labels) counted[label]++;
        expect(sizes).toEqual(counted);
      }),
    );
  });

  it('finds the components scipy.ndimage.label finds', () => {
    const cases = golden<{ size: Size3; mask: number[]; componentSizes: Record<string, number[]> }[]>('regions.json');
    for (const { size, mask, componentSizes } of cases) {
      for (const connectivity of connectivities) {
        const { sizes } = connectedComponents(Uint8Array.from(mask), size, { connectivity });
        expect([...sizes.subarray(1)].sort((a, b) => b - a)).toEqual(componentSizes[connectivity]);
      }
    }
  });

  it('does not join the end of a row to the start of the next', () => {
    expect(connectedComponents(Uint8Array.of(0, 1, 0, 0, 0, 1), [2, 1, 3]).count).toBe(2);
    expect(connectedComponents(Uint8Array.of(0, 0, 1, 1, 0, 0), [3, 2, 1], { connectivity: 6 }).count).toBe(2);
  });

  it('handles empty and full masks', () => {
    expect(connectedComponents(new Uint8Array(8), [2, 2, 2])).toEqual({
      labels: new Int32Array(8),
      count: 0,
      sizes: Uint32Array.of(8),
    });
    expect(connectedComponents(new Uint8Array(8).fill(255), [2, 2, 2]).sizes).toEqual(Uint32Array.of(0, 8));
  });

  it('refuses another connectivity', () => {
    expect(() => connectedComponents(new Uint8Array(1), [1, 1, 1], { connectivity: 4 as Connectivity })).toThrow(
      /connectivity 4 must be 6, 18 or 26/,
    );
  });
});

describe('largestComponent', () => {
  it('keeps the largest, the first of equals, and nothing of nothing', () => {
    expect([...largestComponent(Uint8Array.of(1, 0, 5, 5, 0, 1), [6, 1, 1])]).toEqual([0, 0, 1, 1, 0, 0]);
    expect([...largestComponent(Uint8Array.of(1, 0, 1), [3, 1, 1])]).toEqual([1, 0, 0]);
    expect([...largestComponent(new Uint8Array(3), [3, 1, 1])]).toEqual([0, 0, 0]);
  });
});
