/** Mirroring at test time, on scans stored in other orders than the prepared grid's. */
import { type Affine, covidClasses as classes, type Size3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { metadataOf, modelFrom } from '../model.test.helpers.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { predictScan } from '../predict.js';
import { mirrored } from './mirror.js';

const patch: Size3 = [32, 32, 16];

/** A network that is not symmetric: what it says of a voxel depends on a neighbour and on the place in the window. */
function lopsided(): LoadedModel {
  const run = (image: Float32Array): Float32Array => {
    const out = new Float32Array(image.length * classes.length);
    for (let i = 0; i < image.length; i++) {
      const x = i % patch[0];
      const scores = [0.7 + 0.3 * Math.sin(i), x / 20 + image[i], image[Math.max(0, i - 1)], 0.9 - image[i]];
      const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
      scores.forEach((score, c) => {
        out[c * image.length + i] = Math.exp(score) / sum;
      });
    }
    return out;
  };
  return modelFrom(run, { metadata: metadataOf({ classes, patch }) });
}

/** Voxel axes go right, posterior, inferior or posterior, superior, left: both need reordering to L, P, S. */
const layouts: readonly { name: string; size: Size3; affine: Affine; across: 0 | 1 | 2 }[] = [
  { name: 'R-P-I', size: [64, 64, 32], affine: [2, 0, 0, -60, 0, -2, 0, 60, 0, 0, -4, 60, 0, 0, 0, 1], across: 0 },
  { name: 'P-S-L', size: [64, 32, 64], affine: [0, 0, -2, 60, -2, 0, 0, 60, 0, 4, 0, -60, 0, 0, 0, 1], across: 2 },
];

function flipped<T extends Int16Array | Uint8Array>(volume: Volume<T>, axis: 0 | 1 | 2): Volume<T> {
  const { size, voxels } = volume;
  const strides = [1, size[0], size[0] * size[1]];
  const result = voxels.slice() as T;
  for (let i = 0; i < voxels.length; i++) {
    const at = Math.floor(i / strides[axis]) % size[axis];
    result[i] = voxels[i + (size[axis] - 1 - 2 * at) * strides[axis]];
  }
  return { ...volume, voxels: result };
}

function scanOf(size: Size3, affine: Affine): Volume<Int16Array> {
  const voxels = Int16Array.from(
    { length: size[0] * size[1] * size[2] },
    (_, i) => 600 * Math.sin(i * 0.013) + 500 * Math.cos(Math.floor(i / size[0]) * 0.2) - 400,
  );
  return { voxels, size, affine };
}

function differing(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((count, value, i) => count + (value === b[i] ? 0 : 1), 0) / a.length;
}

describe('mirroring at test time', () => {
  it.each(layouts)(
    'a mirrored patient gets the mirrored mask with left and right lung swapped ($name)',
    async ({ size, affine, across }) => {
      const scan = scanOf(size, affine);
      const swap = (labels: Volume<Uint8Array>): Uint8Array =>
        flipped(labels, across).voxels.map((value) => [0, 2, 1, 3][value]);
      const predict = async (image: Volume<Int16Array>, mirror: readonly 'x'[]): Promise<Volume<Uint8Array>> =>
        (await predictScan(lopsided(), image, { mirror })).labels;
      const [straight, turned] = [await predict(scan, ['x']), await predict(flipped(scan, across), ['x'])];
      expect(new Set(straight.voxels).size).toBe(4);
      // Ties at the rounding of float32 may fall either way.
      expect(differing(turned.voxels, swap(straight))).toBeLessThan(1e-3);
      // Without mirroring this network does not do that: the test can fail.
      const plain = [await predict(scan, []), await predict(flipped(scan, across), [])];
      expect(differing(plain[1].voxels, swap(plain[0]))).toBeGreaterThan(0.1);
    },
  );

  it('averages all combinations of the axes, each mirrored back', async () => {
    const seen: Float32Array[] = [];
    const size: Size3 = [2, 2, 2];
    const identity = {
      batch: 1,
      // Class 1 gets the image itself, so the mean over mirrored copies must be the image again.
      run: async (image: Float32Array) => {
        seen.push(image.slice());
        return Float32Array.from({ length: 32 }, (_, i) => (Math.floor(i / 8) === 3 ? image[i % 8] : 0));
      },
      dispose: () => undefined,
    };
    const image = Float32Array.from({ length: 8 }, (_, i) => i);
    const result = await mirrored(identity, { patch: size, axes: ['x', 'y', 'z'], classes }).run(image);
    expect(Array.from(result.subarray(24))).toEqual(Array.from(image));
    expect(seen).toHaveLength(8);
    expect(new Set(seen.map(String)).size).toBe(8);
    expect(Array.from(seen[1])).toEqual([1, 0, 3, 2, 5, 4, 7, 6]);
  });
});
