/**
 * Whole networks on the onednn runtime against the onnx runtime: the loss of every network of the catalogue over
 * training steps, prediction, batches of windows, and bfloat16 beside float32. No step may run on the library's plain
 * loops, which are right but a hundred times slower.
 */
import { compileTrainingStep, type StepConfig, profiles, trainingGraph } from '@quickcolumn/learn';
import { catalogue, type NetworkConfig, predictionGraph } from '@quickcolumn/networks';
import { type NamedTensor, openOnnx, openOneDnn, type OneDnnRuntime, type Precision } from '@quickcolumn/runtimes';
import { describe, expect, it } from 'vitest';

const onnxRuntime = await openOnnx();
const found: OneDnnRuntime | string = await openOneDnn().catch((error: Error) => error.message);
const present = typeof found !== 'string';
const why = present ? '' : ` (skipped: ${found})`;
const oneDnn = found as OneDnnRuntime;
const hasBfloat16 = present && oneDnn.precision === 'bfloat16';

const patch = [32, 32, 16] as const;
const voxels = patch[0] * patch[1] * patch[2];
const classes = 4;
const { loss, optimizer } = profiles.quick;

/** Smooth blobs, with labels that follow from them. */
function sampleOf(batch: number): { image: Float32Array; labels: Uint8Array } {
  const image = Float32Array.from({ length: voxels * batch }, (_, i) => 1.4 * Math.sin(i * 0.1) + Math.cos(i * 0.013));
  return { image, labels: Uint8Array.from(image, (value) => (value > 1 ? 2 : value > 0 ? 1 : 0)) };
}

const small = (network: NetworkConfig): NetworkConfig => ({ ...network, rootFilters: 4 });

async function lossesOf(
  network: NetworkConfig,
  options: { device: StepConfig['device']; batch: number; steps: number; rate: number },
): Promise<number[]> {
  const { device, batch, steps, rate } = options;
  const config = { network, classes, patch, batch, loss, optimizer, seed: 5, threads: 2 };
  const step = await compileTrainingStep({ ...config, device });
  try {
    const losses: number[] = [];
    for (let t = 1; t <= steps; t++)
      losses.push((await step.run(sampleOf(batch), { learningRate: rate, step: t })).loss);
    return losses;
  } finally {
    await step.dispose();
  }
}

const onOnnx: StepConfig['device'] = { runtime: onnxRuntime, precision: 'float32' };
const onOneDnn = (precision: Precision): StepConfig['device'] => ({ runtime: oneDnn, precision });

describe.each(catalogue)(`$title${why}`, ({ config }) => {
  const network = small(config);

  it.skipIf(!present)('trains alike: the loss of a batch of two before and after an update within 1e-3', async () => {
    // Not more: batch norm over the few voxels of the deepest level doubles a rounding difference in every step.
    const options = { batch: 2, steps: 2, rate: 1e-3 };
    const expected = await lossesOf(network, { ...options, device: onOnnx });
    const actual = await lossesOf(network, { ...options, device: onOneDnn('float32') });
    actual.forEach((value, i) => expect(Math.abs(value / expected[i] - 1), `step ${i}: ${value}`).toBeLessThan(1e-3));
  });

  it.skipIf(!present)('has no step on plain loops at its published width', async () => {
    const graphs = [
      predictionGraph(config, classes, patch, 1),
      trainingGraph({ network: config, classes, patch, batch: 1, loss, optimizer, seed: 5 }),
    ];
    for (const graph of graphs)
      for (const precision of hasBfloat16 ? (['float32', 'bfloat16'] as const) : (['float32'] as const)) {
        const executable = await oneDnn.compile(graph, { precision });
        expect(executable.slow, precision).toEqual([]);
        await executable.dispose();
      }
  });
});

describe(`QC-HC U-Net${why}`, () => {
  const network = small(catalogue[0].config);
  /** The weights after a few steps, so that running statistics are not those of the beginning. */
  const trainedWeights = async (): Promise<Map<string, NamedTensor>> => {
    const config = { network, classes, patch, batch: 1, loss, optimizer, seed: 5, threads: 2 };
    const step = await compileTrainingStep({ ...config, device: onOnnx });
    for (let t = 1; t <= 30; t++) await step.run(sampleOf(1), { learningRate: 1e-2, step: t });
    const variables = await step.variables();
    await step.dispose();
    const { variables: known } = predictionGraph(network, classes, patch, 1);
    return new Map([...variables].filter(([name]) => known.has(name)));
  };
  const probabilities = async (
    weights: ReadonlyMap<string, NamedTensor>,
    options: { device: NonNullable<StepConfig['device']>; batch: number; image: Float32Array },
  ): Promise<Float32Array> => {
    const { device, batch, image } = options;
    const graph = predictionGraph(network, classes, patch, batch);
    const executable = await device.runtime.compile(graph, { precision: device.precision });
    await executable.writeVariables(weights);
    const { probabilities: values } = await executable.run({ image });
    await executable.dispose();
    return values;
  };
  const largestDifference = (a: Float32Array, b: Float32Array): number =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

  it.skipIf(!present)('trains alike over 20 steps', async () => {
    const options = { batch: 1, steps: 20, rate: 1e-3 };
    const expected = await lossesOf(network, { ...options, device: onOnnx });
    const actual = await lossesOf(network, { ...options, device: onOneDnn('float32') });
    actual.forEach((value, i) => expect(Math.abs(value / expected[i] - 1), `step ${i}`).toBeLessThan(1e-3));
    expect(actual[19]).toBeLessThan(0.6 * actual[0]);
  });

  it.skipIf(!present)('repeats to the last bit', async () => {
    const options = { batch: 2, steps: 4, rate: 1e-3, device: onOneDnn(oneDnn.precision) };
    expect(await lossesOf(network, options)).toEqual(await lossesOf(network, options));
  });

  it.skipIf(!hasBfloat16)('learns in bfloat16 as in float32: mean loss of steps 21 to 40 within 5 %', async () => {
    const options = { batch: 1, steps: 40, rate: 1e-3 };
    const mean = (losses: readonly number[]): number => losses.slice(20).reduce((a, b) => a + b) / 20;
    const float32 = mean(await lossesOf(network, { ...options, device: onOneDnn('float32') }));
    const bfloat16 = mean(await lossesOf(network, { ...options, device: onOneDnn('bfloat16') }));
    expect(Math.abs(bfloat16 / float32 - 1)).toBeLessThan(0.05);
  });

  it.skipIf(!present)('predicts alike, and a batch of windows as the windows one by one', async () => {
    const weights = await trainedWeights();
    const { image } = sampleOf(2);
    const device = { runtime: oneDnn, precision: 'float32' as const };
    const both = await probabilities(weights, { device, batch: 2, image });
    for (const window of [0, 1]) {
      const part = image.slice(window * voxels, (window + 1) * voxels);
      const alone = await probabilities(weights, { device, batch: 1, image: part });
      const expected = await probabilities(weights, {
        device: { runtime: onnxRuntime, precision: 'float32' },
        batch: 1,
        image: part,
      });
      const own = both.subarray(window * classes * voxels, (window + 1) * classes * voxels);
      expect(largestDifference(own, alone)).toBeLessThan(1e-3);
      expect(largestDifference(alone, expected)).toBeLessThan(1e-3);
    }
  });
});
