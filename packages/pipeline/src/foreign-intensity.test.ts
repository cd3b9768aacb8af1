/** Against the formulas of nnU-Net 2 (CTNormalization, ZScoreNormalization) and MONAI 1 (ScaleIntensityRange). */
import { affineOfCodes, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { type ForeignIntensity, type ForeignPreparation, normaliseIntensity } from './foreign-intensity.js';
import { prepareScan } from './prepare.js';

const hu = Int16Array.of(-2000, -1000, -310, 40, 400, 3000);
const of = (intensity: ForeignIntensity, voxels: Int16Array | Uint8Array = hu): number[] => [
  ...normaliseIntensity(voxels, intensity, 'case_7').voxels,
];
const close = (values: readonly number[]): unknown[] => values.map((value): unknown => expect.closeTo(value, 5));

describe('maps of intensities', () => {
  it('ct clips in HU, then has the mean and deviation of the training data', () => {
    const expected = [-1000, -1000, -310, 40, 300, 300].map((value) => (value - -158.5) / 324.7);
    expect(of({ kind: 'ct', clipHu: [-1000, 300], mean: -158.5, sd: 324.7 })).toEqual(close(expected));
  });

  it('range maps linearly, cut off at its ends or not', () => {
    const intensity = { kind: 'range', fromHu: [-1000, 400], to: [-1, 1] } as const;
    const linear = [...hu].map((value) => ((value + 1000) / 1400) * 2 - 1);
    expect(of({ ...intensity, clip: false })).toEqual(close(linear));
    expect(of({ ...intensity, clip: true })).toEqual(close(linear.map((value) => Math.min(1, Math.max(-1, value)))));
  });

  it('z-score is of the volume, clipped before or not', () => {
    const moments = (values: readonly number[]): number[] => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
    };
    expect(moments(of({ kind: 'z-score', clipHu: null }))).toEqual(close([0, 1]));
    const clipped = of({ kind: 'z-score', clipHu: [-1000, 400] });
    expect(moments(clipped)).toEqual(close([0, 1]));
    expect(clipped[0]).toBe(clipped[1]);
    expect(of({ kind: 'z-score', clipHu: null }, Uint8Array.of(9, 9, 9))).toEqual([0, 0, 0]);
  });

  it('none changes nothing', () => {
    expect(of({ kind: 'none' })).toEqual([...hu]);
  });

  it('a scan that is not in HU is refused where the map is in HU', () => {
    const windowed = Uint8Array.of(0, 100, 255);
    expect(() => of({ kind: 'ct', clipHu: [-1000, 300], mean: 0, sd: 1 }, windowed)).toThrow(
      /case_7: no voxel is below -200, so it is not in HU/,
    );
    expect(() => of({ kind: 'z-score', clipHu: [-1000, 300] }, windowed)).toThrow(/not in HU/);
    expect(of({ kind: 'none' }, windowed)).toEqual([0, 100, 255]);
    expect(of({ kind: 'z-score', clipHu: null }, windowed)[0]).toBeLessThan(0);
  });
});

describe('a scan prepared for a model of another framework', () => {
  const scan: Volume = {
    size: [4, 3, 2],
    affine: affineOfCodes('RAI', [0.7, 0.8, 3]),
    voxels: Float32Array.from({ length: 24 }, (_, at) => -1000 + at),
  };
  const preparation: ForeignPreparation = {
    intensity: { kind: 'none' },
    padding: 0.25,
    spacingMm: null,
    classes: [],
  };

  it('keeps its own spacing, and every voxel its value, where no spacing is stated', () => {
    const prepared = prepareScan(scan, preparation);
    expect(prepared.size).toEqual([4, 3, 2]);
    // L-P-S is the scan the other way round along all three axes.
    expect([...prepared.image]).toEqual([...scan.voxels].reverse());
    expect(prepared).toMatchObject({ airValue: 0.25, mean: 0, sd: 1, scale: 'hu' });
  });

  it('is resampled to the stated one, after its intensities', () => {
    const prepared = prepareScan(scan, { ...preparation, spacingMm: [1.4, 0.8, 3] });
    expect(prepared.size).toEqual([2, 3, 2]);
  });
});
