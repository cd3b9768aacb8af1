/**
 * Every network of the catalogue, small, trains 50 steps with falling loss, on a phantom in the onnx runtime and on a
 * real case in every runtime; and the model file it leaves gives the probabilities of the graph it was trained as
 * (1e-4): through the loader of `predict`, and as a bare ONNX file in ONNX Runtime, as other programs use it.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Graph } from '@quickcolumn/graph';
import { readLabels, readVolume } from '@quickcolumn/io';
import { compileTrainingStep, exportModel, type NamedTensor, profiles, type StepConfig } from '@quickcolumn/learn';
import { buildHeads, catalogue, type NetworkConfig } from '@quickcolumn/networks';
import { generatePhantom } from '@quickcolumn/phantom';
import { paperPreparation, type PreparationConfig, prepareScan } from '@quickcolumn/pipeline';
import { loadModel } from '@quickcolumn/predict';
import { openOnnx, openOneDnn, openWebGpu, type Runtime } from '@quickcolumn/runtimes';
import { describe, expect, it } from 'vitest';
import { useSoftwareWhereNeeded } from '../packages/runtimes/dist/webgpu/device/software.test.helpers.js';

const onnxRuntime = await openOnnx();
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
const patchVoxels = 32 * 32 * 16;
const steps = 50;

/** A way to compute, or why it cannot be had here. */
interface Column {
  readonly name: string;
  readonly device: StepConfig['device'] | string;
}

const onnx: Column = { name: 'onnx', device: { runtime: onnxRuntime, precision: 'float32' } };
const deviceOf = (opening: Promise<Runtime>): Promise<Column['device']> =>
  opening.then(
    (runtime) => ({ runtime, precision: runtime.precision }),
    (error: Error) => error.message,
  );

useSoftwareWhereNeeded();
const columns: readonly Column[] = [
  onnx,
  { name: 'onednn', device: await deviceOf(openOneDnn()) },
  // A processor that plays graphics card takes half a minute for each network.
  {
    name: 'webgpu',
    device: process.env['QUICKCOLUMN_SLOW'] === '1' ? await deviceOf(openWebGpu()) : 'slow; set QUICKCOLUMN_SLOW=1',
  },
];

function trainingOf(network: NetworkConfig, device: StepConfig['device']): { config: StepConfig; rate: number } {
  const small: NetworkConfig = { ...network, rootFilters: network.name === 'vb-net' ? 4 : 2 };
  const profile = network.name === 'nnunet3d' ? profiles.ma : profiles.quick;
  const { loss, optimizer } = profile;
  // Adam moves a weight by the rate; so few steps need a larger one than the profile's thousand.
  const rate = optimizer.kind === 'adam' ? 1e-2 : profile.train.learningRate;
  return { config: { network: small, classes, patch, batch: 1, loss, optimizer, seed: 3, threads: 1, device }, rate };
}

interface Sample {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  readonly preparation: PreparationConfig;
}

function phantomSample(): Sample {
  const spacingMm = [9, 9, 15] as const;
  const phantom = generatePhantom({ seed: 11, size: patch, spacingMm, lesionCount: 4 });
  const preparation = { ...paperPreparation, spacingMm };
  const { image, labels } = prepareScan(phantom.image, preparation, { labels: phantom.labels });
  if (labels === undefined) throw new Error('prepared without labels');
  return { image, labels, preparation };
}

const shared = process.env['QUICKCOLUMN_SHARED'] ?? resolve(import.meta.dirname, '../../shared');
const realCases = join(shared, 'data/covid19-ct-seg');
const realName = 'coronacases_005.nii.gz';
const present = existsSync(join(realCases, 'ct', realName));

/** The patch around the middle of the infection. */
async function realSample(): Promise<Sample> {
  const preparation = { ...paperPreparation, spacingMm: [6, 6, 10] as const };
  const scan = await readVolume(join(realCases, 'ct', realName));
  const prepared = prepareScan(scan, preparation, { labels: await readLabels(join(realCases, 'labels', realName)) });
  const { image, labels, size } = prepared;
  if (labels === undefined) throw new Error('prepared without labels');
  const infected = [...labels.keys()].filter((index) => labels[index] === 3);
  const corner = size.map((length, axis) => {
    const stride = size.slice(0, axis).reduce((product, n) => product * n, 1);
    const middle = infected.reduce((sum, index) => sum + (Math.floor(index / stride) % length), 0) / infected.length;
    return Math.max(0, Math.min(length - patch[axis], Math.round(middle - patch[axis] / 2)));
  });
  const cut = { image: new Float32Array(patchVoxels), labels: new Uint8Array(patchVoxels) };
  for (let z = 0, to = 0; z < patch[2]; z++) {
    for (let y = 0; y < patch[1]; y++, to += patch[0]) {
      const from = ((z + corner[2]) * size[1] + y + corner[1]) * size[0] + corner[0];
      cut.image.set(image.subarray(from, from + patch[0]), to);
      cut.labels.set(labels.subarray(from, from + patch[0]), to);
    }
  }
  return { ...cut, preparation };
}

async function trainAndCompare(network: NetworkConfig, sample: Sample, device: StepConfig['device']): Promise<void> {
  const { image, labels, preparation } = sample;
  const { config, rate } = trainingOf(network, device);
  const step = await compileTrainingStep(config);
  const losses: number[] = [];
  for (let t = 1; t <= steps; t++) {
    losses.push((await step.run({ image, labels }, { learningRate: rate, step: t })).loss);
  }
  const variables = settled(await step.variables());
  await step.dispose();
  const mean = (part: readonly number[]): number => part.reduce((sum, loss) => sum + loss, 0) / part.length;
  expect(mean(losses.slice(-10))).toBeLessThan(0.9 * mean(losses.slice(0, 10)));

  const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-networks-'));
  try {
    const path = join(folder, 'model.onnx');
    const metadata = { preparation, patch, overlap: [8, 8, 8] as const, training: {}, notes: '' };
    await exportModel(path, { network: config.network, variables, metadata });
    const expected = await probabilitiesOf(config.network, variables, image);
    expect(expected.length).toBe(classes * image.length);
    // Not all 0 or 1: a comparison of certainties would show nothing.
    expect(expected.some((p) => p > 0.01 && p < 0.99)).toBe(true);

    const model = await loadModel(path, device && { runtime: device.runtime, precision: 'float32' });
    const compiled = await model.compile(patch, 1);
    expectClose(await compiled.run(image), expected);
    await compiled.dispose();
    const session = await ort.InferenceSession.create(path);
    const outputs = await session.run({ image: new ort.Tensor('float32', image, shape) });
    expectClose(outputs.probabilities.data, expected);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('on a phantom', () => {
  const sample = phantomSample();
  // One ablation stands for the three: they are switches of one network.
  const networks = catalogue.filter(({ id }) => id !== 'qchc-unet-no-quick' && id !== 'qchc-unet-no-hypercolumn');
  it.each(networks)('$title trains, and its model file predicts what its graph does', async ({ config }) => {
    await trainAndCompare(config, sample, undefined);
  });
});

describe.each(columns)('on a real case, $name', ({ device }) => {
  const missing = typeof device === 'string' ? device : present ? '' : `no ${realCases}; set QUICKCOLUMN_SHARED`;
  const why = missing === '' ? '' : ` (skipped: ${missing})`;
  const sample = missing === '' ? realSample() : undefined;
  it.skipIf(sample === undefined).each(catalogue)(
    `$title trains, and predicts alike${why}`,
    async ({ config }) => {
      if (sample === undefined || typeof device === 'string') throw new Error('unreachable');
      await trainAndCompare(config, await sample, device);
    },
    300_000,
  );
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
