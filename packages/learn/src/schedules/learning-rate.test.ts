import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { profiles } from '../config/profiles.js';
import { advanceSchedule, learningRateAt, startSchedule } from './learning-rate.js';

interface Golden {
  readonly config: { factor: number; patience: number; minDelta: number; cooldown: number; floor: number };
  readonly losses: readonly number[];
  readonly rates: readonly number[];
}

const golden: readonly Golden[] = JSON.parse(
  readFileSync(new URL('../../../../test/golden/plateau.json', import.meta.url), 'utf8'),
);

describe('plateau', () => {
  it.each(golden)('follows the golden sequence of patience $config.patience, cooldown $config.cooldown', (one) => {
    let state = startSchedule(1e-3);
    const rates = one.losses.map((loss) => {
      // Through JSON, as a resume does after every epoch.
      state = JSON.parse(JSON.stringify(advanceSchedule({ kind: 'plateau', ...one.config }, state, loss)));
      return state.learningRate;
    });
    expect(new Set(rates).size).toBeGreaterThan(2);
    rates.forEach((rate, epoch) => expect(rate / one.rates[epoch]).toBeCloseTo(1, 12));
  });

  it('lowers the paper rate after 15 bad epochs, once, to the floor', () => {
    const { schedule, learningRate } = profiles.paper.train;
    let state = startSchedule(learningRate);
    const rates = Array.from({ length: 40 }, () => {
      state = advanceSchedule(schedule, state, 1);
      return state.learningRate;
    });
    expect(rates.indexOf(1e-5)).toBe(15);
    expect(rates[39]).toBe(1e-5);
  });
});

it('steps lowers the quick rate tenfold for the last third', () => {
  const { schedule, learningRate, epochs, stepsPerEpoch } = profiles.quick.train;
  const totalSteps = epochs * stepsPerEpoch;
  const rate = (step: number): number => learningRateAt(schedule, startSchedule(learningRate), { step, totalSteps });
  expect([0, 666, 667, 999].map(rate)).toEqual([1e-3, 1e-3, 1e-4, 1e-4]);
});

describe('schedules by step', () => {
  const rates = (config: Parameters<typeof learningRateAt>[0], steps: readonly number[]): number[] =>
    steps.map((step) => learningRateAt(config, startSchedule(0.01), { step, totalSteps: 100 }));
  const close = (actual: readonly number[], expected: readonly number[]): void =>
    actual.forEach((rate, i) => expect(rate).toBeCloseTo(expected[i], 12));

  it('polynomial decays to 0 by the share of the steps done', () => {
    close(rates({ kind: 'polynomial', power: 0.9 }, [0, 50, 99]), [0.01, 0.01 * 0.5 ** 0.9, 0.01 * 0.01 ** 0.9]);
  });

  it('cosine goes from the rate to the floor, half way in the middle', () => {
    close(rates({ kind: 'cosine', floor: 0.002 }, [0, 50, 100]), [0.01, 0.006, 0.002]);
  });

  it('warm-up rises linearly, and the rest counts from its end', () => {
    close(rates({ kind: 'constant', warmupSteps: 20 }, [0, 9, 19, 20, 99]), [0.0005, 0.005, 0.01, 0.01, 0.01]);
    close(rates({ kind: 'polynomial', power: 1, warmupSteps: 20 }, [9, 20, 60]), [0.005, 0.01, 0.005]);
    close(rates({ kind: 'cosine', floor: 0, warmupSteps: 100 }, [49, 99]), [0.005, 0.01]);
  });
});
