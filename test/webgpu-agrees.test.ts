/**
 * Whole networks on the webgpu runtime against the onnx runtime: losses over training steps and predictions. On a
 * processor that plays graphics card a step takes a second, so networks and patches are the smallest that there are.
 */
import { compileTrainingStep, profiles, type StepConfig } from '@quickcolumn/learn';
import { catalogue, type NetworkConfig, predictionGraph } from '@quickcolumn/networks';
import { type NamedTensor, onnxRuntime, openWebGpu, type WebGpuRuntime } from '@quickcolumn/runtimes';
import { afterAll, describe, expect, it } from 'vitest';
import { useSoftwareWhereNeeded } from '../packages/runtimes/dist/webgpu/software.test.kit.js';

useSoftwareWhereNeeded();
const found: WebGpuRuntime | string = await openWebGpu().catch((error: Error) => error.message);
const absent = typeof found === 'string';
const why = absent ? ` (skipped: ${found})` : '';
afterAll(() => {
  if (!absent) found.close();
});

type Device = NonNullable<StepConfig['device']>;
const onnx: Device = { runtime: onnxRuntime, precision: 'float32' };
const webGpu: Device = { runtime: found as WebGpuRuntime, precision: 'float32' };
const classes = 4;

/** Smooth blobs, with labels that follow from them. */
function sampleOf(voxels: number): { image: Float32Array; labels: Uint8Array } {
  const image = Float32Array.from({ length: voxels }, (_, i) => 1.4 * Math.sin(i * 0.1) + Math.cos(i * 0.013));
  return { image, labels: Uint8Array.from(image, (value) => (value > 1 ? 2 : value > 0 ? 1 : 0)) };
}

interface Training {
  readonly network: NetworkConfig;
  readonly patch: readonly [number, number, number];
  readonly steps: number;
}

async function train(
  device: Device,
  { network, patch, steps }: Training,
): Promise<{ losses: number[]; variables: Map<string, NamedTensor> }> {
  const { loss, optimizer } = profiles[network.name === 'nnunet3d' ? 'ma' : 'quick'];
  const config = { network, classes, patch, batch: 1, loss, optimizer, seed: 5, threads: 2 };
  const step = await compileTrainingStep({ ...config, device });
  try {
    const sample = sampleOf(patch[0] * patch[1] * patch[2]);
    const losses: number[] = [];
    for (let t = 1; t <= steps; t++) losses.push((await step.run(sample, { learningRate: 1e-3, step: t })).loss);
    return { losses, variables: new Map(await step.variables()) };
  } finally {
    await step.dispose();
  }
}

describe(`webgpu and onnx${why}`, () => {
  const qchc: Training = { network: { ...catalogue[0].config, rootFilters: 4 }, patch: [32, 32, 16], steps: 20 };

  it.skipIf(absent)('train the QC-HC U-Net alike over 20 steps, and webgpu repeats to the last bit', async () => {
    const expected = await train(onnx, qchc);
    const actual = await train(webGpu, qchc);
    actual.losses.forEach((loss, i) =>
      expect(Math.abs(loss / expected.losses[i] - 1), `step ${i}: ${loss}`).toBeLessThan(1e-3),
    );
    expect(actual.losses[19]).toBeLessThan(0.6 * actual.losses[0]);
    const again = await train(webGpu, qchc);
    expect(again.losses).toEqual(actual.losses);
    for (const [name, { data }] of again.variables) expect(data, name).toEqual(actual.variables.get(name)?.data);
  });

  it.skipIf(absent)('predict alike with the same weights', async () => {
    const { network, patch } = qchc;
    const graph = predictionGraph(network, classes, patch, 1);
    const { variables } = await train(onnx, { ...qchc, steps: 10 });
    const { image } = sampleOf(patch[0] * patch[1] * patch[2]);
    const [expected, actual] = await Promise.all(
      [onnx, webGpu].map(async ({ runtime }) => {
        const executable = await runtime.compile(graph);
        await executable.writeVariables(new Map([...variables].filter(([name]) => graph.variables.has(name))));
        const { probabilities } = await executable.run({ image });
        await executable.dispose();
        return probabilities;
      }),
    );
    expect(expected.length).toBe(classes * image.length);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  it.skipIf(absent).each(catalogue)('train alike: $title', async ({ config }) => {
    const training: Training = { network: { ...config, rootFilters: 2 }, patch: [16, 16, 16], steps: 2 };
    const expected = await train(onnx, training);
    const actual = await train(webGpu, training);
    // More steps would compare roundings that batch norm over single voxels has multiplied.
    actual.losses.forEach((loss, i) =>
      expect(Math.abs(loss / expected.losses[i] - 1), `step ${i}: ${loss}`).toBeLessThan(1e-3),
    );
  });
});
