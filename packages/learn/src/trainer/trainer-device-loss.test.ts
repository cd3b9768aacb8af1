/**
 * A training on the webgpu runtime whose graphics device is lost, twice: between two steps, and with a step in flight.
 * Each time it ends with what happened, leaves a whole run folder, and goes on on a new device to the same bits.
 * Most of the network is frozen: SwiftShader compiles shaders slowly, and every device has to do that anew.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWebGpu, type RuntimeError, type WebGpuRuntime } from '@quickcolumn/runtimes';
import { has, needs, useSoftwareWhereNeeded } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../run-folder/checkpoint.js';
import { readHistory } from '../run-folder/history.js';
import { configWith, SeededSamples, validationCase } from './logistic-step.test.helpers.js';
import { compileEvaluationStep, compileTrainingStep, trainingGraph } from '../step/step.js';
import type { StepConfig, TrainingStep } from '../step/step-types.js';
import { type TrainOptions, type TrainResult, train } from './trainer.js';

useSoftwareWhereNeeded();
const first: WebGpuRuntime | string = has('WebGPU') ? await openWebGpu() : 'no WebGPU';

const config = configWith({ epochs: 3, stepsPerEpoch: 3, learningRate: 0.01 });
const { network, loss, optimizer, seed, preparation } = config;
const { patch, batch } = config.train;
const whole = { network, loss, optimizer, seed, patch, batch, classes: preparation.classes.length };
const frozen = [...trainingGraph(whole).variables.keys()].filter((name) => /^(encoder|decoder[123])/.test(name));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-device-loss-'));
});
afterAll(async () => {
  if (typeof first !== 'string') first.close();
  await rm(root, { recursive: true, force: true });
});

interface Session {
  readonly runtime: WebGpuRuntime;
  readonly folder: string;
  readonly resume?: boolean;
  readonly onProgress?: TrainOptions['onProgress'];
  /** Stands in for the step. */
  readonly wrap?: (step: TrainingStep) => TrainingStep;
}

async function trainOn({ runtime, folder, wrap = (step) => step, ...options }: Session): Promise<TrainResult> {
  const compiled: StepConfig = { ...whole, frozen, device: { runtime, precision: 'float32' } };
  const step = await compileTrainingStep(compiled);
  const evaluation = await compileEvaluationStep(compiled);
  const samples: SeededSamples[] = [];
  try {
    return await train({
      config,
      cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
      step: wrap(step),
      evaluation,
      openSamples(startStep) {
        samples.push(new SeededSamples(startStep, config));
        return samples[0];
      },
      runFolder: join(root, folder),
      ...options,
    });
  } finally {
    expect(samples.map(({ disposed }) => disposed)).toEqual([true]);
    await evaluation.dispose();
    await step.dispose();
  }
}

/** Both checkpoints, verified by their checksums, and what of the history is no time. */
async function contents(folder: string): Promise<Record<'last' | 'best' | 'history', unknown>> {
  const checkpoints = join(root, folder, 'checkpoints');
  const history = await readHistory(join(root, folder, 'history.jsonl'));
  const without = async (name: 'last' | 'best'): Promise<unknown> => {
    const { history: _times, ...rest } = (await loadCheckpoint(checkpoints, name)) ?? {};
    return rest;
  };
  return {
    last: await without('last'),
    best: await without('best'),
    history: history.map(({ seconds: _s, waitedSeconds: _w, time: _t, ...numbers }) => numbers),
  };
}

/** The run folder holds `epochs` whole epochs and nothing else. */
async function expectWholeFolder(folder: string, epochs: number): Promise<void> {
  const { last, history } = await contents(folder);
  expect(last).toMatchObject({ state: { epoch: epochs, steps: 3 * epochs } });
  expect(history).toMatchObject(Array.from({ length: epochs }, (_, i) => ({ epoch: i + 1, steps: 3 * (i + 1) })));
  const files = await readdir(join(root, folder), { recursive: true });
  expect(files.filter((file) => /tmp/.test(file))).toEqual([]);
}

async function expectLost(training: Promise<unknown>): Promise<void> {
  const error = await training.catch((reason: RuntimeError) => reason);
  expect(error).toMatchObject({ code: 'runtime', fields: { runtime: 'webgpu', reason: 'device-lost' } });
}

describe('a training whose graphics device is lost', () => {
  it('continues on a new device to the weights of one that lost none', needs('WebGPU'), async () => {
    const runtime = first as WebGpuRuntime;
    expect((await trainOn({ runtime, folder: 'whole' })).epochs).toBe(3);

    const between = trainOn({
      runtime,
      folder: 'lost',
      onProgress: (progress) => {
        if (progress.kind === 'step' && progress.epoch === 2 && progress.step === 2) runtime.close();
      },
    });
    await expectLost(between);
    await expectWholeFolder('lost', 1);

    const second = await openWebGpu();
    const inFlight = trainOn({
      runtime: second,
      folder: 'lost',
      resume: true,
      wrap: (step) => ({
        ...step,
        async run(samples, options) {
          const running = step.run(samples, options);
          if (options.step === 8) second.device.destroy();
          return await running;
        },
      }),
    });
    await expectLost(inFlight);
    await expectWholeFolder('lost', 2);

    const third = await openWebGpu();
    try {
      const { outcome, history } = await trainOn({ runtime: third, folder: 'lost', resume: true });
      expect(outcome).toBe('finished');
      expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    } finally {
      third.close();
    }
    await expectWholeFolder('lost', 3);
    const [expected, actual] = [await contents('whole'), await contents('lost')];
    expect(actual).toEqual(expected);
    // It did train: not the same bits because nothing changed.
    const [{ training: begin }, , { training: end }] = expected.history as { training: { loss: number } }[];
    expect(end.loss).toBeLessThan(begin.loss);
  });
});
