import { Graph, runReference } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { buildLoss } from './loss.js';
import { adamRate, buildAdam } from './optimizer.js';
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

function lossOf(logits: number[], labels: number[], shape: number[], settings = loss): Map<string, number> {
  const graph = new Graph();
  const z = graph.input('logits', shape);
  const y = graph.input('labels', [shape[0], ...shape.slice(2)], 'uint8');
  const nodes = buildLoss(graph, z, y, settings);
  for (const name of ['loss', 'crossEntropy', 'tversky'] as const) graph.output(name, nodes[name]);
  const results = runReference(
    graph,
    new Map([
      ['logits', logits],
      ['labels', labels],
    ]),
  );
  return new Map([...results].map(([name, { data }]) => [name, data[0]]));
}

describe('loss', () => {
  it('has the check value of spec section 6: uniform p, prevalences .85 .07 .07 .01', () => {
    const labels = [0.85, 0.07, 0.07, 0.01].flatMap((share, c) => new Array<number>(Math.round(share * 1000)).fill(c));
    const result = lossOf(new Array<number>(4000).fill(0.3), labels, [1, 4, 10, 10, 10]);
    expect(result.get('tversky')).toBeCloseTo(3.376, 3);
    expect(result.get('crossEntropy')).toBeCloseTo(Math.log(4), 6);
    expect(result.get('loss')).toBeCloseTo(4.762, 3);
  });

  it('weighs missed voxels with alpha and false ones with beta', () => {
    const certain = 40;
    // voxels: p1 = [1, 0, 0, 1] by the second channel; truth 1, 1, 0, 1 → one miss, no false alarm for class 1.
    const result = lossOf([0, certain, certain, 0, certain, 0, 0, certain], [1, 1, 0, 1], [1, 2, 1, 2, 2], {
      alpha: 0.2,
      beta: 0.8,
      epsilon: 0,
    });
    // class 1: TP 2, FN 1, FP 0; class 0: TP 1, FN 0, FP 1.
    expect(result.get('tversky')).toBeCloseTo(2 - 2 / (2 + 0.2) - 1 / (1 + 0.8), 6);
  });
});

describe('Adam', () => {
  it('makes the first steps of the published algorithm', () => {
    const graph = new Graph();
    const weight = graph.variable('w', [2], { kind: 'constant', value: 0 });
    const gradient = graph.input('g', [2]);
    buildAdam(graph, [{ weight, gradient }], graph.input('rate', []), optimizer);
    let state = new Map<string, ArrayLike<number>>([
      ['w', [1, -1]],
      ['w/adam-m', [0, 0]],
      ['w/adam-v', [0, 0]],
    ]);
    const expected = { w: [1, -1], m: [0, 0], v: [0, 0] };
    for (let t = 1; t <= 3; t++) {
      const g = [0.3 * t, -2];
      const rate = adamRate(0.1, t, optimizer);
      state = new Map(
        [...runReference(graph, new Map([...state, ['g', g], ['rate', [rate]]]))].map(([k, v]) => [k, v.data]),
      );
      for (let i = 0; i < 2; i++) {
        expected.m[i] = 0.9 * expected.m[i] + 0.1 * g[i];
        expected.v[i] = 0.999 * expected.v[i] + 0.001 * g[i] ** 2;
        const biasFree = (0.1 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
        expected.w[i] -= (biasFree * expected.m[i]) / (Math.sqrt(expected.v[i]) + 1e-7);
        expect(state.get('w')?.[i]).toBeCloseTo(expected.w[i], 12);
      }
    }
  });
});

function batch(): { image: Float32Array; labels: Uint8Array } {
  const voxels = 2 * 16 ** 3;
  const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011));
  return { image, labels: Uint8Array.from(image, (value) => (value > 1 ? 2 : value > 0 ? 1 : 0)) };
}

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
      ['rate', [adamRate(1e-2, 1, optimizer)]],
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
