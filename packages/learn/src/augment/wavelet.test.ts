import type { Size3 } from '@quickcolumn/volume';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '@quickcolumn/random';
import { augmentPatch } from './augment-patch.js';
import { augmentationSchema, noAugmentation } from './config.js';
import { applyWavelet, scaleDetails } from './wavelet.js';

const seven = (factor: number): number[] => new Array<number>(7).fill(factor);

function randomImage(size: Size3, seed: number): Float32Array {
  const image = new Float32Array(size[0] * size[1] * size[2]);
  createRandom({ seed, epoch: 0, sample: 0 }, 'noise').addNormal(image, 1);
  return image;
}

/** One line through the definition: Haar coefficients, scaled details, mean of both shifts, on a long mirrored line. */
function byDefinition(values: readonly number[], factors: readonly number[]): number[] {
  const margin = 64;
  const n = values.length;
  const mirrored = (i: number): number => {
    const within = ((i % (2 * n)) + 2 * n) % (2 * n);
    return values[within < n ? within : 2 * n - 1 - within];
  };
  const level = (x: readonly number[], at: number): number[] => {
    if (at === factors.length) return [...x];
    const s = 2 ** at;
    const from = (line: readonly number[], i: number): number => line[Math.min(line.length - 1, Math.max(0, i))];
    const a = level(
      x.map((value, i) => (value + from(x, i + s)) / 2),
      at + 1,
    );
    const d = x.map((value, i) => (factors[at] * (value - from(x, i + s))) / 2);
    return x.map((_, i) => (a[i] + d[i] + from(a, i - s) - from(d, i - s)) / 2);
  };
  const line = Array.from({ length: n + 2 * margin }, (_, i) => mirrored(i - margin));
  return level(line, 0).slice(margin, margin + n);
}

describe('stationary wavelets', () => {
  it('puts the bands together again: factors of 1 change nothing', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 18 }), fc.integer({ min: 1, max: 9 })),
        fc.integer({ min: 0, max: 1000 }),
        fc.constantFrom('xy' as const, 'xyz' as const),
        (size, seed, axes) => {
          const image = randomImage(size, seed);
          const before = image.slice();
          scaleDetails(image, size, { axes, factors: [seven(1), seven(1), seven(1)] });
          for (let i = 0; i < image.length; i++) expect(Math.abs(image[i] - before[i])).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives hand-computed values: one spike, two levels', () => {
    const spike = (): Float32Array => Float32Array.of(0, 0, 0, 4, 0, 0, 0, 0);
    const one = spike();
    // Smoothed 0 0 1 2 1 0 0 0, detail 0 0 −1 2 −1 0 0 0.
    scaleDetails(one, [8, 1, 1], { axes: 'xy', factors: [[2, 1, 1]] });
    expect([...one]).toEqual([0, 0, -1, 6, -1, 0, 0, 0]);
    const two = spike();
    // Smoothed again, two apart and mirrored: ¼ ½ ¾ 1 ¾ ½ ¼ 0.
    scaleDetails(two, [8, 1, 1], { axes: 'xy', factors: [[0, 1, 1], [0, 1, 1]] }); // biome-ignore format: one line
    expect([...two]).toEqual([0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]);
    const high = spike();
    // First detail doubled, second tripled: ¼ ½ ¾ 1 … + 2·(0 0 −1 2 −1 0 0 0) + 3·(−¼ −½ ¼ 1 ¼ −½ −¼ 0).
    scaleDetails(high, [8, 1, 1], { axes: 'xy', factors: [[2, 1, 1], [3, 1, 1]] }); // biome-ignore format: one line
    expect([...high]).toEqual([-0.5, -1, -0.5, 8, -0.5, -1, -0.5, 0]);
  });

  it('is the Haar transform of the definition, along any axis', () => {
    const values = [...randomImage([13, 1, 1], 4)];
    const factors = [0.3, 1.7, 2.5];
    const expected = byDefinition(values, factors);
    for (const [size, bit] of [
      [[13, 1, 1], 1],
      [[1, 13, 1], 2],
      [[1, 1, 13], 4],
    ] as const) {
      // biome-ignore format: a table
      const image = Float32Array.from(values);
      const bands = factors.map((factor) => seven(1).map((one, at) => (at === bit - 1 ? factor : one)));
      scaleDetails(image, size, { axes: 'xyz', factors: bands });
      expected.forEach((value, i) => expect(image[i]).toBeCloseTo(value, 5));
    }
  });

  it('knows the direction of detail', () => {
    const size: Size3 = [8, 8, 8];
    // Stripes along z change along x alone: only the band that is high along x sees them.
    const stripes = Float32Array.from({ length: 512 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const inner = (3 * 8 + 3) * 8 + 4;
    const only = (band: number): number => {
      const image = stripes.slice();
      scaleDetails(image, size, { axes: 'xyz', factors: [seven(1).map((one, at) => (at === band - 1 ? 0 : one))] });
      return image[inner];
    };
    expect(only(1)).toBeCloseTo(0, 6);
    for (const band of [2, 3, 4, 5, 6, 7]) expect(only(band)).toBeCloseTo(1, 6);
    // In the plane nothing passes from slice to slice.
    const slices = randomImage(size, 9);
    const changed = slices.slice();
    changed.fill(7, 0, 64);
    for (const image of [slices, changed]) scaleDetails(image, size, { axes: 'xy', factors: [[0, 2, 3]] });
    expect(changed.subarray(64)).toEqual(slices.subarray(64));
  });

  it('keeps the mean: a flat patch stays flat whatever is drawn', () => {
    const flat = new Float32Array(16 ** 3).fill(0.75);
    applyWavelet(flat, [16, 16, 16], createRandom({ seed: 3, epoch: 0, sample: 0 }, 'wavelet'), {
      probability: 1,
      range: [0, 4],
      axes: 'xyz',
    });
    for (const value of flat) expect(value).toBeCloseTo(0.75, 5);
  });
});

describe('wavelets in a patch', () => {
  const size: Size3 = [18, 16, 10];
  const image = randomImage(size, 2);
  const scan = {
    image,
    labels: new Uint8Array(image.length),
    size,
    airValue: -4,
    classes: [{ value: 0 }],
    coefficients: () => new Float32Array(),
  };
  const key = { seed: 5, epoch: 2, sample: 9 };
  const wavelet = { probability: 1, range: [0.5, 2], axes: 'xyz' } as const;
  const patch: Size3 = [16, 16, 8];

  it('change the image alone, the same way for the same key, and only where they are switched on', () => {
    const plain = augmentPatch(scan, noAugmentation, patch, key);
    const first = augmentPatch(scan, { ...noAugmentation, wavelet }, patch, key);
    expect(first.image).not.toEqual(plain.image);
    expect(first.labels).toEqual(plain.labels);
    expect(augmentPatch(scan, { ...noAugmentation, wavelet }, patch, key).image).toEqual(first.image);
    const off = { ...noAugmentation, wavelet: { ...wavelet, probability: 0 } };
    expect(augmentPatch(scan, off, patch, key).image).toEqual(plain.image);
    const other = augmentPatch(scan, { ...noAugmentation, wavelet }, patch, { ...key, sample: 10 });
    expect(other.image).not.toEqual(first.image);
  });

  it('leave the draws of the other methods as they are', () => {
    const noisy = { ...noAugmentation, noise: { probability: 1, range: [0.1, 0.1], drawn: 'variance' } } as const;
    const ones = { ...wavelet, range: [1, 1] } as const;
    const without = augmentPatch(scan, noisy, patch, key).image;
    augmentPatch(scan, { ...noisy, wavelet: ones }, patch, key).image.forEach((value, i) =>
      expect(value).toBeCloseTo(without[i], 5),
    );
  });

  it('are checked in the configuration', () => {
    expect(augmentationSchema.parse({ ...noAugmentation, wavelet })).toEqual({ ...noAugmentation, wavelet });
    expect(augmentationSchema.parse(noAugmentation)).not.toHaveProperty('wavelet');
    for (const wrong of [{ axes: 'z' }, { range: [2, 1] }, { range: [-1, 1] }, { levels: 4 }])
      expect(augmentationSchema.safeParse({ ...noAugmentation, wavelet: { ...wavelet, ...wrong } }).success).toBe(
        false,
      );
  });
});
