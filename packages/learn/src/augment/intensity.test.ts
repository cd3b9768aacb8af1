import { describe, expect, it } from 'vitest';
import { createRandom } from '@quickcolumn/random';
import { applyBrightness } from './brightness.js';
import { muellerAugmentation, paperAugmentation } from './config.js';
import { applyContrast } from './contrast.js';
import { drawAroundOne } from './draw.js';
import { applyGamma } from './gamma.js';
import { applyNoise } from './noise.js';

const patch = (): Float32Array => Float32Array.of(-2, -1, 0, 1, 2);
const close = (image: Float32Array, expected: readonly number[]): void => {
  expected.forEach((value, i) => {
    expect(image[i]).toBeCloseTo(value, 5);
  });
};

describe('intensity transforms', () => {
  it('gamma keeps the ends and bends between them', () => {
    const image = patch();
    applyGamma(image, 2);
    close(image, [-2, -1.75, -1, 0.25, 2]);
    const flat = new Float32Array(4).fill(3);
    applyGamma(flat, 0.5);
    expect([...flat]).toEqual([3, 3, 3, 3]);
  });

  it('brightness multiplies', () => {
    const image = patch();
    applyBrightness(image, 1.5);
    close(image, [-3, -1.5, 0, 1.5, 3]);
  });

  it('contrast spreads around the mean and preserves the range', () => {
    const wide = Float32Array.of(0, 1, 2, 9);
    applyContrast(wide, 3);
    close(wide, [0, 0, 0, 9]);
    const narrow = patch();
    applyContrast(narrow, 0.5);
    close(narrow, [-1, -0.5, 0, 0.5, 1]);
  });

  it('noise is drawn as a variance in paper and as a standard deviation in mueller', () => {
    const spread = (config: typeof paperAugmentation.noise, drawn: number): number => {
      const image = new Float32Array(40_000);
      applyNoise(image, createRandom({ seed: 1, epoch: 0, sample: 0 }, 'noise'), { ...config, range: [drawn, drawn] });
      return Math.sqrt(image.reduce((sum, value) => sum + value ** 2, 0) / image.length);
    };
    expect(spread(paperAugmentation.noise, 0.09)).toBeCloseTo(0.3, 2);
    expect(spread(muellerAugmentation.noise, 0.05)).toBeCloseTo(0.05, 3);
  });

  it('a range around 1 is drawn half the time below 1 and half above, others uniformly', () => {
    const draws = Array.from({ length: 4000 }, (_, sample) =>
      drawAroundOne(createRandom({ seed: 2, epoch: 0, sample }, 'contrast'), [0.3, 3]),
    );
    expect(Math.min(...draws)).toBeGreaterThan(0.3);
    expect(Math.max(...draws)).toBeLessThan(3);
    expect(Math.max(...draws)).toBeGreaterThan(2.9);
    const below = draws.filter((value) => value < 1);
    expect(below.length / draws.length).toBeCloseTo(0.5, 1);
    expect(Math.abs(below.length - 2000)).toBeLessThan(150);
    expect(below.reduce((a, b) => a + b, 0) / below.length).toBeCloseTo(0.65, 1);
    const above = drawAroundOne(createRandom({ seed: 2, epoch: 0, sample: 0 }, 'contrast'), [1.2, 1.4]);
    expect(above > 1.2 && above < 1.4).toBe(true);
  });
});
