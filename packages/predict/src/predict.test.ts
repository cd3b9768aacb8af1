import { describe, expect, it } from 'vitest';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import type { Volume } from '@quickcolumn/volume';
import type { LoadedModel } from './model-types.js';
import { predictScan, resolveWindow } from './predict.js';
import { describeMask } from './sidecar.js';

const metadata: ModelMetadata = {
  format: 'quickcolumn-model',
  version: 1,
  network: { name: 'unet3d', rootFilters: 4 },
  preparation: {
    intensity: 'window',
    clipHu: [-1250, 250],
    spacingMm: [2, 2, 4],
    classes: [
      { value: 0, name: 'background', color: [0, 0, 0] },
      { value: 7, name: 'bright', color: [255, 0, 0] },
    ],
  },
  patch: [32, 32, 16],
  overlap: [16, 16, 8],
  training: {},
  notes: '',
  weightsSha256: 'abc',
};

/** Calls a voxel bright when its z-scored value is above 0: a network whose answer is known. */
function threshold(calls: number[] = [], value = (z: number): number => (z > 0 ? 1 : 0)): LoadedModel {
  return {
    metadata,
    compile: async () => ({
      run: async (image) => {
        calls.push(image.length);
        const out = new Float32Array(image.length * 2);
        for (let i = 0; i < image.length; i++) {
          out[image.length + i] = value(image[i]);
          out[i] = 1 - out[image.length + i];
        }
        return out;
      },
      dispose: () => undefined,
    }),
  };
}

/** Air with a bright box; voxel axes point right, posterior, inferior (not the LPS of the prepared grid). */
function boxScan(size: [number, number, number]): { scan: Volume<Int16Array>; inside: Uint8Array } {
  const voxels = new Int16Array(size[0] * size[1] * size[2]).fill(-1000);
  const inside = new Uint8Array(voxels.length);
  for (let z = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++) {
        if (x < size[0] / 4 || x > size[0] / 2 || y < 20 || y > 50 || z < 4 || z > 15) continue;
        const at = (z * size[1] + y) * size[0] + x;
        voxels[at] = 100;
        inside[at] = 7;
      }
    }
  }
  return { scan: { voxels, size, affine: [1, 0, 0, -50, 0, -1, 0, 30, 0, 0, -3, 10, 0, 0, 0, 1] }, inside };
}

function dice(a: Uint8Array, b: Uint8Array): number {
  let both = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    both += a[i] > 0 && b[i] > 0 ? 1 : 0;
    sum += (a[i] > 0 ? 1 : 0) + (b[i] > 0 ? 1 : 0);
  }
  return (2 * both) / sum;
}

describe('predictScan', () => {
  it('finds the box on the scan’s own grid, over many windows', async () => {
    const { scan, inside } = boxScan([90, 80, 30]);
    const calls: number[] = [];
    const { labels, estimate, scale } = await predictScan(threshold(calls), scan);
    expect(labels.size).toEqual(scan.size);
    expect(labels.affine).toEqual(scan.affine);
    expect(scale).toBe('hu');
    expect(estimate.preparedSize).toEqual([45, 40, 22]);
    expect(calls).toHaveLength(estimate.windows);
    expect(calls.length).toBeGreaterThan(4);
    expect(new Set(labels.voxels)).toEqual(new Set([0, 7]));
    expect(dice(labels.voxels, inside)).toBeGreaterThan(0.95);
  });

  it('pads a scan that is smaller than the patch', async () => {
    const { scan, inside } = boxScan([40, 60, 20]);
    const { labels } = await predictScan(threshold(), scan, { patch: [64, 64, 32] });
    expect(labels.size).toEqual(scan.size);
    expect(dice(labels.voxels, inside)).toBeGreaterThan(0.93);
  });

  it('hands out each class’s probabilities, which sum to 1', async () => {
    const { scan } = boxScan([40, 60, 20]);
    const kept: Float32Array[] = [];
    await predictScan(threshold(), scan, { onProbability: (_, { voxels }) => void kept.push(voxels) });
    expect(kept).toHaveLength(2);
    for (let i = 0; i < kept[0].length; i += 101) expect(kept[0][i] + kept[1][i]).toBeCloseTo(1, 4);
  });

  it('refuses before compiling when memory is short', async () => {
    const { scan } = boxScan([40, 60, 20]);
    const calls: number[] = [];
    await expect(predictScan(threshold(calls), scan, { availableBytes: 1000, name: 'a.nii' })).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringMatching(/a\.nii: prediction needs about \d+ MB/),
    });
    expect(calls).toHaveLength(0);
  });

  it('stops on numbers that are not finite, and on an abort', async () => {
    const { scan } = boxScan([40, 60, 20]);
    const broken = threshold([], () => Number.NaN);
    await expect(predictScan(broken, scan)).rejects.toMatchObject({ code: 'runtime' });
    const signal = AbortSignal.abort();
    await expect(predictScan(threshold(), scan, { signal })).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('names the axis and the next size of a patch that cannot be halved four times', () => {
    const model = threshold();
    expect(() => resolveWindow(model, { patch: [32, 32, 30] })).toThrow('patch[2]: 30 is not a multiple of 16; use 32');
    expect(() => resolveWindow(model, { overlap: [32, 0, 0] })).toThrow(/overlap\[0\]: 32/);
    expect(resolveWindow(model, { patch: [64, 64, 16] }).overlap).toEqual([32, 32, 8]);
  });
});

describe('describeMask', () => {
  it('names every class, its volume and the model', () => {
    const labels = { voxels: new Uint8Array([0, 7, 7, 0]), size: [4, 1, 1], affine: boxScan([4, 1, 1]).scan.affine };
    const sidecar = describeMask(labels as unknown as Volume<Uint8Array>, metadata, {
      mask: 'a.nii.gz',
      scan: { name: 'a', scale: 'hu', size: [4, 1, 1] },
      model: { file: 'm.onnx', sha256: 'f00' },
      window: { patch: [32, 32, 16], overlap: [16, 16, 8] },
    });
    expect(sidecar.notice).toBe('research use only, not a medical device');
    expect(sidecar.model.weightsSha256).toBe('abc');
    expect(sidecar.classes[1]).toEqual({ value: 7, name: 'bright', color: [255, 0, 0], voxels: 2, volumeMl: 0.006 });
    expect(sidecar).not.toHaveProperty('quantities');
  });

  it('holds the quantities with as many decimals as mean something', () => {
    const { scan } = boxScan([4, 1, 1]);
    const labels = { ...scan, voxels: new Uint8Array([0, 7, 7, 0]) };
    const { quantities } = describeMask(labels, metadata, {
      mask: 'a.nii.gz',
      scan: { name: 'a', scale: 'hu', size: [4, 1, 1] },
      model: { file: 'm.onnx', sha256: 'f00' },
      window: { patch: [32, 32, 16], overlap: [16, 16, 8] },
      quantities: {
        lesion: 'bright',
        minimumLesionMl: 0.05,
        lesionMl: 1.23456,
        lesionCount: 2,
        lesionMeanHu: -412.3456,
        leftLungMeanHu: null,
        rightLungMeanHu: -801.25,
        infectedShare: { left: 1 / 3, right: null, both: 0.25 },
      },
    });
    expect(quantities).toEqual({
      lesion: 'bright',
      minimumLesionMl: 0.05,
      lesionMl: 1.235,
      lesionCount: 2,
      lesionMeanHu: -412.3,
      leftLungMeanHu: null,
      rightLungMeanHu: -801.3,
      infectedShare: { left: 0.3333, right: null, both: 0.25 },
    });
  });
});
