/** What validation and checkpoints get: averaged weights with the statistics that belong to them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadCheckpoint } from '../run-folder/checkpoint.js';
import type { NamedTensor, StatisticsStep } from '../step/step-types.js';
import { configWith, LogisticStep, SeededSamples, smallConfig, validationCase } from './logistic-step.test.helpers.js';
import { train } from './trainer.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-judged-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const one = (value: number): NamedTensor => ({ shape: [1], data: Float32Array.of(value) });

/** Has an average that is not the weight, and a running mean that is out of date. */
class AveragedStep extends LogisticStep {
  override async variables(): Promise<Map<string, NamedTensor>> {
    return new Map([...(await super.variables()), ['weight/average', one(0.75)], ['norm/mean', one(-1)]]);
  }
}

/** Says that the mean is the weight that it was given plus the sum of the patches' first voxels. */
class Statistics implements StatisticsStep {
  weight = Number.NaN;
  async run(patch: Float32Array): Promise<ReadonlyMap<string, Float32Array>> {
    return new Map([['norm/mean', Float32Array.of(this.weight + patch[0])]]);
  }
  async setVariables(variables: ReadonlyMap<string, NamedTensor>): Promise<void> {
    this.weight = variables.get('weight')?.data[0] ?? Number.NaN;
  }
  async dispose(): Promise<void> {}
}

it('validation gets the average and its statistics; the checkpoint keeps the weight beside both', async () => {
  const judged: ReadonlyMap<string, NamedTensor>[] = [];
  class Evaluation extends LogisticStep {
    override async setVariables(variables: ReadonlyMap<string, NamedTensor>): Promise<void> {
      judged.push(variables);
      await super.setVariables(variables);
    }
  }
  await train({
    config: configWith({ epochs: 1 }),
    cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
    step: new AveragedStep(),
    evaluation: new Evaluation(),
    statistics: { step: new Statistics(), patches: () => [Float32Array.of(1), Float32Array.of(3)] },
    openSamples: (startStep) => new SeededSamples(startStep),
    runFolder: root,
  });
  expect(judged.map((variables) => [variables.get('weight')?.data[0], variables.get('norm/mean')?.data[0]])).toEqual([
    [0.75, 2.75],
  ]);
  expect(judged[0].has('weight/average')).toBe(false);
  const kept = (await loadCheckpoint(join(root, 'checkpoints'), 'last'))?.variables;
  expect(kept?.get('norm/mean')?.data[0]).toBe(2.75);
  expect(kept?.get('weight/average')?.data[0]).toBe(0.75);
  expect(kept?.get('weight')?.data[0]).not.toBe(0.75);
});

it('without validation cases the last epoch is the best, whatever its loss', async () => {
  const folder = join(root, 'unvalidated');
  const result = await train({
    // A rate at which the loss rises.
    config: { ...smallConfig, train: { ...smallConfig.train, learningRate: 3, epochs: 3 } },
    cases: { train: [{ name: 'a' }], validation: [] },
    step: new LogisticStep(),
    evaluation: new LogisticStep(),
    openSamples: (startStep) => new SeededSamples(startStep),
    runFolder: folder,
  });
  expect(result.history[2].training.loss).toBeGreaterThan(result.history[1].training.loss);
  expect(result.best?.epoch).toBe(3);
});
