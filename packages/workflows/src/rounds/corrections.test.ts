import { describe, expect, it } from 'vitest';
import { compareLabels } from './corrections.js';
import { entropySum } from './run-rounds.js';

describe('what the person changed', () => {
  const classes = [
    { value: 0, name: 'background', color: [0, 0, 0] },
    { value: 1, name: 'lung', color: [0, 0, 0] },
    { value: 3, name: 'infection', color: [0, 0, 0] },
  ] as const;

  it('is counted by hand', () => {
    const volume = (voxels: number[]): { voxels: Uint8Array; size: [number, number, number]; affine: never } => ({
      voxels: Uint8Array.from(voxels),
      size: [voxels.length, 1, 1],
      affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1] as unknown as never,
    });
    const prediction = volume([0, 1, 1, 1, 0, 0]);
    const corrected = volume([0, 1, 1, 0, 1, 255]);
    expect(compareLabels('a', { prediction, corrected }, { classes, ignoreLabel: 255 })).toEqual({
      name: 'a',
      changedVoxels: 3,
      changedMl: 0.06,
      dice: { lung: 4 / 6, infection: null },
    });
  });

  it('entropy is that of the definition', () => {
    expect(entropySum(Float32Array.of(0, 1, 0.5, 0.25, -1e-9, 1 + 1e-7))).toBeCloseTo(
      0.5 * Math.log(2) + 0.25 * Math.log(4),
      6,
    );
  });
});
