import { noClass } from '@quickcolumn/cases';
import type { Size3, Vector3 } from '@quickcolumn/volume';
import { splineCoefficients } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { createRandom } from '@quickcolumn/random';
import { drawElasticField, nodeSpacing, readFieldRow } from './elastic.js';
import { resamplePatch, type SpatialTransform } from './spatial.js';

const air = { image: -9, label: 0 };
const beyond = { image: -5, label: noClass };

function each(size: Size3, visit: (x: number, y: number, z: number, at: number) => void): void {
  let at = 0;
  for (let z = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++) for (let x = 0; x < size[0]; x++) visit(x, y, z, at++);
}

/** Slow in space, so that cubic interpolation is exact to about 1e-3. */
const wave = ([x, y, z]: Vector3): number =>
  Math.sin(0.21 * x + 0.1) + Math.cos(0.17 * y) * Math.sin(0.19 * z + 0.3 + 0.05 * x);

function scanOf(size: Size3): { coefficients: Float32Array; labels: Uint8Array; size: Size3; image: Float32Array } {
  const image = new Float32Array(size[0] * size[1] * size[2]);
  const labels = new Uint8Array(image.length);
  each(size, (x, y, z, at) => {
    image[at] = wave([x, y, z]);
    labels[at] = (x * 7 + y * 3 + z) % 251;
  });
  return { image, labels, size, coefficients: splineCoefficients(image, size) };
}

type Matrix = readonly (readonly number[])[];
const multiply = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => [0, 1, 2].map((j) => row[0] * b[0][j] + row[1] * b[1][j] + row[2] * b[2][j]));
const about: readonly ((angle: number) => Matrix)[] = [
  (a) => [
    [1, 0, 0],
    [0, Math.cos(a), -Math.sin(a)],
    [0, Math.sin(a), Math.cos(a)],
  ],
  (a) => [
    [Math.cos(a), 0, Math.sin(a)],
    [0, 1, 0],
    [-Math.sin(a), 0, Math.cos(a)],
  ],
  (a) => [
    [Math.cos(a), -Math.sin(a), 0],
    [Math.sin(a), Math.cos(a), 0],
    [0, 0, 1],
  ],
];

describe('resamplePatch', () => {
  it('turns by exactly 90 degrees about z', () => {
    const scan = scanOf([9, 9, 5]);
    const transform: SpatialTransform = { angles: [0, 0, Math.PI / 2], scale: 1 };
    const { image, labels } = resamplePatch(scan, {
      patch: [9, 9, 5],
      start: [0, 0, 0],
      transform,
      padding: air,
      outside: beyond,
    });
    each([9, 9, 5], (x, y, z, at) => {
      const from = (z * 9 + x) * 9 + (8 - y);
      expect(image[at]).toBeCloseTo(scan.image[from], 5);
      expect(labels[at]).toBe(scan.labels[from]);
    });
  });

  it.each([
    ['about x', [0.2, 0, 0], 1],
    ['about y', [0, -0.25, 0], 1],
    ['about z', [0, 0, 0.15], 1],
    ['about all, scaled', [0.1, -0.2, 0.26], 0.85],
    ['scaled only', [0, 0, 0], 1.25],
  ] as const)('samples a known function where the rotation says: %s', (_, angles, scale) => {
    const scan = scanOf([40, 38, 36]);
    const patch: Size3 = [15, 14, 13];
    const start: Size3 = [11, 12, 10];
    const transform = { angles, scale };
    const { image, labels } = resamplePatch(scan, { patch, start, transform, padding: air, outside: beyond });
    const matrix = multiply(multiply(about[0](angles[0]), about[1](angles[1])), about[2](angles[2]));
    let worst = 0;
    each(patch, (x, y, z, at) => {
      const offset = [x - 7, y - 6.5, z - 6];
      const source = [11 + 7, 12 + 6.5, 10 + 6].map(
        (centre, i) =>
          centre + scale * (matrix[i][0] * offset[0] + matrix[i][1] * offset[1] + matrix[i][2] * offset[2]),
      ) as [number, number, number];
      worst = Math.max(worst, Math.abs(image[at] - wave(source)));
      const [i, j, k] = source.map(Math.round);
      expect(labels[at]).toBe((i * 7 + j * 3 + k) % 251);
    });
    expect(worst).toBeLessThan(1e-3);
  });

  it('fills padding and the outside separately, at the same voxels in image and labels', () => {
    const scan = scanOf([20, 20, 6]);
    const patch: Size3 = [20, 20, 11];
    const transform: SpatialTransform = { angles: [0, 0, 0], scale: 1.25 };
    const { image, labels } = resamplePatch(scan, {
      patch,
      start: [0, 0, -2],
      transform,
      padding: air,
      outside: beyond,
    });
    let counts = [0, 0, 0];
    each(patch, (x, y, z, at) => {
      const source = [9.5 + 1.25 * (x - 9.5), 9.5 + 1.25 * (y - 9.5), 3 + 1.25 * (z - 5)];
      const within = (low: readonly number[], high: readonly number[]): boolean =>
        source.every((p, i) => p >= low[i] - 0.5 && p < high[i] - 0.5);
      const kind = within([0, 0, 0], [20, 20, 6]) ? 0 : within([0, 0, -2], [20, 20, 9]) ? 1 : 2;
      counts = counts.map((count, i) => count + (i === kind ? 1 : 0));
      if (kind > 0) {
        const fill = kind === 1 ? air : beyond;
        expect([image[at], labels[at]]).toEqual([fill.image, fill.label]);
      } else {
        expect(Math.abs(image[at])).toBeLessThan(2.5);
        expect(labels[at]).not.toBe(noClass);
      }
    });
    expect(Math.min(...counts)).toBeGreaterThan(100);
  });

  it('moves voxels by the elastic field', () => {
    const scan = scanOf([40, 40, 40]);
    const patch: Size3 = [16, 16, 16];
    const constant = (value: number): Float32Array => new Float32Array(5 * 5 * 5).fill(value);
    const elastic = { size: [5, 5, 5] as const, along: [constant(1.5), constant(-2.25), constant(3)] as const };
    const transform = { angles: [0, 0, 0] as const, scale: 1, elastic };
    const { image } = resamplePatch(scan, { patch, start: [12, 12, 12], transform, padding: air, outside: beyond });
    each(patch, (x, y, z, at) => {
      expect(Math.abs(image[at] - wave([x + 13.5, y + 9.75, z + 15]))).toBeLessThan(1e-3);
    });
  });
});

describe('drawElasticField', () => {
  it.each([9, 13])('has the strength and smoothness of filtered white noise at sigma %i', (sigma) => {
    const alpha = 900;
    let [squares, products, pairs, total] = [0, 0, 0, 0];
    for (let sample = 0; sample < 6; sample++) {
      const random = createRandom({ seed: 3, epoch: 0, sample }, 'elastic');
      const { size, along } = drawElasticField(random, [120, 120, 80], { alpha, sigma });
      for (const field of along) {
        each(size, (x, _y, _z, at) => {
          squares += field[at] ** 2;
          total++;
          if (x + 4 < size[0]) {
            products += field[at] * field[at + 4];
            pairs++;
          }
        });
      }
    }
    // Variance of Σ g·u with var u = 1/3 and Σ g² = (4 π sigma²)^(−3/2); autocorrelation exp(−d² / 4 sigma²).
    const expected = (alpha / Math.sqrt(3)) * (4 * Math.PI * sigma ** 2) ** -0.75;
    expect(Math.sqrt(squares / total) / expected).toBeGreaterThan(0.9);
    expect(Math.sqrt(squares / total) / expected).toBeLessThan(1.1);
    const distance = 4 * nodeSpacing;
    expect(products / pairs / (squares / total)).toBeCloseTo(Math.exp(-(distance ** 2) / (4 * sigma ** 2)), 1);
  });

  it('interpolates rows through the nodes and linearly between them', () => {
    const field = drawElasticField(createRandom({ seed: 1, epoch: 0, sample: 0 }, 'elastic'), [17, 10, 9], {
      alpha: 900,
      sigma: 9,
    });
    const row = (y: number, z: number): Float32Array => {
      const rows = [new Float32Array(17), new Float32Array(17), new Float32Array(17)] as const;
      readFieldRow(field, y, z, { rows, scratch: new Float32Array(field.size[0]) });
      return rows[1];
    };
    const [nx, ny] = field.size;
    expect(row(8, 4)[12]).toBe(field.along[1][(1 * ny + 2) * nx + 3]);
    expect(row(8, 4)[14]).toBeCloseTo((row(8, 4)[12] + row(8, 4)[16]) / 2, 6);
    expect(row(6, 4)[5]).toBeCloseTo((row(4, 4)[5] + row(8, 4)[5]) / 2, 6);
    expect(row(8, 7)[5]).toBeCloseTo((row(8, 4)[5] + 3 * row(8, 8)[5]) / 4, 6);
  });
});
