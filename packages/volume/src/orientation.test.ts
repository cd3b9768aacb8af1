import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, axisCodes } from './geometry.js';
import { permuteAndFlip, reorient, reorientBack, reorientation, reorientedAffine } from './orientation.js';
import { affineArbitrary, closeTo, golden, sizeArbitrary } from './shared.test.helpers.js';
import type { Affine, Size3, Volume } from './volume.js';

interface Reoriented {
  target: string;
  size: Size3;
  affine: Affine;
  voxels: number[];
  newSize: Size3;
  newAffine: Affine;
  newVoxels: number[];
}

const targets = ['LPS', 'RAS', 'SAR', 'IRP', 'ALI'];
const ras: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

function numbered(size: Size3, affine: Affine): Volume<Int16Array> {
  return { voxels: Int16Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => at), size, affine };
}

describe('reorient', () => {
  it("equals nibabel's as_reoriented for random oblique and sheared affines", () => {
    const { reoriented } = golden<{ reoriented: Reoriented[] }>('orientation.json');
    for (const { target, size, affine, voxels, newSize, newAffine, newVoxels } of reoriented) {
      const result = reorient({ voxels: Int16Array.from(voxels), size, affine }, target);
      expect(result.size).toEqual(newSize);
      expect([...result.voxels]).toEqual(newVoxels);
      closeTo(result.affine, newAffine, 1e-7);
    }
  });

  it('round trips exactly through every orientation, keeping every voxel at its place in the world', () => {
    fc.assert(
      fc.property(affineArbitrary(), sizeArbitrary(6), fc.constantFrom(...targets), (affine, size, target) => {
        const volume = numbered(size, affine);
        const turned = reorient(volume, target);
        const back = reorientBack(turned, affine, size, target);
        expect(back.voxels).toEqual(volume.voxels);
        expect(back.size).toEqual(size);
        expect(back.affine).toBe(affine);
        for (const at of [0, turned.voxels.length - 1, turned.voxels.length >> 1]) {
          closeTo(
            applyAffine(affine, placeOf(turned.voxels[at], size)),
            applyAffine(turned.affine, placeOf(at, turned.size)),
            1e-9,
          );
        }
      }),
    );
  });

  it('brings axis-aligned grids of every orientation to the target codes', () => {
    for (const from of targets) {
      const { affine } = reorient(numbered([2, 3, 4], ras), from);
      expect(axisCodes(affine)).toBe(from);
      for (const to of targets) expect(axisCodes(reorient(numbered([2, 3, 4], affine), to).affine)).toBe(to);
    }
  });

  it('returns the volume itself when nothing moves', () => {
    const volume = numbered([2, 3, 4], ras);
    expect(reorient(volume, 'RAS')).toBe(volume);
  });

  it('copies right across the edges of its tiles, for every element type', () => {
    const size: Size3 = [70, 33, 35];
    const affine: Affine = [0, 0, -1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    for (const type of [Uint8Array, Int8Array, Uint16Array, Float32Array, Int32Array, Float64Array]) {
      const voxels = new type(70 * 33 * 35);
      for (let at = 0; at < voxels.length; at++) voxels[at] = at % 113;
      const { voxels: out, size: newSize } = reorient({ voxels, size, affine }, 'RAS');
      expect(out.constructor).toBe(type);
      expect(newSize).toEqual([35, 33, 70]);
      let wrong = 0;
      for (let z = 0, at = 0; z < 70; z++) {
        for (let y = 0; y < 33; y++) {
          for (let x = 0; x < 35; x++, at++) if (out[at] !== voxels[((34 - x) * 33 + y) * 70 + z]) wrong++;
        }
      }
      expect(wrong).toBe(0);
    }
  });

  it('works on views into larger buffers', () => {
    const buffer = Int16Array.from({ length: 12 }, (_, at) => at);
    const { voxels } = permuteAndFlip(buffer.subarray(3, 9), [3, 2, 1], {
      permutation: [0, 1, 2],
      flip: [true, false, false],
    });
    expect([...voxels]).toEqual([5, 4, 3, 8, 7, 6]);
  });

  it('never writes −0 into an affine', () => {
    const affine = reorientedAffine(ras, [2, 2, 2], reorientation(ras, 'LPS'));
    expect(affine.some((value) => Object.is(value, -0))).toBe(false);
  });

  it('refuses impossible codes and volumes of another size', () => {
    for (const codes of ['LR S', 'LLS', 'lps', 'LP', ''])
      expect(() => reorientation(ras, codes)).toThrow(/such as LPS/);
    expect(() => reorient({ ...numbered([2, 3, 4], ras), size: [2, 3, 5] })).toThrow(/24 voxels do not fill/);
    expect(() => reorientBack(numbered([2, 3, 4], ras), ras, [4, 3, 2])).toThrow(
      /resize it to the reoriented grid first/,
    );
  });
});

function placeOf(at: number, [nx, ny]: Size3): [number, number, number] {
  return [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
}
