import { describe, expect, it } from 'vitest';
import { resizeCubic } from './resample.js';
import { mirrorIndex, sampleCubic, splineCoefficients } from './spline.js';
import { closeTo, golden, randomIntegers } from './shared.test.helpers.js';
import type { Size3 } from './volume.js';

interface Samples {
  size: Size3;
  voxels: number[];
  points: [number, number, number][];
  values: number[];
}

describe('sampleCubic', () => {
  it('equals scipy.ndimage.map_coordinates inside and far outside the volume', () => {
    const { size, voxels, points, values } = golden<{ samples: Samples }>('resample.json').samples;
    const coefficients = splineCoefficients(Int16Array.from(voxels), size);
    // Values are Hounsfield units of up to 1000: 5e-4 is float32 rounding of the coefficients.
    closeTo(
      points.map(([x, y, z]) => sampleCubic(coefficients, size, x, y, z)),
      values,
      5e-4,
    );
  });

  it.each<Size3>([
    [6, 5, 4],
    [1, 40, 3],
    [2, 1, 1],
  ])('passes through the voxels of a %d×%d×%d volume', (nx, ny, nz) => {
    const size: Size3 = [nx, ny, nz];
    const voxels = randomIntegers(nx * ny * nz, 256, 7);
    const coefficients = splineCoefficients(Uint8Array.from(voxels), size);
    const values = voxels.map((_, at) =>
      sampleCubic(coefficients, size, at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))),
    );
    closeTo(values, voxels, 1e-4);
  });

  it('is what resizeCubic computes axis by axis', () => {
    const [size, newSize]: [Size3, Size3] = [
      [9, 10, 6],
      [5, 13, 4],
    ];
    const voxels = Float32Array.from(randomIntegers(540, 256, 8));
    const coefficients = splineCoefficients(voxels, size);
    const expected = Array.from({ length: 260 }, (_, at) => {
      const place = [at % 5, Math.floor(at / 5) % 13, Math.floor(at / 65)];
      const [x, y, z] = place.map((i, axis) => ((i + 0.5) * size[axis]) / newSize[axis] - 0.5);
      return sampleCubic(coefficients, size, x, y, z);
    });
    closeTo(resizeCubic(voxels, size, newSize), expected, 2e-4);
  });
});

describe('mirrorIndex', () => {
  it('folds about the end samples without repeating them', () => {
    expect([-4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map((i) => mirrorIndex(i, 3))).toEqual([0, 1, 2, 1, 0, 1, 2, 1, 0, 1]);
    expect([-5, 0, 9].map((i) => mirrorIndex(i, 1))).toEqual([0, 0, 0]);
  });
});
