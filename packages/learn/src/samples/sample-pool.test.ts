import { type Size3, splineCoefficients } from '@quickcolumn/volume';
import { afterEach, describe, expect, it } from 'vitest';
import { type AugmentationConfig, augmentPatch, packVotes, paperAugmentation } from '../augment/index.js';
import {
  createSamplePool,
  type SamplePool,
  sampleRequest,
  type SamplePoolOptions,
  shareCase,
  type TrainingSample,
} from './sample-pool.js';

const size: Size3 = [24, 22, 20];
const classes = [{ value: 0 }, { value: 1, mirror: 2 }, { value: 2, mirror: 1 }];
const often = <T extends object>(method: T): T => ({ ...method, probability: 0.5 });
const augmentation: AugmentationConfig = {
  ...paperAugmentation,
  mirror: often(paperAugmentation.mirror),
  rotation: often(paperAugmentation.rotation),
  elastic: often(paperAugmentation.elastic),
  noise: often(paperAugmentation.noise),
};
const cases = ['a', 'b', 'c'].map((name, n) => ({
  name,
  image: Float32Array.from({ length: 24 * 22 * 20 }, (_, i) => Math.sin(i * 0.01 + n)),
  labels: Uint8Array.from({ length: 24 * 22 * 20 }, (_, i) => (i + n) % 3),
  size,
  airValue: -3,
}));
const base: SamplePoolOptions = { cases, classes, augmentation, patch: [16, 16, 16], seed: 4, samplesPerEpoch: 5 };

let open: SamplePool[] = [];
afterEach(async () => {
  await Promise.all(open.map((pool) => pool.dispose()));
  open = [];
});
function start(options: Partial<SamplePoolOptions> = {}): SamplePool {
  const pool = createSamplePool({ ...base, ...options });
  open.push(pool);
  return pool;
}
async function take(pool: SamplePool, count: number): Promise<TrainingSample[]> {
  const samples: TrainingSample[] = [];
  for (let i = 0; i < count; i++) samples.push(await pool.next());
  return samples;
}

describe('SamplePool', () => {
  it('carries votes through the same augmentation, and refuses some that do not fit', async () => {
    const voxels = 24 * 22 * 20;
    const packed = packVotes(
      [0, 1, 2].map((c) => Float32Array.from({ length: voxels }, (_, i) => (i % 3 === c ? 0.8 : 0.1))),
    );
    const voting = cases.map((one) => ({ ...one, votes: { packed, hardShare: 0.5 } }));
    const pool = start({ cases: voting });
    const shared = voting.map(shareCase);
    for (const [number, sample] of (await take(pool, 4)).entries()) {
      const { caseIndex, key } = sampleRequest(number, { seed: 4, samplesPerEpoch: 5, cases: 3 });
      const source = {
        ...shared[caseIndex],
        classes,
        coefficients: () => splineCoefficients(cases[caseIndex].image, size),
      };
      const { image, labels, truth } = augmentPatch(source, augmentation, [16, 16, 16], key);
      expect(sample).toEqual({ image, labels, truth, caseName: cases[caseIndex].name });
      expect(truth).toHaveLength(3 * 4096);
    }
    const short = { packed: packed.subarray(1), hardShare: 0 };
    expect(() => start({ cases: [{ ...cases[0], votes: short }] })).toThrow(/31679 votes, expected 3 classes × 10560/);
    expect(() => start({ cases: [voting[0], cases[1]] })).toThrow(/only one of a and b has votes/);
  });

  it('gives what augmentPatch gives on this thread, independent of workers, queue and spline memory', async () => {
    const expected = Array.from({ length: 12 }, (_, number) => {
      const { caseIndex, key } = sampleRequest(number, { seed: 4, samplesPerEpoch: 5, cases: 3 });
      expect([key.epoch, key.sample]).toEqual([Math.floor(number / 5), number % 5]);
      const scan = {
        ...cases[caseIndex],
        classes,
        coefficients: () => splineCoefficients(cases[caseIndex].image, size),
      };
      return { ...augmentPatch(scan, augmentation, [16, 16, 16], key), caseName: cases[caseIndex].name };
    });
    expect(await take(start({ workers: 1 }), 12)).toEqual(expected);
    expect(await take(start({ workers: 2, queue: 7 }), 12)).toEqual(expected);
    expect(await take(start({ workers: 2, queue: 1, splineBytes: 0 }), 12)).toEqual(expected);
  });

  it('continues where an earlier run stopped', async () => {
    const whole = await take(start(), 9);
    expect(await take(start({ startAt: 6 }), 3)).toEqual(whole.slice(6));
  });

  it('answers overlapping calls in order', async () => {
    const pool = start({ workers: 2 });
    const together = await Promise.all(Array.from({ length: 6 }, () => pool.next()));
    expect(together).toEqual(await take(start(), 6));
  });

  it('measures waiting', async () => {
    const pool = start();
    expect([pool.waitedMs, pool.waitedShare]).toEqual([0, 0]);
    await pool.next();
    expect(pool.waitedMs).toBeGreaterThan(0);
    // A pause long enough fills the queue, and four patches then cost no wait. How long depends on the machine's load.
    const waits: number[] = [];
    for (let pause = 200; pause <= 6400 && waits.at(-1) !== 0; pause *= 2) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const before = pool.waitedMs;
      await take(pool, 4);
      waits.push(pool.waitedMs - before);
    }
    expect(waits.at(-1)).toBe(0);
    expect(pool.waitedShare).toBeLessThan(1);
  });

  it('rejects after dispose, and reports what failed in a worker', async () => {
    const pool = start();
    await pool.dispose();
    await expect(pool.next()).rejects.toThrow(/disposed/);
    const broken = start({ augmentation: { ...augmentation, noise: undefined } as unknown as AugmentationConfig });
    await expect(broken.next()).rejects.toThrow(/augmenting sample 0 \([abc]\) failed/);
    await expect(broken.next()).rejects.toMatchObject({ code: 'sample-pool' });
  });

  it('refuses options that cannot work', () => {
    expect(() => start({ cases: [] })).toThrow(/no case/);
    expect(() => start({ cases: [{ ...cases[0], labels: new Uint8Array(7) }] })).toThrow(/a: 10560 image and 7 label/);
    expect(() => start({ workers: 0 })).toThrow(/workers is 0/);
    expect(() => start({ startAt: -1 })).toThrow(/startAt is -1/);
  });
});

describe('sampleRequest', () => {
  it('shows every case once a round, in changing order', () => {
    const order = (round: number): number[] =>
      Array.from(
        { length: 7 },
        (_, i) => sampleRequest(round * 7 + i, { seed: 1, samplesPerEpoch: 5, cases: 7 }).caseIndex,
      );
    for (let round = 0; round < 5; round++) expect(order(round).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(order(0)).not.toEqual(order(1));
  });
});

describe('shareCase', () => {
  it('copies once', () => {
    const once = shareCase(cases[0]);
    expect(once.image.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(once.labels).toEqual(cases[0].labels);
    expect(shareCase(once).image).toBe(once.image);
  });
});
