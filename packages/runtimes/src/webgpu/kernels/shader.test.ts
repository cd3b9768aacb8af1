/** Bindings, accessors and dispatches that every kernel relies on. */
import { afterAll, describe, expect, it } from 'vitest';
import type { GpuDevice } from '../device/device.js';
import type { KernelLimits } from './kernel.js';
import { runKernels } from './kernels.test.helpers.js';
import { Shader, spread } from './shader.js';
import { testDevice } from '../device/software.test.helpers.js';
import { makeTensor, packBlocked, unpackBlocked } from './tensors.js';

const found: GpuDevice | string = await testDevice();
const why = typeof found === 'string' ? ` (skipped: ${found})` : '';
const gpu = found as GpuDevice;
const skipped = typeof found === 'string';
afterAll(() => {
  if (!skipped) gpu.device.destroy();
});

const noLimits: KernelLimits = {
  maxStorageBuffersPerShaderStage: 10,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
  f16: true,
};

describe('layouts', () => {
  it('blocked and back is the identity; channels beyond the last are 0', () => {
    const shape = [2, 5, 1, 2, 3];
    const values = Float32Array.from({ length: 60 }, (_, i) => i + 1);
    const packed = packBlocked(values, shape);
    expect(packed).toHaveLength(2 * 8 * 6);
    expect([...packed.subarray(0, 8)]).toEqual([1, 7, 13, 19, 2, 8, 14, 20]);
    expect([...packed.subarray(24, 28)]).toEqual([25, 0, 0, 0]);
    expect(unpackBlocked(packed, shape)).toEqual(values);
  });

  it('a tensor above the limit is in parts of whole 256 bytes', () => {
    const tensor = makeTensor([1, 3, 2, 5, 7], 'blocked', { limits: { maxStorageBufferBindingSize: 600 } });
    expect(tensor.parts).toEqual([128, 128, 24]);
  });

  it('workgroups above the limit are spread over dimensions', () => {
    expect(spread(7, noLimits)).toEqual([7, 1, 1]);
    for (const count of [65536, 200_000, 65535 * 65535 + 1]) {
      const groups = spread(count, noLimits);
      expect(groups[0] * groups[1] * groups[2]).toBeGreaterThanOrEqual(count);
      expect(Math.max(...groups)).toBeLessThanOrEqual(65535);
    }
  });
});

describe('text', () => {
  it('half storage is converted where it is read and written', () => {
    const half = makeTensor([1, 4, 1, 1, 64], 'blocked', { storage: 'f16', limits: noLimits });
    const { code } = new Shader('t')
      .update('x', half)
      .buildEach({ limits: noLimits, count: 64, body: 'x_set(i, x(i));' });
    expect(code).toMatch(/^enable f16;/);
    expect(code).toContain('array<vec4<f16>, 64>');
    expect(code).toContain('return vec4f(b0[i]);');
    expect(code).toContain('b0[i] = vec4<f16>(v);');
  });

  it('one tensor under two names is one binding; reading and writing it by halves is refused', () => {
    const tensor = makeTensor([8], 'plain', { limits: noLimits });
    expect(new Shader('t').read('a', tensor).read('b', tensor).bindingCount).toBe(1);
    expect(() => new Shader('t').read('a', tensor).write('b', tensor)).toThrow('use update');
    expect(() => new Shader('t').read('a', tensor).read('b', tensor, { vec4: true })).toThrow('in two ways');
  });
});

describe('ranges', () => {
  it('a pass over a range binds only the parts that it reaches', () => {
    const limits = { ...noLimits, maxStorageBufferBindingSize: 256 };
    const x = makeTensor([1, 4, 1, 1, 50], 'blocked', { limits });
    expect(x.parts).toEqual([64, 64, 64, 8]);
    const partsIn = (range: readonly [number, number]): number[] =>
      new Shader('t')
        .update('x', x, { range })
        .buildEach({ limits, first: range[0], count: range[1], body: 'x_set(i, x(i));' })
        .bindings.map(({ part }) => part);
    expect(partsIn([0, 16])).toEqual([0]);
    expect(partsIn([16, 32])).toEqual([1]);
    expect(partsIn([15, 33])).toEqual([0, 1, 2]);
    expect(partsIn([48, 50])).toEqual([3]);
  });
});

describe(`on the device${why}`, () => {
  it.skipIf(skipped)('tensors in parts are read and written as one', async () => {
    const limits = { ...gpu.limits, maxStorageBufferBindingSize: 256 };
    const x = makeTensor([1, 3, 3, 5, 7], 'blocked', { limits });
    const y = makeTensor([1, 3, 3, 5, 7], 'blocked', { limits: gpu.limits });
    const bias = makeTensor([3], 'plain', { limits });
    expect(x.parts).toHaveLength(7);
    const kernel = new Shader('t').read('x', x).read('bias', bias).write('y', y).buildEach({
      limits: gpu.limits,
      count: 105,
      body: 'y_set(i, x(i) * 2.0 + vec4f(bias(0u), bias(1u), bias(2u), 0.0));',
    });
    const values = Float32Array.from({ length: 315 }, (_, i) => i);
    const data = new Map([
      [x, values],
      [bias, Float32Array.of(0.5, 1, 2)],
    ]);
    const [actual] = await runKernels(gpu, [kernel], { data, results: [y] });
    expect([...actual]).toEqual([...values].map((value, i) => 2 * value + [0.5, 1, 2][Math.floor(i / 105)]));
  });

  it.skipIf(skipped)('more workgroups than a dimension has are counted without gaps', async () => {
    const limits = { ...gpu.limits, maxComputeWorkgroupsPerDimension: 3 };
    const labels = makeTensor([1000], 'plain', { storage: 'u8', limits });
    const y = makeTensor([1000], 'plain', { limits });
    const kernel = new Shader('t')
      .read('x', labels)
      .write('y', y)
      .buildEach({ limits, count: 1000, body: 'y_set(i, f32(x(i)));' });
    expect(kernel.workgroups).toEqual([3, 3, 2]);
    const values = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
    const [actual] = await runKernels(gpu, [kernel], { data: new Map([[labels, values]]), results: [y] });
    expect([...actual]).toEqual([...values]);
  });
});
