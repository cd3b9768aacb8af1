import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTrainConfig } from '../config/parse-config.js';
import type { TrainConfig, TrainSettings } from '../config/train-config.js';
import { loadCheckpoint } from '../run-folder/checkpoint.js';
import { readHistory } from '../run-folder/history.js';
import type { ScheduleConfig } from '../schedules/schedule-config.js';
import type { StepResult } from '../step/step-types.js';
import { extendTraining } from './extend.js';
import { configWith, LogisticStep, SeededSamples, validationCase } from './logistic-step.test.helpers.js';
import { train, type TrainOptions, type TrainResult } from './trainer.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-extend-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Keeps the rate of every step, and dies before one. */
class WatchedStep extends LogisticStep {
  readonly rates: number[];
  readonly #diesAt: number;
  constructor(rates: number[] = [], diesAt = Number.POSITIVE_INFINITY) {
    super();
    this.rates = rates;
    this.#diesAt = diesAt;
  }
  override async run(...args: Parameters<LogisticStep['run']>): Promise<StepResult> {
    if (this.stepsRun === this.#diesAt) throw new Error('killed');
    this.rates.push(args[1]?.learningRate ?? Number.NaN);
    return super.run(...args);
  }
}

async function run(name: string, config: TrainConfig, changes: Partial<TrainOptions> = {}): Promise<TrainResult> {
  return await train({
    config,
    cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
    step: new LogisticStep(),
    evaluation: new LogisticStep(),
    openSamples: (startStep) => new SeededSamples(startStep),
    runFolder: join(root, name),
    ...changes,
  });
}

/** Goes on for `more` epochs; returns the configuration that the run folder would get. */
async function extend(
  name: string,
  config: TrainConfig,
  more: number,
  changes: Partial<TrainOptions> = {},
): Promise<TrainConfig> {
  const longer = await extendTraining(join(root, name), config, more);
  await run(name, longer.config, { resume: true, ...changes });
  return longer.config;
}

/** The last and the best weights and states, and everything in the history that is not a time. */
async function outcome(name: string): Promise<unknown> {
  const history = await readHistory(join(root, name, 'history.jsonl'));
  const numbers = history.map(({ seconds: _s, waitedSeconds: _w, time: _t, ...rest }) => rest);
  const folder = join(root, name, 'checkpoints');
  const [last, best] = [await loadCheckpoint(folder, 'last'), await loadCheckpoint(folder, 'best')];
  const { identity: _identity, ...bestState } = best?.state ?? {};
  return { numbers, last: [last?.state, last?.variables], best: [bestState, best?.variables] };
}

const byShare: ScheduleConfig[] = [
  { kind: 'polynomial', power: 0.9 },
  { kind: 'cosine', floor: 0.001 },
  { kind: 'steps', lowerAt: 2 / 3, factor: 0.1 },
  { kind: 'polynomial', power: 0.9, warmupSteps: 5 },
];

describe('a training that is extended', () => {
  it.each(byShare)('goes on with the rates of a longer one: %o', async (schedule) => {
    const [short, long] = [configWith({ epochs: 2, schedule }), configWith({ epochs: 4, schedule })];
    const [rates, planned]: [number[], number[]] = [[], []];
    await run('a', short, { step: new WatchedStep(rates) });
    await extend('a', short, 2, { step: new WatchedStep(rates) });
    await run('long', long, { step: new WatchedStep(planned) });
    expect(rates).toHaveLength(16);
    expect(rates.slice(8)).toEqual(planned.slice(8));
    expect(rates.slice(0, 8)).not.toEqual(planned.slice(0, 8));
  });

  it('doubling a polynomial one begins with 0.54 of the first rate', async () => {
    const schedule = { kind: 'polynomial', power: 0.9 } as const;
    const config = configWith({ epochs: 2, schedule });
    await run('a', config);
    const rates: number[] = [];
    await extend('a', config, 2, { step: new WatchedStep(rates) });
    expect(rates[0] / config.train.learningRate).toBeCloseTo(0.5 ** 0.9, 12);
  });

  it('says so, in its history and to the user', async () => {
    const config = configWith({ epochs: 2, schedule: { kind: 'polynomial', power: 1 } });
    await run('a', config);
    const { note } = await extendTraining(join(root, 'a'), config, 3);
    expect(note).toBe('extended from 2 to 5 epochs: the rate goes on as in a training of 5 epochs, with 0.18');
    const longer = await extend('a', config, 3);
    expect(longer.train).toMatchObject({ epochs: 5, extended: [{ untilStep: 8, epochs: 2 }] });
    const history = await readHistory(join(root, 'a', 'history.jsonl'));
    expect(history.map(({ extended }) => extended)).toEqual([
      undefined,
      undefined,
      { from: 2, to: 5 },
      undefined,
      undefined,
    ]);
  });

  it.each([...byShare, { kind: 'constant' } as const, configWith({}).train.schedule])(
    'gives the same numbers again, killed or not, and from its configuration alone: %o',
    async (schedule) => {
      const config = configWith({ epochs: 2, schedule });
      await run('a', config);
      const longer = await extend('a', config, 2);
      const expected = await outcome('a');
      await run('b', config);
      const again = await extendTraining(join(root, 'b'), config, 2);
      expect(again.config).toEqual(longer);
      // Twice: before the first checkpoint that knows of the extension, and within its second epoch.
      for (const diesAt of [0, 6]) {
        const step = new WatchedStep([], diesAt);
        await expect(run('b', longer, { resume: true, step })).rejects.toThrow('killed');
      }
      await run('b', longer, { resume: true });
      expect(await outcome('b')).toEqual(expected);
      await run('anew', longer);
      expect(await outcome('anew')).toEqual(expected);
    },
  );

  it('may have been interrupted within an epoch, and be extended more than once', async () => {
    const schedule = { kind: 'cosine', floor: 0 } as const;
    const config = configWith({ epochs: 2, schedule });
    const controller = new AbortController();
    const stopAt = (done: number): Partial<TrainOptions> => ({
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.kind === 'step' && progress.epoch === 2 && progress.step === done) controller.abort();
      },
    });
    expect((await run('a', config, stopAt(1))).outcome).toBe('interrupted');
    // Extended again before a step was made.
    const once = await extendTraining(join(root, 'a'), config, 1);
    const rates: number[] = [];
    const twice = await extend('a', once.config, 1, { step: new WatchedStep(rates) });
    expect(twice.train.extended).toEqual([
      { untilStep: 5, epochs: 2 },
      { untilStep: 5, epochs: 3 },
    ]);
    expect(rates[0]).toBeCloseTo(0.15 * (1 + Math.cos((Math.PI * 5) / 16)), 12);
    const thrice = await extend('a', twice, 2);
    expect(thrice.train.extended?.[2]).toEqual({ untilStep: 16, epochs: 4 });
    const history = await readHistory(join(root, 'a', 'history.jsonl'));
    expect(history.map(({ extended }) => extended?.to)).toEqual([undefined, 4, undefined, undefined, 6, undefined]);
    const expected = await outcome('a');
    await run('anew', thrice);
    expect(await outcome('anew')).toEqual(expected);
  });

  it('waits anew where the wait had stopped it', async () => {
    // A rate at which nothing is learned any more after the first epoch.
    const config = configWith({ epochs: 12, earlyStop: 2, learningRate: 1e-30, schedule: { kind: 'constant' } });
    const stopped = await run('a', config);
    expect(stopped.outcome).toBe('early-stop');
    expect((await run('a', config, { resume: true })).epochs).toBe(stopped.epochs);
    const longer = await extend('a', config, 3);
    expect(longer.train.epochs).toBe(15);
    const history = await readHistory(join(root, 'a', 'history.jsonl'));
    expect(history.length).toBeGreaterThan(stopped.epochs);
    const expected = await outcome('a');
    await run('anew', longer);
    expect(await outcome('anew')).toEqual(expected);
  });

  it('keeps what a plateau has counted', async () => {
    const config = configWith({ epochs: 3 });
    await run('a', config);
    const before = (await loadCheckpoint(join(root, 'a', 'checkpoints'), 'last'))?.state.schedule;
    expect(before).toMatchObject({ best: expect.any(Number) });
    await extend('a', config, 3);
    await run('whole', configWith({ epochs: 6 }));
    const [one, other] = [await outcome('a'), await outcome('whole')] as { readonly last: unknown }[];
    expect(one.last).toEqual(other.last);
  });
});

it('a training that is not there is not extended', async () => {
  await expect(extendTraining(join(root, 'none'), configWith({}), 1)).rejects.toThrow('there is no training to extend');
});

it('an error about more epochs names the way to have them', async () => {
  const schedule = { kind: 'cosine', floor: 0 } as const;
  await run('a', configWith({ epochs: 1, schedule }));
  const longer = run('a', configWith({ epochs: 3, schedule }), { resume: true });
  await expect(longer).rejects.toMatchObject({
    message: expect.stringContaining('train.epochs changed from 1 to 3'),
    fields: { options: { 'extend 2': 'train that much longer' } },
  });
});

it('the plans of a configuration grow', () => {
  const parse = (settings: Partial<TrainSettings>): TrainConfig =>
    parseTrainConfig({ profile: 'quick', train: settings }, 'config.yaml');
  const extended = [{ untilStep: 400, epochs: 4 }];
  expect(parse({ epochs: 5, extended }).train.extended).toEqual(extended);
  expect(() => parse({ epochs: 4, extended })).toThrow(
    'train.extended[0]: 4 epochs up to step 400 are followed by 4; only more can follow',
  );
  expect(() => parse({ epochs: 9, extended: [...extended, { untilStep: 300, epochs: 6 }] })).toThrow(
    'train.extended[0]',
  );
});
