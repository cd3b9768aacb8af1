import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../run-folder/checkpoint.js';
import { readHistory } from '../run-folder/history.js';
import { configWith, LogisticStep, SeededSamples, smallConfig, validationCase } from './logistic-step.test.helpers.js';
import type { TrainConfig } from '../config/train-config.js';
import type { TrainProgress } from './progress.js';
import type { StepResult } from '../step/step-types.js';
import { TrainError, TrainingDivergedError } from '../train-error.js';
import { type TrainOptions, type TrainResult, train } from './trainer.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-train-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function options(name: string, changes: Partial<TrainOptions> = {}): TrainOptions {
  return {
    config: smallConfig,
    cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
    step: new LogisticStep(),
    evaluation: new LogisticStep(),
    openSamples: (startStep) => new SeededSamples(startStep),
    runFolder: join(root, name),
    ...changes,
  };
}

/** The last weights and everything in the history that is not a time. */
async function outcome(name: string): Promise<unknown> {
  const [checkpoint, best] = await Promise.all(
    (['last', 'best'] as const).map(async (which) => {
      const found = await loadCheckpoint(join(root, name, 'checkpoints'), which);
      return [found?.state, found?.variables];
    }),
  );
  const history = await readHistory(join(root, name, 'history.jsonl'));
  const numbers = history.map(({ seconds: _s, waitedSeconds: _w, time: _t, ...rest }) => rest);
  return { checkpoint, best, numbers };
}

class DyingStep extends LogisticStep {
  readonly #diesAt: number;
  constructor(diesAt: number) {
    super();
    this.#diesAt = diesAt;
  }
  override async run(...args: Parameters<LogisticStep['run']>): Promise<StepResult> {
    if (this.stepsRun === this.#diesAt) throw new Error('killed');
    return super.run(...args);
  }
}

describe('what a resume compares', () => {
  it('the paper’s loss has no kind in it, as in runs that were begun before losses had one', async () => {
    const { alpha, beta, epsilon } = { alpha: 0.5, beta: 0.5, epsilon: 1e-6 };
    const named: TrainConfig = { ...configWith({ epochs: 2 }), loss: { kind: 'tversky-ce', alpha, beta, epsilon } };
    await train(options('a', { config: configWith({ epochs: 1 }) }));
    const { identity } = (await loadCheckpoint(join(root, 'a', 'checkpoints'), 'last'))?.state ?? { identity: {} };
    const keys = Object.keys(identity).filter((key) => /^(loss|optimizer)/.test(key));
    expect(keys).toEqual([
      'loss.alpha',
      'loss.beta',
      'loss.epsilon',
      'optimizer.kind',
      'optimizer.beta1',
      'optimizer.beta2',
      'optimizer.epsilon',
    ]);
    expect((await train(options('a', { config: named, resume: true }))).epochs).toBe(2);
    const other: TrainConfig = { ...named, loss: { kind: 'dice', epsilon, background: true } };
    await expect(train(options('a', { config: other, resume: true }))).rejects.toThrow('loss.');
  });

  it('the number of epochs, where the rate is a share of all steps', async () => {
    const schedule = { kind: 'cosine', floor: 0 } as const;
    await train(options('b', { config: configWith({ epochs: 1, schedule }) }));
    const longer = options('b', { config: configWith({ epochs: 2, schedule }), resume: true });
    await expect(train(longer)).rejects.toThrow('train.epochs changed from 1 to 2');
  });
});

describe('train', () => {
  it('learns, keeps last and best and reports each epoch', async () => {
    const seen: TrainProgress[] = [];
    const samples = new SeededSamples(0);
    const result = await train(options('a', { openSamples: () => samples, onProgress: (one) => seen.push(one) }));
    expect(result.outcome).toBe('finished');
    expect(result.epochs).toBe(6);
    const losses = result.history.map((record) => record.training.loss);
    expect(losses[5]).toBeLessThan(losses[0] * 0.75);
    const validation = result.history.map((record) => record.validation?.loss ?? Number.NaN);
    expect(result.best).toEqual({
      epoch: validation.indexOf(Math.min(...validation)) + 1,
      loss: Math.min(...validation),
    });
    expect(result.history.map((record) => record.steps)).toEqual([4, 8, 12, 16, 20, 24]);
    // The plateau of 2 epochs with minDelta 0.05 must have lowered the rate within 6 epochs.
    expect(result.history[5].learningRate).toBeCloseTo(0.03, 10);
    expect(seen.filter((one) => one.kind === 'step')).toHaveLength(24);
    expect(seen.filter((one) => one.kind === 'epoch')).toHaveLength(6);
    expect(samples.disposed).toBe(true);
    expect(await readHistory(join(root, 'a', 'history.jsonl'))).toEqual(result.history);
    const best = await loadCheckpoint(join(root, 'a', 'checkpoints'), 'best');
    expect(best?.state.epoch).toBe(result.best?.epoch);
  });

  it('gives the same numbers when stopped at any step and resumed', async () => {
    await train(options('whole'));
    const expected = await outcome('whole');
    const kills: number[][] = [[0], [2], [3], [4], [11, 1], [5, 0, 7]];
    for (const [index, steps] of kills.entries()) {
      const name = `killed-${index}`;
      for (const diesAt of steps) {
        await expect(train(options(name, { resume: true, step: new DyingStep(diesAt) }))).rejects.toThrow('killed');
      }
      const result = await train(options(name, { resume: true }));
      expect(result.outcome).toBe('finished');
      expect(await outcome(name)).toEqual(expected);
    }
  });

  it('repeats an epoch that was killed between its history line and its checkpoint', async () => {
    await train(options('whole'));
    await train(options('cut', { config: configWith({ epochs: 3 }) }));
    const history = join(root, 'cut', 'history.jsonl');
    const line = (await readFile(join(root, 'whole', 'history.jsonl'), 'utf8')).split('\n')[3];
    await appendFile(history, `${line}\n{"epoch":5,"ste`);
    await train(options('cut', { resume: true }));
    expect(await outcome('cut')).toEqual(await outcome('whole'));
  });

  it("counts Adam's t from 1 over all epochs and sessions", async () => {
    const counted: number[] = [];
    class CountingStep extends LogisticStep {
      override async run(...args: Parameters<LogisticStep['run']>): Promise<StepResult> {
        if (args[1] !== undefined) counted.push(args[1].step);
        return super.run(...args);
      }
    }
    await train(options('a', { config: configWith({ epochs: 2 }), step: new CountingStep() }));
    await train(options('a', { config: configWith({ epochs: 3 }), step: new CountingStep(), resume: true }));
    expect(counted).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  it('stops with a typed error on a NaN loss and keeps the last good checkpoint', async () => {
    class NanStep extends LogisticStep {
      override async run(...args: Parameters<LogisticStep['run']>): Promise<StepResult> {
        const result = await super.run(...args);
        return this.stepsRun === 10 ? { ...result, loss: Number.NaN } : result;
      }
    }
    const error: unknown = await train(options('nan', { step: new NanStep() })).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TrainingDivergedError);
    expect(error).toMatchObject({ code: 'diverged', fields: { what: 'loss', epoch: 3, step: 2, keptEpoch: 2 } });
    expect((await loadCheckpoint(join(root, 'nan', 'checkpoints'), 'last'))?.state.epoch).toBe(2);
  });

  it('does not save weights that became NaN in the last step of an epoch', async () => {
    class NanWeights extends LogisticStep {
      override async run(...args: Parameters<LogisticStep['run']>): Promise<StepResult> {
        const result = await super.run(...args);
        if (this.stepsRun === 8) this.values[0] = Number.NaN;
        return result;
      }
    }
    const run = train(options('nan', { step: new NanWeights(), cases: { train: [{ name: 'a' }], validation: [] } }));
    await expect(run).rejects.toMatchObject({ code: 'diverged', fields: { what: 'weight', keptEpoch: 1 } });
    expect((await loadCheckpoint(join(root, 'nan', 'checkpoints'), 'last'))?.state.epoch).toBe(1);
  });

  it('finishes the step in flight on abort, saves it, and resumes exactly without repeating it', async () => {
    const controller = new AbortController();
    const step = new LogisticStep();
    const result = await train(
      options('abort', {
        step,
        signal: controller.signal,
        onProgress: (one) => {
          if (one.kind === 'step' && one.epoch === 3 && one.step === 2) controller.abort();
        },
      }),
    );
    expect(result).toMatchObject({ outcome: 'interrupted', epochs: 2 } satisfies Partial<TrainResult>);
    expect(result.message).toBe('interrupted; nothing is lost, resume continues with step 3 of epoch 3');
    expect(step.stepsRun).toBe(10);
    const rest = new LogisticStep();
    const notes: TrainProgress[] = [];
    await train(options('abort', { resume: true, step: rest, onProgress: (one) => notes.push(one) }));
    expect(notes[0]).toEqual({ kind: 'note', message: 'resuming after step 2 of epoch 3' });
    expect(rest.stepsRun).toBe(14);
    await train(options('whole'));
    expect(await outcome('abort')).toEqual(await outcome('whole'));
  });

  it('stops at the epoch end when the time is over, and after epochs without a better loss', async () => {
    const timed = await train(options('time', { config: configWith({ maxMinutes: 1e-9 }) }));
    expect(timed).toMatchObject({ outcome: 'time-limit', epochs: 1 });
    class StuckStep extends LogisticStep {
      override async run(batch: Parameters<LogisticStep['run']>[0]): Promise<StepResult> {
        return { ...(await super.run(batch)), loss: 1 };
      }
    }
    const stuck = await train(options('stuck', { config: configWith({ earlyStop: 3 }), step: new StuckStep() }));
    expect(stuck).toMatchObject({ outcome: 'early-stop', epochs: 4 });
  });

  it('refuses a run folder in use and settings that would change the numbers', async () => {
    await train(options('a', { config: configWith({ epochs: 1 }) }));
    await expect(train(options('a'))).rejects.toThrow(/holds a training already; resume it or choose/);
    const changed = train(options('a', { resume: true, config: configWith({ learningRate: 0.1 }) }));
    await expect(changed).rejects.toThrow(/cannot resume, train.learningRate changed from 0.3 to 0.1/);
    const otherCases = train(options('a', { resume: true, cases: { train: [{ name: 'b' }], validation: [] } }));
    await expect(otherCases).rejects.toBeInstanceOf(TrainError);
    // A finished run resumes to itself without a step.
    const step = new LogisticStep();
    const again = await train(options('a', { resume: true, step, config: configWith({ epochs: 1 }) }));
    expect(again.outcome).toBe('finished');
    expect(step.stepsRun).toBe(0);
  });

  it('saves within an epoch, so that a kill repeats what came after that alone', async () => {
    await train(options('whole'));
    const expected = await outcome('whole');
    for (const diesAt of [1, 3, 6, 23]) {
      const name = `killed-${diesAt}`;
      const often = { saveEverySeconds: 0, resume: true };
      await expect(train(options(name, { ...often, step: new DyingStep(diesAt) }))).rejects.toThrow('killed');
      const rest = new LogisticStep();
      await train(options(name, { ...often, step: rest }));
      expect(rest.stepsRun).toBe(24 - diesAt);
      expect(await outcome(name)).toEqual(expected);
    }
  });

  it('goes on from the checkpoint before a damaged one, says which, and comes to the same', async () => {
    await train(options('whole'));
    await train(options('hurt', { config: configWith({ epochs: 4 }) }));
    const folder = join(root, 'hurt', 'checkpoints');
    const { weights } = JSON.parse(await readFile(join(folder, 'last.json'), 'utf8')) as { weights: { file: string } };
    await writeFile(join(folder, weights.file), 'torn');
    await rm(join(root, 'hurt', 'history.jsonl'));
    const notes: string[] = [];
    const onProgress = (one: TrainProgress): number => (one.kind === 'note' ? notes.push(one.message) : 0);
    await train(options('hurt', { resume: true, onProgress }));
    expect(notes).toEqual([
      expect.stringMatching(
        /^the last checkpoint cannot be used: .*damaged: 4 bytes .*; the one after epoch 3 is whole$/,
      ),
      expect.stringMatching(/history\.jsonl: it lacks epochs 1 to 3; they are written again from the checkpoint$/),
      'resuming after epoch 3',
    ]);
    expect(await outcome('hurt')).toEqual(await outcome('whole'));
  });

  it('notices cases that hold something else, names them, and goes on when told to', async () => {
    const cases = (a: string, v: string): Pick<TrainOptions, 'cases'> => ({
      cases: {
        train: [
          { name: 'a', key: a },
          { name: 'b', key: 'same' },
        ],
        validation: [{ ...validationCase('v', 1000), key: v }],
      },
    });
    const resume = (a: string, v: string, more: Partial<TrainOptions> = {}): Promise<TrainResult> =>
      train(options('a', { ...cases(a, v), resume: true, ...more }));
    await train(options('a', { ...cases('1', '2'), config: configWith({ epochs: 1 }) }));
    const before = await outcome('a');
    const error: unknown = await resume('1', '3').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'train',
      message: `${join(root, 'a')}: cannot resume, scans or labels have changed since the training was begun, in 1 of 3 cases: v; put them back or start a new run folder`,
      fields: { cases: ['v'] },
    });
    expect(error).not.toHaveProperty('fields.options');
    await expect(resume('9', '9', { caseName: (name) => `case ${name}` })).rejects.toThrow(
      'in 2 of 3 cases: case a, case v;',
    );
    await expect(resume('9', '2', { acceptChangedData: false })).rejects.toMatchObject({
      fields: { options: { 'accept-changed-data': 'go on with them all the same' } },
    });
    expect(await outcome('a')).toEqual(before);
    const notes: string[] = [];
    await resume('9', '2', {
      acceptChangedData: true,
      config: configWith({ epochs: 2 }),
      onProgress: (one) => (one.kind === 'note' ? notes.push(one.message) : undefined),
    });
    expect(notes).toContain('going on with changed scans or labels, in 1 of 3 cases: a');
    // From now on these are the training's data.
    expect((await resume('9', '2', { config: configWith({ epochs: 3 }) })).epochs).toBe(3);
  });

  it('says what has changed and nothing else', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ name: `case_${i}` }));
    const cases = { train: many, validation: [] };
    await train(options('a', { cases, config: configWith({ epochs: 1 }) }));
    const changed = {
      ...smallConfig,
      preparation: {
        ...smallConfig.preparation,
        classes: smallConfig.preparation.classes.map((one) => ({
          ...one,
          name: one.name.replace('infection', 'lesion'),
        })),
      },
    };
    const others = { train: [...many.slice(2), { name: 'new' }], validation: [] };
    await expect(train(options('a', { cases: others, config: changed, resume: true }))).rejects.toThrow(
      `${join(root, 'a')}: cannot resume, preparation.classes[1].name changed from "infection" to "lesion", ` +
        'cases.train lost case_0, case_1 and got new; put it back or start a new run folder',
    );
    const reversed = { train: many.toReversed(), validation: [] };
    await expect(train(options('a', { cases: reversed, resume: true }))).rejects.toThrow(
      'cannot resume, cases.train has another order; put',
    );
  });

  it('validates every patch once, whatever the batch', async () => {
    class Sizes extends LogisticStep {
      readonly sizes: number[] = [];
      override async run(...args: Parameters<LogisticStep['run']>): Promise<StepResult> {
        this.sizes.push(args[0].labels.length / 4096);
        return super.run(...args);
      }
    }
    const validation = [1000, 1001, 1002].map((seed) => validationCase(`v${seed}`, seed));
    const losses: number[] = [];
    for (const batch of [1, 2, 4]) {
      const evaluation = new Sizes();
      const step = new LogisticStep();
      const config = configWith({ epochs: 1, stepsPerEpoch: 1, validationPatches: 1, batch, learningRate: 1e-30 });
      const openSamples = (startStep: number): SeededSamples => new SeededSamples(startStep, config);
      const run = options(`batch-${batch}`, { config, step, evaluation, openSamples });
      const { history } = await train({ ...run, cases: { train: [{ name: 'a' }], validation } });
      losses.push(history[0].validation?.loss ?? Number.NaN);
      expect(evaluation.sizes).toEqual({ 1: [1, 1, 1], 2: [2, 1], 4: [3] }[batch]);
    }
    expect(losses[1]).toBeCloseTo(losses[0], 6);
    expect(losses[2]).toBeCloseTo(losses[0], 6);
  });

  it('names the case whose sample does not fill the patch', async () => {
    const samples = new SeededSamples(0);
    samples.next = async () => ({ image: new Float32Array(8), labels: new Uint8Array(8), caseName: 'odd' });
    await expect(train(options('a', { openSamples: () => samples }))).rejects.toThrow(/case odd: sample of 8 image/);
    expect(samples.disposed).toBe(true);
  });

  it('says when the run folder cannot be created', async () => {
    await writeFile(join(root, 'file'), '');
    const run = train(options('file/run'));
    await expect(run).rejects.toMatchObject({ code: 'file-write', fields: { path: join(root, 'file') } });
  });

  it('writes one TensorBoard file a session', async () => {
    await train(options('a', { config: configWith({ epochs: 2 }) }));
    await train(options('a', { resume: true }));
    expect(await readdir(join(root, 'a', 'tensorboard'))).toHaveLength(2);
  });
});
