/** What fails on a graphics device fails as a RuntimeError with a reason: loss, memory, precision; `auto` avoids SwiftShader. */
import { Graph } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { chooseRuntime } from '../choose.js';
import { openWebGpu } from './open.js';
import type { WebGpuRuntime } from './runtime.js';
import { useSoftwareWhereNeeded } from './software.test.kit.js';

useSoftwareWhereNeeded();
const open = (): Promise<WebGpuRuntime> => openWebGpu();
const first: WebGpuRuntime | string = await open().catch((error: Error) => error.message);
const absent = typeof first === 'string';
const why = absent ? ` (skipped: ${first})` : '';

/** y = x + sum; sum ← y. */
function accumulator(length: number): Graph {
  const graph = new Graph();
  const sum = graph.variable('sum', [length], { kind: 'constant', value: 0 });
  const y = graph.apply('add', [sum, graph.input('x', [length])]);
  graph.assign(sum, y);
  graph.output('y', y);
  return graph;
}

describe(`failures of webgpu${why}`, () => {
  it.skipIf(absent)('a device lost between and during runs is a RuntimeError; a new device goes on', async () => {
    const runtime = await open();
    const executable = await runtime.compile(accumulator(2));
    await executable.run({ x: Float32Array.of(1, 2) });
    const kept = await executable.readVariables();
    const running = executable.run({ x: Float32Array.of(1, 2) });
    runtime.device.destroy();
    await running.catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'runtime', fields: { reason: 'device-lost' } });
    });
    await expect(executable.run({ x: Float32Array.of(1, 2) })).rejects.toMatchObject({
      code: 'runtime',
      fields: { reason: 'device-lost' },
    });
    await executable.dispose();
    const next = await open();
    const again = await next.compile(accumulator(2));
    await again.writeVariables(kept);
    expect([...(await again.run({ x: Float32Array.of(1, 2) })).y]).toEqual([2, 4]);
    await again.dispose();
    next.close();
  });

  it.skipIf(absent)('a precision that the adapter lacks is refused', async () => {
    const runtime = await open();
    const half = runtime.compile(accumulator(2), { precision: 'float16' });
    if (runtime.features.includes('shader-f16')) await (await half).dispose();
    else await expect(half).rejects.toMatchObject({ code: 'runtime', fields: { precision: 'float16' } });
    await expect(runtime.compile(accumulator(2), { precision: 'bfloat16' })).rejects.toThrow('float32 or auto');
    runtime.close();
  });

  it.skipIf(absent)('auto never takes a software adapter', async () => {
    const { runtime, reason } = await chooseRuntime();
    if ((first as WebGpuRuntime).software) {
      expect(runtime.name).not.toBe('webgpu');
      expect(reason).toContain('is no graphics card');
    } else expect(runtime.name).toBe('webgpu');
  });

  it.skipIf(absent)('30 rounds of compile, run and dispose keep working', async () => {
    const runtime = await open();
    for (let round = 0; round < 30; round++) {
      const executable = await runtime.compile(accumulator(1 << 20));
      expect(executable.bytes).toBeGreaterThanOrEqual(8 << 20);
      await executable.run({ x: new Float32Array(1 << 20) });
      await executable.dispose();
    }
    runtime.close();
  });
});
