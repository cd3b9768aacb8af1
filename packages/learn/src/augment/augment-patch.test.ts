import { noClass } from '@quickcolumn/cases';
import { join } from 'node:path';
import { readLabels } from '@quickcolumn/io';
import { needs, pathOf } from '@quickcolumn/testing';
import { reorient, type Size3, splineCoefficients } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { createRandom } from '@quickcolumn/random';
import { drawMirror, flip } from './mirror.js';
import {
  type AugmentationConfig,
  type AugmentCase,
  augmentationSchema,
  augmentPatch,
  muellerAugmentation,
  noAugmentation,
  paperAugmentation,
} from './index.js';

const realLabels = join(pathOf('shared'), 'covid19-ct-seg/labels/coronacases_001.nii.gz');
const classes = [{ value: 0 }, { value: 1, mirror: 2 }, { value: 2, mirror: 1 }, { value: 3 }];
const key = { seed: 5, epoch: 2, sample: 9 };

/** LPS: x grows towards the patient's left, so the left lung (1) has the larger x. */
function chest(size: Size3): AugmentCase {
  const image = new Float32Array(size[0] * size[1] * size[2]);
  const labels = new Uint8Array(image.length);
  for (let at = 0, z = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++, at++) {
        const [u, v] = [(x + 0.5) / size[0] - 0.5, (y + 0.5) / size[1] - 0.5];
        const lung = Math.hypot((Math.abs(u) - 0.22) / 0.15, v / 0.35) < 1;
        labels[at] = lung ? (u > 0 && v < -0.1 ? 3 : u > 0 ? 1 : 2) : 0;
        image[at] = (lung ? -1 : 1) + 0.1 * Math.sin(x + 2 * y + 3 * z);
      }
    }
  }
  let coefficients: Float32Array | undefined;
  return {
    image,
    labels,
    size,
    airValue: -4,
    classes,
    coefficients: () => (coefficients ??= splineCoefficients(image, size)),
  };
}

function always(
  config: AugmentationConfig,
  ...methods: Exclude<keyof AugmentationConfig, 'fill'>[]
): AugmentationConfig {
  const chosen = methods.map((name) => [name, { ...config[name], probability: 1 }] as const);
  return { ...noAugmentation, fill: config.fill, ...Object.fromEntries(chosen) };
}

function meanX(labels: Uint8Array, size: Size3, value: number): number {
  let [sum, count] = [0, 0];
  for (let at = 0; at < labels.length; at++) {
    if (labels[at] !== value) continue;
    sum += at % size[0];
    count++;
  }
  return sum / count;
}

describe('augmentPatch', () => {
  it('without augmentation is an exact crop, drawn over the whole scan', () => {
    const scan = chest([20, 18, 12]);
    const seen = [new Set<number>(), new Set<number>(), new Set<number>()];
    const marked = { ...scan, image: Float32Array.from(scan.image, (_, i) => i) };
    for (let sample = 0; sample < 200; sample++) {
      const { image, labels } = augmentPatch(marked, noAugmentation, [16, 16, 8], { ...key, sample });
      const origin = image[0];
      const start = [origin % 20, Math.floor(origin / 20) % 18, Math.floor(origin / 360)];
      start.forEach((from, axis) => {
        seen[axis].add(from);
      });
      for (const [x, y, z] of [
        [15, 15, 7],
        [3, 9, 5],
      ]) {
        const from = ((start[2] + z) * 18 + start[1] + y) * 20 + start[0] + x;
        expect(image[(z * 16 + y) * 16 + x]).toBe(from);
        expect(labels[(z * 16 + y) * 16 + x]).toBe(scan.labels[from]);
      }
    }
    expect(seen.map((positions) => [...positions].sort((a, b) => a - b))).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2],
      [0, 1, 2, 3, 4],
    ]);
  });

  it('pads a scan smaller than the patch evenly with air and background', () => {
    const scan = chest([10, 9, 8]);
    const { image, labels } = augmentPatch(
      { ...scan, labels: scan.labels.map(() => 3) },
      noAugmentation,
      [16, 16, 8],
      key,
    );
    for (let at = 0, z = 0; z < 8; z++) {
      for (let y = 0; y < 16; y++) {
        for (let x = 0; x < 16; x++, at++) {
          const inside = x >= 3 && x < 13 && y >= 3 && y < 12;
          expect(labels[at]).toBe(inside ? 3 : 0);
          expect(image[at]).toBe(inside ? scan.image[(z * 9 + y - 3) * 10 + x - 3] : -4);
        }
      }
    }
  });

  it('gives the same patch for the same key, another one for any other, and leaves the scan alone', () => {
    const scan = chest([40, 40, 24]);
    const before = [scan.image.slice(), scan.labels.slice()];
    const config = always(
      paperAugmentation,
      'mirror',
      'rotation',
      'scaling',
      'elastic',
      'gamma',
      'brightness',
      'contrast',
      'noise',
    );
    const make = (change: Partial<typeof key>): Float32Array =>
      augmentPatch(scan, config, [32, 32, 16], { ...key, ...change }).image;
    expect(make({})).toEqual(make({}));
    for (const change of [{ seed: 6 }, { epoch: 3 }, { sample: 10 }]) expect(make(change)).not.toEqual(make({}));
    expect([scan.image, scan.labels]).toEqual(before);
  });

  it('draws each method with its probability', () => {
    const scan = chest([16, 16, 16]);
    const plain = (sample: number): Float32Array =>
      augmentPatch(scan, noAugmentation, [8, 8, 8], { ...key, sample }).image;
    for (const method of ['rotation', 'scaling', 'elastic', 'gamma', 'brightness', 'contrast', 'noise'] as const) {
      const config = { ...noAugmentation, [method]: paperAugmentation[method] };
      let changed = 0;
      for (let sample = 0; sample < 1000; sample++) {
        const { image } = augmentPatch(scan, config, [8, 8, 8], { ...key, sample });
        const before = plain(sample);
        if (image.some((value, i) => value !== before[i])) changed++;
      }
      expect(Math.abs(changed - 150), method).toBeLessThan(40);
    }
  });

  it('a left-right mirror swaps the lungs and leaves lesions, other flips swap nothing', () => {
    const size: Size3 = [24, 20, 8];
    const scan = chest(size);
    const config = { ...noAugmentation, mirror: { probability: 0.5, swapLabels: true } };
    const kinds = new Set<string>();
    for (let sample = 0; sample < 40; sample++) {
      const axes = drawMirror(createRandom({ ...key, sample }, 'mirror'), 0.5);
      const { image, labels } = augmentPatch(scan, config, size, { ...key, sample });
      kinds.add(axes.join());
      const swap = axes[0] ? [0, 2, 1, 3] : [0, 1, 2, 3];
      for (let at = 0; at < labels.length; at++) {
        const [x, y, z] = [at % 24, Math.floor(at / 24) % 20, Math.floor(at / 480)];
        const from = ((axes[2] ? 7 - z : z) * 20 + (axes[1] ? 19 - y : y)) * 24 + (axes[0] ? 23 - x : x);
        if (image[at] !== scan.image[from] || labels[at] !== swap[scan.labels[from]]) {
          expect.fail(`sample ${sample}, voxel ${at}: not the mirror of voxel ${from}`);
        }
      }
      expect(meanX(labels, size, 1)).toBeGreaterThan(meanX(labels, size, 2));
    }
    expect(kinds.size).toBe(8);
  });

  it('mueller mirrors without swapping', () => {
    const size: Size3 = [24, 20, 8];
    const { labels } = augmentPatch(chest(size), always(muellerAugmentation, 'mirror'), size, key);
    expect(meanX(labels, size, 1)).toBeLessThan(meanX(labels, size, 2));
  });

  it('swaps left and right lung of a real case', needs('shared'), async () => {
    const { voxels, size } = reorient(await readLabels(realLabels), 'LPS');
    const scan = { ...chest([1, 1, 1]), image: Float32Array.from(voxels), labels: voxels, size };
    expect(meanX(voxels, size, 1)).toBeGreaterThan(meanX(voxels, size, 2));
    const swapped = augmentPatch(scan, always(paperAugmentation, 'mirror'), size, key);
    expect(meanX(swapped.labels, size, 1)).toBeGreaterThan(meanX(swapped.labels, size, 2));
    const kept = augmentPatch(scan, always(muellerAugmentation, 'mirror'), size, key);
    expect(meanX(kept.labels, size, 1)).toBeLessThan(meanX(kept.labels, size, 2));
    flip(swapped.labels, size, [true, true, true]);
    const swap = [0, 2, 1, 3];
    expect(swapped.labels.every((value, i) => value === swap[voxels[i]])).toBe(true);
    expect(voxels.some((value) => value === 3)).toBe(true);
  });

  it('fills outside the scan with air in paper, with 0 and no class in mueller', () => {
    const scan = chest([16, 16, 16]);
    const zoomOut = (config: AugmentationConfig): AugmentationConfig => {
      const chosen = always(config, 'scaling');
      return { ...chosen, scaling: { probability: 1, range: [1.25, 1.25] } };
    };
    const paper = augmentPatch(scan, zoomOut(paperAugmentation), [16, 16, 16], key);
    expect([paper.image[0], paper.labels[0]]).toEqual([-4, 0]);
    expect(paper.labels.includes(noClass)).toBe(false);
    const mueller = augmentPatch(scan, zoomOut(muellerAugmentation), [16, 16, 16], key);
    expect([mueller.image[0], mueller.labels[0]]).toEqual([0, noClass]);
  });
});

describe('augmentationSchema', () => {
  it('accepts the profiles and gives them back unchanged', () => {
    for (const profile of [paperAugmentation, muellerAugmentation, noAugmentation]) {
      expect(augmentationSchema.parse(profile)).toEqual(profile);
    }
  });

  it('refuses unknown keys, reversed ranges and impossible probabilities, naming the place', () => {
    const wrong = (change: object): string => {
      const result = augmentationSchema.safeParse({ ...paperAugmentation, ...change });
      return result.success
        ? ''
        : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join();
    };
    expect(wrong({ blur: 1 })).toMatch(/blur/);
    expect(wrong({ gamma: { probability: 0.15, range: [2, 0.5] } })).toMatch(/gamma\.range: .*first number/);
    expect(wrong({ gamma: { probability: 2, range: [0.5, 2] } })).toMatch(/gamma\.probability/);
    expect(wrong({ gamma: { probability: 0.1, range: [0, 2] } })).toMatch(/gamma\.range\.0/);
  });
});
