import { DefectError } from '@quickcolumn/defects';
import { describe, expect, it } from 'vitest';
import { paperPreparation } from './config.js';
import { detectScale, scaleIntensity, standardizeInPlace, zScoreInPlace } from './intensity.js';

const windowed = paperPreparation;
const minmax = { ...paperPreparation, intensity: 'minmax' } as const;

describe('scale detection', () => {
  it('calls a minimum below -200 HU', () => {
    expect(detectScale(Int16Array.of(-201, 40), 'a')).toBe('hu');
    expect(detectScale(Int16Array.of(-200, 40), 'a')).toBe('0-255');
    expect(detectScale(Uint8Array.of(0, 255), 'a')).toBe('0-255');
  });

  it('refuses voxels that are not finite', () => {
    const scan = Float32Array.of(-1000, Number.NaN, Number.POSITIVE_INFINITY, 0);
    expect(() => detectScale(scan, 'case_7')).toThrow(DefectError);
    expect(() => detectScale(scan, 'case_7')).toThrow('case_7: 2 of 4 voxels are not finite');
  });
});

describe('window mode', () => {
  it('clips HU to [-1250, 250] and maps them to 0-255', () => {
    const { voxels, scale, air } = scaleIntensity(Int16Array.of(-2000, -1250, -500, 250, 3000), windowed, 'a');
    expect([...voxels]).toEqual([0, 0, 127.5, 255, 255]);
    expect(scale).toBe('hu');
    expect(air).toBe(42.5);
  });

  it('leaves a 0-255 scan as it is, never clipped at 250', () => {
    const { voxels, scale, air } = scaleIntensity(Float32Array.of(0, 100.5, 255, 251), windowed, 'a');
    expect([...voxels]).toEqual([0, 100.5, 255, 251]);
    expect(scale).toBe('0-255');
    expect(air).toBe(0);
  });
});

describe('minmax mode', () => {
  it('clips, then stretches the scan to whole numbers 0-255', () => {
    const { voxels, air } = scaleIntensity(Int16Array.of(-1100, -1050, -425, 100, 3000), minmax, 'a');
    // min -1100, max 250: factor 255/1350 = 0.18889
    expect([...voxels]).toEqual([0, 9, 128, 227, 255]);
    expect(air).toBe(19);
  });

  it('clips 0-255 scans at 250 too, and air is never below the scan', () => {
    const { voxels, air } = scaleIntensity(Uint8Array.of(50, 150, 255), minmax, 'a');
    expect([...voxels]).toEqual([0, 128, 255]);
    expect(air).toBe(0);
    expect(scaleIntensity(Int16Array.of(-800, 0), minmax, 'a').air).toBe(0);
  });

  it('turns a constant scan into zeros', () => {
    expect([...scaleIntensity(Int16Array.of(-900, -900), minmax, 'a').voxels]).toEqual([0, 0]);
  });
});

describe('fixed mode', () => {
  const fixed = { ...paperPreparation, intensity: 'fixed', clipHu: [-1000, 400] } as const;

  it('gives a value of HU the same number in every scan', () => {
    const numbers = [Int16Array.of(-1000, 40, 400), Int16Array.of(40, -900, -300, 3000)].map((scan) => {
      const { voxels } = scaleIntensity(scan, fixed, 'a');
      standardizeInPlace(voxels, 'fixed');
      return [...voxels];
    });
    // (HU + 300) / (1400 / √12)
    const expected = (hu: number): number => (hu + 300) / (1400 / Math.sqrt(12));
    numbers[0].forEach((value, i) => expect(value).toBeCloseTo(expected([-1000, 40, 400][i]), 4));
    numbers[1].forEach((value, i) => expect(value).toBeCloseTo(expected([40, -900, -300, 400][i]), 4));
  });

  it('refuses a 0-255 scan, whose window nobody knows', () => {
    expect(() => scaleIntensity(Uint8Array.of(0, 255), fixed, 'case_7')).toThrow(/case_7.*not in HU.*intensity window/);
  });
});

describe('zScoreInPlace', () => {
  it('uses the population standard deviation and the 1e-6 terms', () => {
    const voxels = Float32Array.of(0, 0, 127.5, 255);
    const { mean, sd } = zScoreInPlace(voxels);
    expect(mean).toBeCloseTo(95.625, 10);
    expect(sd).toBeCloseTo(Math.sqrt((2 * 95.625 ** 2 + 31.875 ** 2 + 159.375 ** 2) / 4), 10);
    expect(voxels[3]).toBeCloseTo(159.375 / sd, 6);
    // (0 + 1e-6) / (0 + 1e-6): a constant scan is 1, not NaN.
    const flat = Float32Array.of(7, 7);
    zScoreInPlace(flat);
    expect([...flat]).toEqual([1, 1]);
  });
});
