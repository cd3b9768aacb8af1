/** Sums against float64, with the sizes for cards and those for processors, on lengths that fit no workgroup. */
import { elementCount, type Shape } from '@quickcolumn/graph';
import { afterAll, describe, expect, it } from 'vitest';
import type { GpuDevice } from '../device/device.js';
import type { GpuTensor, Kernel } from './kernel.js';
import { runKernels, testContext } from './kernels.test.helpers.js';
import { channelSums, channelVariance, spatialSums, totalSum } from './reductions.js';
import type { Shader } from './shader.js';
import { testDevice } from '../device/software.test.helpers.js';
import { makeTensor } from './tensors.js';

const found: GpuDevice | string = await testDevice();
const skipped = typeof found === 'string';
const why = skipped ? ` (skipped: ${found})` : '';
const gpu = found as GpuDevice;
afterAll(() => {
  if (!skipped) gpu.device.destroy();
});

const valuesOf = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7) + 0.3);

async function check(output: GpuTensor, kernels: Kernel[], given: [GpuTensor, Float32Array][], expected: number[]) {
  const [actual] = await runKernels(gpu, kernels, { data: new Map(given), results: [output] });
  expect(actual).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) expect(Math.abs(value - actual[i])).toBeLessThan(1e-5 * largest);
}

describe.skipIf(skipped)(`sums${why}`, () => {
  const shapes: readonly Shape[] = [[2, 5, 3, 7, 11], [1, 3, 1, 2, 3], [1, 2, 24, 37, 50]]; // biome-ignore format: shapes
  for (const software of [true, false])
    for (const shape of shapes)
      it(`of [${shape}], sizes for a ${software ? 'processor' : 'card'}`, async () => {
        const context = { ...testContext(gpu), software };
        const { limits } = gpu;
        const x = makeTensor(shape, 'blocked', { limits });
        const values = valuesOf(elementCount(shape));
        const [samples, channels] = shape;
        const voxels = elementCount(shape.slice(2));
        /** Σ of a function of the values of one sample's channel. */
        const rowSum = (n: number, c: number, f = (value: number) => value): number => {
          let sum = 0;
          for (let i = 0; i < voxels; i++) sum += f(values[(n * channels + c) * voxels + i]);
          return sum;
        };
        const all = (f?: (value: number, c: number) => number): number[] =>
          Array.from({ length: channels }, (_, c) => {
            let sum = 0;
            for (let n = 0; n < samples; n++) sum += rowSum(n, c, (value) => (f ? f(value, c) : value));
            return sum;
          });
        const declare = (shader: Shader): Shader => shader.read('x', x);
        const plain = (count: readonly number[]): GpuTensor => makeTensor(count, 'plain', { limits });

        const perChannel = plain([channels]);
        const sums = [{ output: perChannel, value: 'x(i)' }];
        const kernels = channelSums(context, { label: 'sums', image: x, sums, declare });
        await check(perChannel, kernels, [[x, values]], all());

        const perSample = plain([samples, channels]);
        const squares = [{ output: perSample, value: 'x(i) * x(i)' }];
        const rows = Array.from({ length: samples * channels }, (_, i) =>
          rowSum(Math.floor(i / channels), i % channels, (value) => value * value),
        );
        const spatial = spatialSums(context, { label: 'sums', image: x, sums: squares, declare });
        await check(perSample, spatial, [[x, values]], rows);

        const total = plain([1]);
        await check(total, totalSum(context, x, total), [[x, values]], [all().reduce((a, b) => a + b)]);

        const mean = plain([channels]);
        const means = Float32Array.from(all(), (sum) => sum / (samples * voxels));
        const variances = all((value, c) => (value - means[c]) ** 2).map((sum) => sum / (samples * voxels));
        const variance = channelVariance(context, x, mean, perChannel);
        await check(perChannel, variance, [[x, values], [mean, means]], variances); // biome-ignore format: two tensors
      });
});
