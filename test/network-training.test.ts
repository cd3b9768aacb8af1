/**
 * Every network of the catalogue, small, trains 50 steps on a phantom with falling loss in the onnx runtime, and the
 * model file it leaves gives the probabilities of the graph it was trained as (1e-4): through the loader of `predict`,
 * and as a bare ONNX file in ONNX Runtime, which is what other programs do with it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Graph } from '@quickcolumn/graph';
import { compileTrainingStep, exportModel, type NamedTensor, profiles, type StepConfig } from '@quickcolumn/learn';
import { buildHeads, catalogue, type NetworkConfig } from '@quickcolumn/networks';
import { generatePhantom } from '@quickcolumn/phantom';
import { paperPreparation, prepareScan } from '@quickcolumn/pipeline';
import { loadModel } from '@quickcolumn/predict';
import { onnxRuntime } from '@quickcolumn/runtimes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface OrtValue {
  readonly data: Float32Array;
}
interface Ort {
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtValue;
  readonly InferenceSession: {
    create(path: string): Promise<{ run(feeds: Record<string, OrtValue>): Promise<Record<string, OrtValue>> }>;
  };
}

// The package of the runtimes, not ours: what is run here is a file, without any code of ours.
const ort = createRequire(new URL('../packages/runtimes/package.json', import.meta.url))('onnxruntime-node') as Ort;

const patch = [32, 32, 16] as const;
const shape = [1, 1, 16, 32, 32];
const classes = paperPreparation.classes.length;
const steps = 50;

function trainingOf(network: NetworkConfig): { config: StepConfig; rate: number } {
  const small: NetworkConfig = { ...network, rootFilters: network.name === 'vb-net' ? 4 : 2 };
  const profile = network.name === 'nnunet3d' ? profiles.ma : profiles.quick;
  const { loss, optimizer } = profile;
  // Adam moves a weight by the rate; so few steps need a larger one than the profile's thousand.
  const rate = optimizer.kind === 'adam' ? 1e-2 : profile.train.learningRate;
  return { config: { network: small, classes, patch, batch: 1, loss, optimizer, seed: 3, threads: 1 }, rate };
}

// One ablation stands for the three: they are switches of one network.
const trained = catalogue.filter(({ id }) => id !== 'qchc-unet-no-quick' && id !== 'qchc-unet-no-hypercolumn');

describe.each(trained)('$title', ({ config: network }) => {
  let folder = '';
  const phantom = generatePhantom({ seed: 11, size: [32, 32, 16], spacingMm: [9, 9, 15], lesionCount: 4 });
  const spacingMm = [9, 9, 15] as const;
  const preparation = { ...paperPreparation, spacingMm };
  const { image, labels } = prepareScan(phantom.image, preparation, { labels: phantom.labels });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-networks-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('trains with falling loss, and its model file predicts what its graph does', async () => {
    if (labels === undefined) throw new Error('prepared without labels');
    const { config, rate } = trainingOf(network);
    const step = await compileTrainingStep(config);
    const losses: number[] = [];
    for (let t = 1; t <= steps; t++) {
      losses.push((await step.run({ image, labels }, { learningRate: rate, step: t })).loss);
    }
    const variables = settled(await step.variables());
    await step.dispose();
    const mean = (part: readonly number[]): number => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.9 * mean(losses.slice(0, 10)));

    const path = join(folder, 'model.onnx');
    const metadata = { preparation, patch, overlap: [8, 8, 8] as const, training: {}, notes: '' };
    await exportModel(path, { network: config.network, variables, metadata });
    const expected = await probabilitiesOf(config.network, variables, image);
    expect(expected.length).toBe(classes * image.length);
    // Not all 0 or 1: a comparison of certainties would show nothing.
    expect(expected.some((p) => p > 0.01 && p < 0.99)).toBe(true);

    const compiled = await (await loadModel(path)).compile(patch, 1);
    expectClose(await compiled.run(image), expected);
    await compiled.dispose();
    const session = await ort.InferenceSession.create(path);
    const outputs = await session.run({ image: new ort.Tensor('float32', image, shape) });
    expectClose(outputs.probabilities.data, expected);
  });
});

/**
 * Running statistics as they would be after a long training: with momentum 0.99 the start (mean 0, variance 1) still
 * has a share of 0.99^50 in them, and the logits would be in the thousands, where every softmax is 0 or 1.
 */
function settled(variables: ReadonlyMap<string, NamedTensor>): Map<string, NamedTensor> {
  const start = 0.99 ** steps;
  return new Map(
    [...variables].map(([name, { shape: own, data }]) => {
      const first = name.endsWith('/norm/mean') ? 0 : name.endsWith('/norm/variance') ? 1 : null;
      const values = first === null ? data : data.map((value) => (value - start * first) / (1 - start));
      return [name, { shape: own, data: values }];
    }),
  );
}

/** Softmax of the logits of the training's own builder, with running statistics. */
async function probabilitiesOf(
  network: NetworkConfig,
  variables: ReadonlyMap<string, NamedTensor>,
  image: Float32Array,
): Promise<Float32Array> {
  const graph = new Graph();
  const input = graph.input('image', shape);
  const { logits } = buildHeads({ graph, training: false, path: '' }, input, classes, network);
  graph.output('logits', logits);
  const executable = await onnxRuntime.compile(graph);
  await executable.writeVariables(new Map([...variables].filter(([name]) => graph.variables.has(name))));
  const { logits: values } = await executable.run({ image });
  await executable.dispose();
  return Float32Array.from(values, (value, i) => {
    const voxel = i % image.length;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(values[c * image.length + voxel] - value);
    return 1 / sum;
  });
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  expect(worst).toBeLessThan(1e-4);
}
