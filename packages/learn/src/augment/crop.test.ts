import { createRandom } from '@quickcolumn/random';
import type { Size3 } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { drawFocusedCrop } from './crop.js';

const size: Size3 = [20, 12, 9];
const patch: Size3 = [8, 8, 16];
const voxels: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [19, 11, 8],
  [10, 5, 4],
];

function scanWith(classIndex: number): { labels: Uint8Array; size: Size3 } {
  const labels = new Uint8Array(size[0] * size[1] * size[2]);
  for (const [x, y, z] of voxels) labels[(z * size[1] + y) * size[0] + x] = classIndex;
  return { labels, size };
}

const draw = (sample: number, share = 1, classIndex = 3): Size3 | undefined =>
  drawFocusedCrop(createRandom({ seed: 1, epoch: 0, sample }, 'focus'), scanWith(3), patch, [{ classIndex, share }]);

describe('a focused crop', () => {
  it('contains a voxel of the class, stays inside where it can, and reaches every voxel', () => {
    const reached = new Set<string>();
    for (let sample = 0; sample < 300; sample++) {
      const start = draw(sample);
      if (start === undefined) throw new Error('every patch is focused');
      const inside = voxels.filter((voxel) =>
        voxel.every((v, axis) => v >= start[axis] && v < start[axis] + patch[axis]),
      );
      expect(inside.length).toBeGreaterThan(0);
      for (const voxel of inside) reached.add(voxel.join());
      expect(start[0]).toBeGreaterThanOrEqual(0);
      expect(start[0]).toBeLessThanOrEqual(12);
      expect(start[1]).toBeLessThanOrEqual(4);
      // The scan is flatter than the patch: it lies in its middle.
      expect(start[2]).toBe(-3);
    }
    expect(reached.size).toBe(3);
  });

  it('is drawn as often as asked, and the same for the same key', () => {
    const focused = Array.from({ length: 1000 }, (_, sample) => draw(sample, 0.3));
    const count = focused.filter((start) => start !== undefined).length;
    expect(count).toBeGreaterThan(250);
    expect(count).toBeLessThan(350);
    expect(Array.from({ length: 1000 }, (_, sample) => draw(sample, 0.3))).toEqual(focused);
  });

  it('is an ordinary one where the scan has none of the class', () => {
    expect(draw(0, 1, 2)).toBeUndefined();
  });
});
