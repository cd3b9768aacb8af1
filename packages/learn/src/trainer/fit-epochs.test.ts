import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, describe, it } from 'vitest';
import { loadCheckpoint } from '../run-folder/checkpoint.js';
import { epochsOf, extendTraining } from './extend.js';
import { fitEpochs } from './fit-epochs.js';
import { configWith, LogisticStep, SeededSamples, validationCase } from './logistic-step.test.helpers.js';
import { train, type TrainOptions, type TrainResult } from './trainer.js';

const epochsOfSeconds = (...seconds: number[]): { seconds: number }[] => seconds.map((one) => ({ seconds: one }));

describe('fitEpochs', () => {
  it.each([
    // As planned: 10 s each, 30 epochs in 300 s.
    [[10, 10], 30, 300, 30],
    // A little off is left as it is.
    [[10, 10.1], 30, 300, 30],
    // Twice as slow: half as many. Twice as fast: twice as many.
    [[20], 30, 300, 15],
    [[5, 5], 30, 300, 60],
    // The latest epochs count: slow at first, fast now.
    [[60, 10, 10, 10, 10, 10], 30, 300, 25],
    // No time left: what is done is the end, and never less.
    [[200, 200], 30, 300, 2],
    [[100, 100, 100], 2, 300, 3],
  ])('%j planned %i in %i s gives %i', (seconds, planned, available, expected) => {
    expect(fitEpochs(epochsOfSeconds(...seconds), planned, available)).toBe(expected);
  });
});

describe('a training with minutes', () => {
  const run = async (folder: string, changes: Partial<TrainOptions>, settings = {}): Promise<TrainResult> =>
    await train({
      config: configWith({ minutes: 1, schedule: { kind: 'cosine', floor: 0 }, ...settings }),
      cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
      step: new LogisticStep(),
      evaluation: new LogisticStep(),
      openSamples: (startStep) => new SeededSamples(startStep),
      runFolder: folder,
      ...changes,
    });

  it('ends when the time is over, stays ended, and can be extended by epochs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-fit-'));
    try {
      const result = await run(folder, { fitSeconds: 1e-6 });
      expect(result).toMatchObject({ outcome: 'finished', epochs: 1 });
      const state = (await loadCheckpoint(join(folder, 'checkpoints'), 'last'))?.state;
      expect(state?.fittedEpochs).toBe(1);
      expect(await run(folder, { fitSeconds: 1e-6, resume: true })).toMatchObject({ outcome: 'finished', epochs: 1 });
      const planned = configWith({ minutes: 1, schedule: { kind: 'cosine', floor: 0 } });
      const { config } = await extendTraining(folder, planned, 2);
      expect(config.train).toMatchObject({ epochs: 3, extended: [{ untilStep: 4, epochs: 1, minutes: 1 }] });
      expect(config.train.minutes).toBeUndefined();
      expect(await run(folder, { config, resume: true })).toMatchObject({ outcome: 'finished', epochs: 3 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('counts what earlier sessions have taken, and has the rates of the fitted number', () => {
    const { train: settings } = configWith({ minutes: 1 });
    const state = { steps: 8, partial: null, fittedEpochs: 9 };
    expect(epochsOf(settings, state)).toBe(9);
    const { minutes: _minutes, ...timeless } = settings;
    expect(epochsOf(timeless, state)).toBe(6);
  });
});
