import { covidClasses, type Size3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { postProcess } from './post-process.js';

const size: Size3 = [20, 12, 10];
const at = (x: number, y: number, z: number): number => (z * size[1] + y) * size[0] + x;

/** Voxels of 2 × 2 × 5 mm = 0.02 ml, stored R-A-S. */
function maskOf(paint: (set: (value: number, from: Size3, to: Size3) => void) => void): Volume<Uint8Array> {
  const voxels = new Uint8Array(size[0] * size[1] * size[2]);
  paint((value, from, to) => {
    for (let z = from[2]; z < to[2]; z++)
      for (let y = from[1]; y < to[1]; y++) for (let x = from[0]; x < to[0]; x++) voxels[at(x, y, z)] = value;
  });
  return { voxels, size, affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1] };
}

const count = ({ voxels }: Volume<Uint8Array>, value: number): number => voxels.filter((v) => v === value).length;

describe('postProcess', () => {
  const mask = maskOf((set) => {
    set(1, [1, 1, 1], [8, 9, 8]); // left lung
    set(1, [17, 9, 8], [19, 11, 9]); // a stray piece of it in the background, 4 voxels
    set(2, [10, 1, 1], [16, 9, 8]); // right lung
    set(3, [2, 2, 2], [5, 5, 5]); // a lesion in the left lung, 27 voxels
    set(3, [12, 4, 4], [13, 6, 5]); // a small one in the right lung, 2 voxels = 0.04 ml
    set(0, [3, 3, 3], [4, 4, 4]); // a hole in the lesion
    set(0, [13, 7, 6], [14, 8, 7]); // a hole in the right lung
  });

  it('does nothing when nothing is asked for', () => {
    const result = postProcess(mask, covidClasses, {});
    expect(result).toMatchObject({ removedVoxels: 0, filledVoxels: 0 });
    expect(result.labels.voxels).toEqual(mask.voxels);
    expect(result.labels.voxels).not.toBe(mask.voxels);
  });

  it('keeps the largest components of a class; what is dropped becomes what surrounds it', () => {
    const { labels, removedVoxels } = postProcess(mask, covidClasses, { keepLargest: [{ value: 1, components: 1 }] });
    expect(removedVoxels).toBe(4);
    expect(labels.voxels[at(17, 9, 8)]).toBe(0);
    expect(count(labels, 1)).toBe(count(mask, 1) - 4);
    const two = postProcess(mask, covidClasses, { keepLargest: [{ value: 1, components: 2 }] });
    expect(two.labels.voxels).toEqual(mask.voxels);
    const lesion = postProcess(mask, covidClasses, { keepLargest: [{ value: 3, components: 1 }] });
    expect(lesion.labels.voxels[at(12, 4, 4)]).toBe(2);
    expect(count(lesion.labels, 3)).toBe(26);
  });

  it('drops lesions below a volume in ml, by the real size of the voxels', () => {
    const drop = (volumeMl: number): Volume<Uint8Array> =>
      postProcess(mask, covidClasses, { minimumVolume: [{ value: 3, volumeMl }] }).labels;
    expect(count(drop(0.04), 3)).toBe(28);
    expect(count(drop(0.041), 3)).toBe(26);
    expect(drop(0.041).voxels[at(12, 5, 4)]).toBe(2);
    expect(count(drop(1), 3)).toBe(0);
    // Sheared by 45°, a voxel keeps its volume although its columns are longer.
    const sheared = { ...mask, affine: [2, 0, 5, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1] as const };
    const result = postProcess(sheared, covidClasses, { minimumVolume: [{ value: 3, volumeMl: 0.041 }] });
    expect(result.removedVoxels).toBe(2);
  });

  it('fills background that a class encloses, and nothing else', () => {
    const lesion = postProcess(mask, covidClasses, { fillHoles: [3] });
    expect(lesion.filledVoxels).toBe(1);
    expect(lesion.labels.voxels[at(3, 3, 3)]).toBe(3);
    const lung = postProcess(mask, covidClasses, { fillHoles: [2] });
    expect(lung.labels.voxels[at(13, 7, 6)]).toBe(2);
    // The lesion inside the lung is enclosed too, and stays.
    expect(count(lung.labels, 3)).toBe(count(mask, 3));
    const open = maskOf((set) => {
      set(1, [0, 2, 2], [9, 9, 8]);
      set(0, [0, 4, 4], [5, 5, 5]); // a channel to the border of the scan
    });
    expect(postProcess(open, covidClasses, { fillHoles: [1] }).filledVoxels).toBe(0);
  });

  it('refuses what is no class', () => {
    for (const value of [0, 9]) {
      expect(() => postProcess(mask, covidClasses, { fillHoles: [value] })).toThrow(
        `post-processing: ${value} is no class of the model; use 1 left lung, 2 right lung, 3 infection`,
      );
    }
  });
});
