import { covidClasses, type LabelClass, type Size3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { estimatePrediction } from './memory.js';
import { metadataOf, modelFrom, realModel } from './model.test.helpers.js';
import { ensembleOf } from './model/ensemble.js';
import type { LoadedModel } from './model/loaded-model.js';
import { predictScan, type PredictOptions, resolveWindow } from './predict.js';

const bright: readonly LabelClass[] = [
  { value: 0, name: 'background', color: [0, 0, 0] },
  { value: 7, name: 'bright', color: [255, 0, 0] },
];

/** Calls a voxel bright when its z-scored value is above 0: a network whose answer is known. */
function threshold(calls: number[] = [], value = (z: number): number => (z > 0 ? 1 : 0)): LoadedModel {
  const run = (image: Float32Array): Float32Array => {
    calls.push(image.length);
    const out = new Float32Array(image.length * 2);
    for (let i = 0; i < image.length; i++) {
      out[image.length + i] = value(image[i]);
      out[i] = 1 - out[image.length + i];
    }
    return out;
  };
  return modelFrom(run, { metadata: metadataOf({ classes: bright }) });
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

  it('compares host memory with the host alone: what a card holds is not in it', async () => {
    const { scan } = boxScan([40, 60, 20]);
    const huge = { hostBytes: 0, cardBytes: 1e15 };
    const onCard = { ...threshold(), estimateBytes: () => huge };
    const { estimate } = await predictScan(onCard, scan, { availableBytes: 1e9 });
    expect(estimate.cardBytes).toBe(1e15);
    await expect(predictScan(onCard, scan, { availableBytes: 1000 })).rejects.toMatchObject({ code: 'memory' });
    const onHost = { ...threshold(), estimateBytes: () => ({ hostBytes: 1e15, cardBytes: 0 }) };
    await expect(predictScan(onHost, scan, { availableBytes: 1e9 })).rejects.toMatchObject({ code: 'memory' });
  });

  it('knows whose memory a network takes, and how many windows its runtime wants', () => {
    const patch: Size3 = [32, 32, 16];
    const onHost = realModel(1, { classes: bright, patch });
    const onCard = realModel(1, { classes: bright, patch, memory: 'card', windowsAtOnce: 4 });
    const bytes = onHost.estimateBytes?.(patch, 1);
    expect(bytes?.hostBytes).toBeGreaterThan(1e5);
    expect(bytes?.cardBytes).toBe(0);
    expect(onCard.estimateBytes?.(patch, 1)).toEqual({ hostBytes: 0, cardBytes: bytes?.hostBytes });
    expect([onHost.windowsAtOnce, onCard.windowsAtOnce]).toEqual([1, 4]);
    expect(onHost.runtime).toMatchObject({ name: 'onnx', precision: 'float32' });
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

describe('several windows at once', () => {
  const { scan } = boxScan([90, 80, 30]);
  const patch: Size3 = [32, 32, 16];
  const classes = covidClasses;

  /** What it says of a voxel depends on its place in the window and on a neighbour. */
  const lopsided = (shift: number): LoadedModel =>
    modelFrom(
      (window) => {
        const out = new Float32Array(window.length * classes.length);
        for (let i = 0; i < window.length; i++) {
          const scores = [shift + Math.sin(i), window[i], window[Math.max(0, i - 1)] * (i % 3), 0.5];
          const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
          for (const [c, score] of scores.entries()) out[c * window.length + i] = Math.exp(score) / sum;
        }
        return out;
      },
      { metadata: metadataOf({ classes, patch }) },
    );
  const real = (seed: number): LoadedModel => realModel(seed, { classes, patch });

  interface Predicted {
    readonly labels: Uint8Array;
    readonly probabilities: readonly Float32Array[];
    readonly done: readonly number[];
  }

  async function predicted(models: LoadedModel[], windowsAtOnce: number, options: PredictOptions): Promise<Predicted> {
    const model = ensembleOf(models.map((one) => ({ ...one, windowsAtOnce })));
    const [probabilities, done]: [Float32Array[], number[]] = [[], []];
    const { labels, estimate } = await predictScan(model, scan, {
      ...options,
      onProbability: (_, { voxels }) => void probabilities.push(voxels),
      onProgress: (progress) => void done.push(progress.done),
    });
    expect(estimate.batch).toBe(windowsAtOnce);
    // With three, the last batch is short.
    expect(estimate.windows % 3).not.toBe(0);
    return { labels: labels.voxels, probabilities, done };
  }

  it.each([
    ['plainly', [lopsided(0)], {}],
    ['mirrored', [lopsided(0)], { mirror: ['x', 'z'] }],
    ['with Gaussian windows', [lopsided(0)], { weighting: 'gaussian' }],
    ['by an ensemble', [lopsided(0), lopsided(1)], {}],
    ['mirrored, by an ensemble', [lopsided(0), lopsided(1)], { mirror: ['x'], weighting: 'gaussian' }],
  ] as const)('give bit for bit what one at a time gives, %s', async (_, models, options) => {
    const one = await predicted([...models], 1, options);
    expect(new Set(one.labels).size).toBe(4);
    for (const batch of [2, 3]) {
      const more = await predicted([...models], batch, options);
      expect(more.done).toEqual(one.done);
      expect(Buffer.compare(more.labels, one.labels)).toBe(0);
      more.probabilities.forEach((p, c) => expect(p.every((value, i) => value === one.probabilities[c][i])).toBe(true));
    }
  });

  it.each([
    ['', [real(1)], [2, 3], {}],
    [', mirrored', [real(1)], [2], { mirror: ['x'] }],
    [', by an ensemble', [real(1), real(2)], [2], {}],
  ] as const)('give the mask of one at a time on ONNX Runtime%s', async (_, models, batches, options) => {
    const one = await predicted([...models], 1, options);
    expect(new Set(one.labels).size).toBeGreaterThan(1);
    for (const batch of batches) {
      const more = await predicted([...models], batch, options);
      // Kernels may add up in another order: a tie of two classes may fall otherwise, and nothing else.
      more.probabilities.forEach((p, c) => {
        const worst = p.reduce((max, value, i) => Math.max(max, Math.abs(value - one.probabilities[c][i])), 0);
        expect(worst, `class ${c}`).toBeLessThanOrEqual(1e-6);
      });
      const clear = (i: number): boolean => {
        const [best, next] = one.probabilities.map((p) => p[i]).sort((a, b) => b - a);
        return best - next > 2e-6;
      };
      const differing = one.labels.filter((label, i) => label !== more.labels[i] && clear(i)).length;
      expect(differing).toBe(0);
    }
  });

  it('are as many as a compiled model takes, and fewer where memory is short', async () => {
    const calls: number[] = [];
    const played = threshold();
    const model: LoadedModel = {
      ...played,
      windowsAtOnce: 4,
      async compile(size, batch) {
        const compiled = await played.compile(size, batch);
        return { ...compiled, run: async (image) => (calls.push(image.length), await compiled.run(image)) };
      },
    };
    const { windows, peakBytes } = estimatePrediction(model, scan, { patch, overlap: [16, 16, 8], batch: 2 });
    await predictScan(model, scan, { compiled: await model.compile(patch, 3) });
    expect(calls).toEqual(Array.from({ length: Math.ceil(windows / 3) }, () => 3 * 32 * 32 * 16));
    expect((await predictScan(model, scan, { availableBytes: peakBytes })).estimate.batch).toBe(2);
    calls.length = 0;
    // A scan of one window fills no batch.
    const { scan: small } = boxScan([40, 60, 20]);
    expect((await predictScan(model, small, { patch: [64, 64, 32] })).estimate.batch).toBe(1);
    expect(calls).toEqual([64 * 64 * 32]);
  });
});
