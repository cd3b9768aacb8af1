import { runReference } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { optimizerInputs } from '../optimizers/build-optimizer.js';
import { compileEvaluationStep, compileTrainingStep, trainingGraph } from './step.js';
import type { StepConfig } from './step-types.js';

const loss = { alpha: 0.5, beta: 0.5, epsilon: 1e-6 };
const optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
const config: StepConfig = {
  network: {
    name: 'qchc-unet',
    rootFilters: 4,
    resize: 'trilinear',
    bottomLevel: false,
    quickConnection: true,
    hypercolumn: true,
  },
  classes: 3,
  patch: [16, 16, 16],
  batch: 2,
  loss,
  optimizer,
  seed: 5,
};

function batch(): { image: Float32Array; labels: Uint8Array } {
  const voxels = 2 * 16 ** 3;
  const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011));
  return { image, labels: Uint8Array.from(image, (value) => (value > 1 ? 2 : value > 0 ? 1 : 0)) };
}

describe('a step with soft truth', () => {
  const voxels = 16 ** 3;
  const soft: StepConfig = { ...config, softTruth: true };
  const { image, labels } = batch();
  const shares = (of: (voxel: number, classIndex: number) => number): Float32Array =>
    Float32Array.from({ length: 2 * 3 * voxels }, (_, i) => {
      const sample = Math.floor(i / (3 * voxels));
      return of(sample * voxels + (i % voxels), Math.floor(i / voxels) % 3);
    });

  it('does what a step with labels does where the shares are those of the labels', async () => {
    const truth = shares((voxel, c) => (labels[voxel] === c ? 1 : 0));
    const options = { learningRate: 1e-2, step: 1 };
    const [plain, step] = [await compileTrainingStep(config), await compileTrainingStep(soft)];
    const expected = await plain.run({ image, labels }, options);
    const result = await step.run({ image, labels, truth }, options);
    expect(result.loss).toBeCloseTo(expected.loss, 5);
    const weights = await plain.variables();
    for (const [name, { data }] of await step.variables()) {
      const other = weights.get(name)?.data ?? [];
      expect(
        data.every((value, i) => Math.abs(value - other[i]) < 1e-3),
        name,
      ).toBe(true);
    }
    await expect(step.run({ image, labels }, options)).rejects.toThrow('a batch without the shares of its classes');
    await plain.dispose();
    await step.dispose();
  });

  it('comes closer to shares that are not those of the labels, and evaluates smaller batches', async () => {
    const truth = shares((_, c) => [0.6, 0.3, 0.1][c]);
    const config1: StepConfig = { ...soft, loss: { kind: 'cross-entropy' } };
    const step = await compileTrainingStep(config1);
    const losses: number[] = [];
    for (let t = 1; t <= 30; t++) {
      losses.push((await step.run({ image, labels, truth }, { learningRate: 1e-2, step: t })).loss);
    }
    // The entropy of the shares is the least that the loss can be.
    const entropy = -[0.6, 0.3, 0.1].reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(losses[0]).toBeGreaterThan(entropy + 0.1);
    expect(losses[29]).toBeGreaterThan(entropy);
    expect(losses[29]).toBeLessThan(entropy + 0.05);
    const evaluation = await compileEvaluationStep(config1);
    await evaluation.setVariables(await step.variables());
    const [one, two] = [1, 2].map((n) => ({
      image: image.subarray(0, n * voxels),
      labels: labels.subarray(0, n * voxels),
      truth: truth.subarray(0, n * 3 * voxels),
    }));
    expect((await evaluation.run(one)).crossEntropy).toBeGreaterThan(entropy);
    expect((await evaluation.run(two)).crossEntropy).toBeGreaterThan(entropy);
    await step.dispose();
    await evaluation.dispose();
  });
});

describe('training step', () => {
  it('gives the loss and the next weights of the float64 reference', async () => {
    const small: StepConfig = {
      ...config,
      patch: [16, 16, 16],
      batch: 1,
      network: { ...config.network, rootFilters: 2 },
    };
    const image = batch().image.subarray(0, 4096);
    const labels = batch().labels.subarray(0, 4096);
    const step = await compileTrainingStep(small);
    const before = await step.variables();
    const result = await step.run({ image, labels }, { learningRate: 1e-2, step: 1 });
    const after = await step.variables();
    await step.dispose();
    const inputs = new Map<string, ArrayLike<number>>([
      ['image', image],
      ['labels', labels],
      ...Object.entries(optimizerInputs(1e-2, 1, optimizer)),
    ]);
    for (const [name, { data }] of before) inputs.set(name, data);
    const reference = runReference(trainingGraph(small), inputs);
    expect(result.loss).toBeCloseTo(reference.get('loss')?.data[0] ?? Number.NaN, 4);
    // Adam's first step has the size of the rate whatever the gradient, so the first moment shows the gradients.
    let worst = 0;
    let largest = 0;
    for (const [name, { data }] of after) {
      if (!name.endsWith('/adam-m')) continue;
      reference.get(name)?.data.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - data[i]));
        largest = Math.max(largest, Math.abs(value));
      });
    }
    expect(largest).toBeGreaterThan(1e-3);
    expect(worst / largest).toBeLessThan(1e-3);
  });

  it('learns, repeats from one seed, and evaluates with what it learned', async () => {
    const run = async (): Promise<{
      losses: number[];
      evaluation: number;
      weights: Map<string, { data: Float32Array }>;
    }> => {
      const step = await compileTrainingStep(config);
      const losses: number[] = [];
      for (let t = 1; t <= 12; t++) losses.push((await step.run(batch(), { learningRate: 3e-3, step: t })).loss);
      const weights = await step.variables();
      await step.dispose();
      const evaluate = await compileEvaluationStep(config);
      await evaluate.setVariables(weights);
      const evaluation = (await evaluate.run(batch())).loss;
      await evaluate.dispose();
      return { losses, evaluation, weights };
    };
    const [first, second] = [await run(), await run()];
    expect(first.losses[11]).toBeLessThan(0.7 * first.losses[0]);
    expect(second.losses).toEqual(first.losses);
    expect(second.evaluation).toBe(first.evaluation);
    for (const [name, { data }] of first.weights) expect(second.weights.get(name)?.data).toEqual(data);
  });
});
