import type { LabelClass } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { mirroredIndices, noClass, toClassIndices } from './class-indices.js';

const one = (value: number, name: string, mirror?: number): LabelClass => ({
  value,
  name,
  color: [0, 0, 0],
  ...(mirror !== undefined && { mirror }),
});
const inOrder = [one(0, 'background'), one(1, 'left', 2), one(2, 'right', 1)];
/** Values with gaps, and not in their order. */
const scattered = [one(0, 'background'), one(40, 'right', 7), one(9, 'lesion'), one(7, 'left', 40)];

describe('toClassIndices', () => {
  it('keeps labels that are indices already, without a copy', () => {
    const labels = Uint8Array.of(2, 0, 1, 1);
    expect(toClassIndices(labels, { classes: inOrder }, 'a')).toBe(labels);
    const partly = Uint8Array.of(2, noClass, 1);
    expect(toClassIndices(partly, { classes: inOrder, ignoreLabel: noClass }, 'a')).toBe(partly);
  });

  it('goes by the order of the classes, not by that of their values', () => {
    const labels = Uint8Array.of(7, 40, 9, 0, 7);
    expect([...toClassIndices(labels, { classes: scattered }, 'a')]).toEqual([3, 1, 2, 0, 3]);
    expect([...labels]).toEqual([7, 40, 9, 0, 7]);
    const swapped = [inOrder[0], inOrder[2], inOrder[1]];
    expect([...toClassIndices(Uint8Array.of(1, 2, 0), { classes: swapped }, 'a')]).toEqual([2, 1, 0]);
  });

  it('gives classes that no voxel has, and voxels to ignore, their own index', () => {
    const labels = Uint8Array.of(0, 200, 9);
    expect([...toClassIndices(labels, { classes: scattered, ignoreLabel: 200 }, 'a')]).toEqual([0, noClass, 2]);
    // A class may have the value 255 where another one is ignored.
    const classes = [inOrder[0], one(255, 'lesion')];
    expect([...toClassIndices(Uint8Array.of(255, 3, 0), { classes, ignoreLabel: 3 }, 'a')]).toEqual([1, noClass, 0]);
  });

  it('refuses values that no class has, instead of calling them background', () => {
    expect(() => toClassIndices(Uint8Array.of(0, 5), { classes: scattered }, 'case a')).toThrow(
      /labels case a have value 5 \(1 voxels\), which no class declares/,
    );
    expect(() => toClassIndices(Uint8Array.of(0, 3), { classes: inOrder }, 'a')).toThrow(/value 3/);
    expect(() => toClassIndices(Uint8Array.of(0, noClass), { classes: inOrder }, 'a')).toThrow(/value 255/);
  });
});

describe('mirroredIndices', () => {
  it('finds partners by value, wherever they stand', () => {
    expect(mirroredIndices(inOrder)).toEqual([0, 2, 1]);
    expect(mirroredIndices(scattered)).toEqual([0, 3, 2, 1]);
  });

  it('refuses a partner that is not there', () => {
    expect(() => mirroredIndices([inOrder[0], inOrder[1]])).toThrow(
      /class left mirrors to value 2, which no class has/,
    );
  });
});
