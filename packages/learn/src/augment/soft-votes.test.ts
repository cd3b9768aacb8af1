import { noClass } from '@quickcolumn/cases';
import { randomOf } from '@quickcolumn/testing';
import { type Size3, splineCoefficients } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import {
  type AugmentCase,
  type AugmentationConfig,
  augmentPatch,
  cropVotes,
  mixLabels,
  noAugmentation,
  packVotes,
  paperAugmentation,
  votedClasses,
} from './index.js';

const classes = [{ value: 0 }, { value: 1, mirror: 2 }, { value: 2, mirror: 1 }, { value: 3 }];
const size: Size3 = [20, 18, 12];
const voxels = size[0] * size[1] * size[2];

/** Shares of four classes, smooth in space, that add up to 1. */
function smoothShares(): Float32Array[] {
  const shares = classes.map(() => new Float32Array(voxels));
  for (let at = 0; at < voxels; at++) {
    const place = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
    const raw = classes.map((_, c) => Math.exp(Math.sin(0.2 * place[c % 3] + c)));
    const sum = raw.reduce((total, one) => total + one, 0);
    raw.forEach((one, c) => {
      shares[c][at] = one / sum;
    });
  }
  return shares;
}

const packed = packVotes(smoothShares());
const labels = votedClasses(packed, 4);
const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 0.37));
const coefficients = splineCoefficients(image, size);
const scan = (hardShare: number): AugmentCase => ({
  image,
  labels,
  votes: { packed, hardShare },
  size,
  airValue: -4,
  classes,
  coefficients: () => coefficients,
});
const key = { seed: 5, epoch: 2, sample: 9 };
const patch: Size3 = [16, 16, 16];
const only = (method: 'mirror' | 'rotation', probability = 1): AugmentationConfig => ({
  ...noAugmentation,
  [method]: { ...paperAugmentation[method], probability },
});

describe('packVotes', () => {
  it('adds up to 255 and is off by less than 1/255', () => {
    const random = randomOf('soft votes');
    const shares = [0, 1, 2, 3, 4].map(() => new Float32Array(2000));
    for (let at = 0; at < 2000; at++) {
      const raw = shares.map(() => random() ** 8);
      const sum = raw.reduce((total, one) => total + one, 0);
      raw.forEach((one, c) => {
        shares[c][at] = one / sum;
      });
    }
    const bytes = packVotes(shares);
    let worst = 0;
    for (let at = 0; at < 2000; at++) {
      let sum = 0;
      shares.forEach((ofClass, c) => {
        sum += bytes[c * 2000 + at];
        worst = Math.max(worst, Math.abs(bytes[c * 2000 + at] / 255 - ofClass[at]));
      });
      expect(sum).toBe(255);
    }
    expect(worst).toBeLessThan(1 / 255);
    expect(worst).toBeGreaterThan(0.5 / 255);
  });

  it('keeps what is certain, and which class is first', () => {
    const certain = [Float32Array.of(1, 0, 0.5), Float32Array.of(0, 1, 0.5)];
    expect([...packVotes(certain)]).toEqual([255, 0, 128, 0, 255, 127]);
    expect([...votedClasses(packVotes(certain), 2)]).toEqual([0, 1, 0]);
  });
});

describe('augmentPatch with votes', () => {
  it('changes no bit of image and labels', () => {
    for (let sample = 0; sample < 12; sample++) {
      const { votes: _votes, ...plain } = scan(0.5);
      const often = { ...paperAugmentation, rotation: { ...paperAugmentation.rotation, probability: 0.5 } };
      const expected = augmentPatch(plain, often, patch, { ...key, sample });
      const { truth, ...rest } = augmentPatch(scan(0.5), often, patch, { ...key, sample });
      expect(rest).toEqual(expected);
      expect(truth).toHaveLength(4 * 4096);
    }
  });

  it('crops them with the scan, padding is background', () => {
    const truth = cropVotes(packed, size, { patch: [4, 3, 2], start: [-2, 5, 11], outside: 0 });
    const of = (c: number, x: number, y: number, z: number): number => truth[c * 24 + (z * 3 + y) * 4 + x];
    for (let c = 0; c < 4; c++) {
      expect(of(c, 1, 1, 0)).toBe(c === 0 ? 1 : 0);
      expect(of(c, 2, 1, 1)).toBe(c === 0 ? 1 : 0);
      const from = c * voxels + (11 * size[1] + 6) * size[0] + 1;
      expect(of(c, 3, 1, 0)).toBeCloseTo(packed[from] / 255, 6);
    }
  });

  it('swaps left and right with the image in a mirror along x, unless the profile does not swap', () => {
    const always = only('mirror');
    const straight = augmentPatch(scan(0), noAugmentation, patch, key).truth;
    const swapped = augmentPatch(scan(0), always, patch, key).truth;
    const unswapped = augmentPatch(
      scan(0),
      { ...always, mirror: { probability: 1, swapLabels: false } },
      patch,
      key,
    ).truth;
    const partner = [0, 2, 1, 3];
    let differs = false;
    for (let at = 0; at < 4096; at++) {
      // All three axes are mirrored: the last voxel comes first.
      for (let c = 0; c < 4; c++) {
        expect(swapped?.[c * 4096 + at]).toBe(straight?.[partner[c] * 4096 + 4095 - at]);
        expect(unswapped?.[c * 4096 + at]).toBe(straight?.[c * 4096 + 4095 - at]);
        differs ||= swapped?.[c * 4096 + at] !== unswapped?.[c * 4096 + at];
      }
    }
    expect(differs).toBe(true);
  });

  it('interpolates them linearly, with labels nearest to them', () => {
    const { truth = new Float32Array(), labels: nearest } = augmentPatch(scan(0), only('rotation'), patch, key);
    let same = 0;
    for (let at = 0; at < 4096; at++) {
      let sum = 0;
      let largest = 0;
      for (let c = 0; c < 4; c++) {
        sum += truth[c * 4096 + at];
        if (truth[c * 4096 + at] > truth[largest * 4096 + at]) largest = c;
      }
      expect(sum).toBeCloseTo(1, 5);
      if (largest === nearest[at]) same++;
    }
    expect(same / 4096).toBeGreaterThan(0.9);
  });

  it('outside a turned scan there is the background, or no class where the profile says none', () => {
    const config = { ...only('rotation'), fill: { image: 'air', label: 'none' } } as const;
    const turned = { ...config, rotation: { probability: 1, degrees: [45, 45] } } as const;
    const { truth = new Float32Array(), labels: made } = augmentPatch(scan(0.5), turned, patch, key);
    let outside = 0;
    made.forEach((label, at) => {
      const sum = truth[at] + truth[4096 + at] + truth[8192 + at] + truth[12288 + at];
      if (label === noClass) outside++;
      expect(sum).toBeCloseTo(label === noClass ? 0 : 1, 5);
    });
    expect(outside).toBeGreaterThan(0);
  });
});

describe('mixLabels', () => {
  it('gives labels their share where a voxel has one', () => {
    const truth = Float32Array.of(0.5, 0.25, 0.5, 0.75);
    mixLabels(truth, Uint8Array.of(1, noClass), 0.5);
    expect([...truth]).toEqual([0.25, 0.25, 0.75, 0.75]);
  });
});
