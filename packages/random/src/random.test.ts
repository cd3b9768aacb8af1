import { describe, expect, it } from 'vitest';
import { createRandom, philox, streams } from './random.js';

describe('philox', () => {
  // Known answers of the authors' library Random123 (kat_vectors, philox4x32 10).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the published words for counter %j', (counter, key, expected) => {
    const out = new Uint32Array(4);
    philox(counter, key, out);
    expect([...out]).toEqual(expected);
  });
});

describe('createRandom', () => {
  const key = { seed: 7, epoch: 3, sample: 11 };
  const first = (k: typeof key, stream: keyof typeof streams): number => createRandom(k, stream).uniform();

  it('is a function of the key, and every part of the key matters', () => {
    expect(first(key, 'gamma')).toBe(first({ ...key }, 'gamma'));
    const others = [
      first({ ...key, seed: 8 }, 'gamma'),
      first({ ...key, seed: 7 + 2 ** 32 }, 'gamma'),
      first({ ...key, epoch: 4 }, 'gamma'),
      first({ ...key, sample: 12 }, 'gamma'),
      first(key, 'noise'),
    ];
    expect(new Set([first(key, 'gamma'), ...others]).size).toBe(6);
  });

  it('has a distinct number for every stream', () => {
    expect(new Set(Object.values(streams)).size).toBe(Object.keys(streams).length);
  });

  it('draws uniform numbers and integers over exactly their range', () => {
    const random = createRandom(key, 'crop');
    const counts = [0, 0, 0, 0, 0, 0];
    let sum = 0;
    for (let i = 0; i < 20_000; i++) {
      const u = random.uniform(-1, 3);
      expect(u > -1 && u < 3).toBe(true);
      sum += u;
      counts[random.integer(2, 8) - 2]++;
    }
    expect(sum / 20_000).toBeCloseTo(1, 1);
    for (const count of counts) expect(Math.abs(count - 20_000 / 6)).toBeLessThan(250);
  });

  it('adds normal noise of the asked standard deviation, whatever the length', () => {
    const noise = new Float32Array(50_001);
    createRandom(key, 'noise').addNormal(noise, 2);
    let [sum, squares, fourth] = [0, 0, 0];
    for (const value of noise) {
      sum += value;
      squares += value ** 2;
      fourth += value ** 4;
    }
    expect(Math.abs(sum / noise.length)).toBeLessThan(0.05);
    expect(squares / noise.length).toBeCloseTo(4, 0);
    expect(fourth / noise.length / 16).toBeCloseTo(3, 0);
    expect(noise.at(-1)).not.toBe(0);
  });

  it('permutes', () => {
    const order = createRandom(key, 'shuffle').permutation(50);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
  });

  it('refuses keys that would silently collide', () => {
    expect(() => createRandom({ ...key, seed: 0.5 }, 'crop')).toThrow(/seed is 0.5/);
    expect(() => createRandom({ ...key, sample: -1 }, 'crop')).toThrow(/sample is -1/);
  });
});
