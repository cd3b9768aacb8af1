import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resizeCubic, resizeLabels, resizeLinear, resizeNearest } from './resample.js';
import { closeTo, golden, randomIntegers, sizeArbitrary } from './shared.test.helpers.js';
import type { Size3 } from './volume.js';

interface ResizeCase {
  size: Size3;
  newSize: Size3;
  voxels: number[];
  cubic: number[];
  linear: number[];
}

interface LabelCase {
  size: Size3;
  newSize: Size3;
  voxels: number[];
  /** −1 where scipy's two best classes tie. */
  expected: number[];
}

const file = golden<{ resize: ResizeCase[]; labels: LabelCase[] }>('resample.json');

describe('resizeCubic and resizeLinear', () => {
  it.each(file.resize)('equal scipy.ndimage.map_coordinates for $size → $newSize', (c) => {
    closeTo(resizeCubic(Float32Array.from(c.voxels), c.size, c.newSize), c.cubic, 1e-4);
    closeTo(resizeCubic(Int16Array.from(c.voxels), c.size, c.newSize), c.cubic, 1e-4);
    closeTo(resizeLinear(Float32Array.from(c.voxels), c.size, c.newSize), c.linear, 1e-4);
  });

  it('copy, exactly, when the size stays', () => {
    const voxels = Float32Array.from(randomIntegers(60, 1000, 1));
    for (const resize of [resizeCubic, resizeLinear]) {
      const result = resize(voxels, [3, 4, 5], [3, 4, 5]);
      expect(result).toEqual(voxels);
      expect(result).not.toBe(voxels);
    }
  });

  it('keep a constant volume constant at every size', () => {
    fc.assert(
      fc.property(sizeArbitrary(7), sizeArbitrary(9), (size, newSize) => {
        const voxels = new Float32Array(size[0] * size[1] * size[2]).fill(37);
        const expected = new Float32Array(newSize[0] * newSize[1] * newSize[2]).fill(37);
        closeTo(resizeCubic(voxels, size, newSize), expected, 1e-4);
        closeTo(resizeLinear(voxels, size, newSize), expected, 1e-4);
      }),
    );
  });

  it('do not depend on where strips of lines begin: a repeated line stays the same line everywhere', () => {
    const line = Float32Array.from(randomIntegers(20, 256, 2));
    for (const axis of [0, 1, 2]) {
      const size: Size3 = [axis === 0 ? 20 : 37, axis === 1 ? 20 : 35, axis === 2 ? 20 : 3];
      const newSize: Size3 = [axis === 0 ? 9 : size[0], axis === 1 ? 9 : size[1], axis === 2 ? 9 : size[2]];
      const stride = [1, size[0], size[0] * size[1]][axis];
      const newStride = [1, newSize[0], newSize[0] * newSize[1]][axis];
      const voxels = Float32Array.from(
        { length: size[0] * size[1] * size[2] },
        (_, at) => line[Math.floor(at / stride) % 20],
      );
      for (const resize of [resizeCubic, resizeLinear]) {
        const single = resize(line, [20, 1, 1], [9, 1, 1]);
        const result = resize(voxels, size, newSize);
        const expected = result.map((_, at) => single[Math.floor(at / newStride) % 9]);
        closeTo(result, expected, 0);
      }
    }
  });

  it('leave the input as it was', () => {
    const voxels = Float32Array.from(randomIntegers(60, 1000, 3));
    const before = voxels.slice();
    resizeCubic(voxels, [3, 4, 5], [2, 6, 4]);
    resizeLinear(voxels, [3, 4, 5], [2, 6, 4]);
    expect(voxels).toEqual(before);
  });

  it('refuse sizes that do not fit', () => {
    expect(() => resizeCubic(new Float32Array(5), [2, 2, 2], [1, 1, 1])).toThrow(
      /5 voxels do not fill a grid of 2×2×2 = 8/,
    );
    expect(() => resizeLinear(new Float32Array(8), [2, 2, 2], [1, 0, 1])).toThrow(/new size: size \[1, 0, 1\]/);
  });
});

describe('resizeNearest', () => {
  it('repeats voxels when doubling and takes the upper of two when halving', () => {
    expect([...resizeNearest(Uint8Array.of(1, 2, 3), [3, 1, 1], [6, 1, 1])]).toEqual([1, 1, 2, 2, 3, 3]);
    expect([...resizeNearest(Int16Array.of(1, 2, 3, 4), [1, 1, 4], [1, 1, 2])]).toEqual([2, 4]);
  });

  it('makes a plain Uint8Array of a Node Buffer', () => {
    expect(resizeNearest(Buffer.of(1, 2), [2, 1, 1], [1, 1, 1]).constructor).toBe(Uint8Array);
  });

  it('comes back exactly from a whole-number enlargement', () => {
    fc.assert(
      fc.property(sizeArbitrary(5), fc.constantFrom(3, 5), (size, factor) => {
        const voxels = Uint8Array.from(randomIntegers(size[0] * size[1] * size[2], 250, 4));
        const large: Size3 = [size[0] * factor, size[1] * factor, size[2] * factor];
        expect(resizeNearest(resizeNearest(voxels, size, large), large, size)).toEqual(voxels);
      }),
    );
  });
});

describe('resizeLabels', () => {
  it.each(file.labels)('equals argmax over linear one-hot volumes from scipy for $size → $newSize', (c) => {
    const result = resizeLabels(Uint8Array.from(c.voxels), c.size, c.newSize, [0, 1, 2, 3]);
    const compared = c.expected.filter((label) => label >= 0).length;
    expect(compared).toBeGreaterThan(c.expected.length * 0.9);
    expect([...result].map((label, at) => (c.expected[at] < 0 ? -1 : label))).toEqual(c.expected);
  });

  it('equals argmax over our own linear resize, with ties to the lower value', () => {
    fc.assert(
      fc.property(sizeArbitrary(5), sizeArbitrary(7), fc.integer(), (size, newSize, seed) => {
        const values = [3, 0, 200];
        const labels = Uint8Array.from(randomIntegers(size[0] * size[1] * size[2], 3, seed), (c) => values[c]);
        const shares = [0, 3, 200].map((v) =>
          resizeLinear(
            labels.map((l) => Number(l === v)),
            size,
            newSize,
          ),
        );
        const expected = [...shares[0]].map((p, at) => {
          const [q, r] = [shares[1][at], shares[2][at]];
          const best = Math.max(p, q, r) - 1e-5;
          return p >= best ? 0 : q >= best ? 3 : 200;
        });
        expect([...resizeLabels(labels, size, newSize, values)]).toEqual(expected);
      }),
    );
  });

  it('gives an exact tie to the lower value', () => {
    expect([...resizeLabels(Uint8Array.of(3, 1), [2, 1, 1], [1, 1, 1], [1, 3])]).toEqual([1]);
  });

  it('names a label that is no class, and where it is', () => {
    const labels = Uint8Array.of(0, 0, 0, 0, 0, 7, 0, 0);
    expect(() => resizeLabels(labels, [2, 2, 2], [1, 1, 1], [0, 1])).toThrow(/label 7 at voxel \(1, 0, 1\).*0, 1/);
  });
});
