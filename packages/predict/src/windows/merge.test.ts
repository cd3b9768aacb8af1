import { describe, expect, it } from 'vitest';
import type { Size3 } from '@quickcolumn/volume';
import { createMerger, padToPatch, readPatch, type WindowWeighting } from './merge.js';
import { windowCorners, windowGrid } from './windows.js';

const size: Size3 = [11, 9, 7];
const patch: Size3 = [6, 4, 4];
const overlap: Size3 = [3, 2, 1];

function mergeAll(weighting: WindowWeighting, value: (window: number, voxel: number) => number): Float32Array {
  const grid = windowGrid(size, patch, { overlap });
  const merger = createMerger(size, patch, { grid, classes: 1, weighting });
  windowCorners(grid).forEach((corner, window) => {
    const length = patch[0] * patch[1] * patch[2];
    merger.add(
      corner,
      Float32Array.from({ length }, (_, voxel) => value(window, voxel)),
    );
  });
  merger.finish();
  return merger.classProbability(0, [0, 0, 0], size);
}

describe('merge', () => {
  it('is the plain mean over the windows that hold a voxel', () => {
    const merged = mergeAll('uniform', (window) => window);
    const corners = windowCorners(windowGrid(size, patch, { overlap }));
    for (let z = 0; z < size[2]; z++) {
      for (let y = 0; y < size[1]; y++) {
        for (let x = 0; x < size[0]; x++) {
          const holding = corners
            .map((corner, window) => ({ corner, window }))
            .filter(({ corner }) => [x, y, z].every((v, a) => v >= corner[a] && v < corner[a] + patch[a]));
          const mean = holding.reduce((sum, { window }) => sum + window, 0) / holding.length;
          expect(merged[(z * size[1] + y) * size[0] + x]).toBeCloseTo(mean, 4);
        }
      }
    }
  });

  it('leaves a constant as it is, with either weighting', () => {
    for (const weighting of ['uniform', 'gaussian'] as const) {
      for (const value of mergeAll(weighting, () => 0.25)) expect(value).toBeCloseTo(0.25, 5);
    }
  });

  it('weighs window centres more with gaussian weighting', () => {
    const uniform = mergeAll('uniform', (window) => window % 2);
    const gaussian = mergeAll('gaussian', (window) => window % 2);
    expect(gaussian.some((value, index) => Math.abs(value - uniform[index]) > 0.05)).toBe(true);
  });

  it('puts a patch back where it was read', () => {
    const voxels = Float32Array.from({ length: 11 * 9 * 7 }, (_, index) => index % 97);
    const grid = windowGrid(size, patch, { overlap });
    const merger = createMerger(size, patch, { grid, classes: 2 });
    const buffer = new Float32Array(patch[0] * patch[1] * patch[2]);
    for (const corner of windowCorners(grid)) {
      readPatch(voxels, size, { corner, patch, out: buffer });
      const both = new Float32Array(buffer.length * 2);
      both.set(buffer, buffer.length);
      merger.add(corner, both);
    }
    merger.finish();
    expect(merger.classProbability(0, [0, 0, 0], size).every((value) => value === 0)).toBe(true);
    merger.classProbability(1, [0, 0, 0], size).forEach((value, index) => expect(value).toBeCloseTo(voxels[index], 4));
  });

  it('pads on both sides with the value of air, and the box inside is the original', () => {
    const voxels = Float32Array.from({ length: 5 * 9 * 2 }, (_, index) => index);
    const padded = padToPatch(voxels, [5, 9, 2], [8, 8, 4], { value: -7 });
    expect(padded.size).toEqual([8, 9, 4]);
    expect(padded.corner).toEqual([1, 0, 1]);
    expect(padded.voxels[0]).toBe(-7);
    const back = new Float32Array(voxels.length);
    readPatch(padded.voxels, padded.size, { corner: padded.corner, patch: [5, 9, 2], out: back });
    expect(back).toEqual(voxels);
    expect(padded.voxels.filter((value) => value === -7)).toHaveLength(8 * 9 * 4 - voxels.length);
  });
});
