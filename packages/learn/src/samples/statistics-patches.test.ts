import { expect, it } from 'vitest';
import { statisticsPatches } from './statistics-patches.js';
import type { TrainingCase } from './sample-pool.js';

const scan = (name: string, value: number): TrainingCase => ({
  name,
  image: Float32Array.from({ length: 24 ** 3 }, (_, i) => value + i / 24 ** 3),
  labels: new Uint8Array(24 ** 3),
  size: [24, 24, 24],
  airValue: -9,
});

it('takes the cases in turn at drawn places, the same for the same seed', () => {
  const cases = [scan('a', 0), scan('b', 10)];
  const patches = [...statisticsPatches(cases, [16, 16, 16], { seed: 4, count: 6 })];
  expect(patches.map((patch) => Math.floor(patch[0] / 10))).toEqual([0, 1, 0, 1, 0, 1]);
  expect(new Set(patches.map((patch) => (patch[0] % 10).toFixed(5))).size).toBeGreaterThan(4);
  expect([...statisticsPatches(cases, [16, 16, 16], { seed: 4, count: 6 })]).toEqual(patches);
  expect([...statisticsPatches(cases, [16, 16, 16], { seed: 5, count: 6 })]).not.toEqual(patches);
});
