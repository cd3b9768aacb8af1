/**
 * What can happen to a graphics device: it is lost, too small, or no real one; and graphs whose tensors exceed a binding.
 * What every runtime has to do is tested in ../runtime.test.ts, every operation in ../matrix.test.ts.
 */
import { differentiate, Graph } from '@quickcolumn/graph';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseRuntime } from '../providers.js';
import type { RuntimeError } from '../contract/errors.js';
import type { NamedTensor } from '../contract/runtime.js';
import { openWebGpu } from './open.js';
import { provider } from './provider.js';
import type { WebGpuRuntime } from './types.js';
import { useSoftwareWhereNeeded } from './device/software.test.helpers.js';

useSoftwareWhereNeeded();
const found: WebGpuRuntime | string = await openWebGpu().catch((error: Error) => error.message);
const absent = typeof found === 'string';
const why = absent ? ` (skipped: ${found})` : '';
const shared = found as WebGpuRuntime;
afterAll(() => {
  if (!absent) shared.close();
});

const grid = [4, 8, 8];
const channels = 6;
const start = { kind: 'normal', sd: 0.2 } as const;

/** Two convolutions, a level below and back, batch statistics, a loss and a step of gradient descent. */
function trainingGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [1, 1, ...grid]);
  const first = graph.variable('first', [channels, 1, 3, 3, 3], start);
  const second = graph.variable('second', [channels, channels, 3, 3, 3], start);
  const features = graph.apply('conv3d', [x, first], { stride: 1 });
  const variance = graph.apply('channelVariance', [features, graph.apply('channelSum', [features])]);
  const low = graph.apply('relu', [graph.apply('conv3d', [graph.apply('maxPool', [features]), second], { stride: 1 })]);
  const high = graph.apply('resize', [low], { factor: 2, mode: 'trilinear' });
  const joined = graph.apply('concat', [features, high]);
  const loss = graph.apply('sum', [graph.apply('mul', [joined, joined])]);
  graph.output('loss', loss);
  graph.output('variance', variance);
  graph.output('features', joined);
  differentiate(graph, loss, [first, second]).forEach((gradient, i) => {
    const variable = [first, second][i];
    const change = graph.apply('affine', [gradient], { scale: -1e-4, offset: 0 });
    graph.assign(variable, graph.apply('add', [variable, change]));
  });
  return graph;
}

function weightsOf(graph: Graph): Map<string, NamedTensor> {
  return new Map(
    [...graph.variables].map(([name, { node }]) => {
      const count = node.shape.reduce((product, size) => product * size, 1);
      return [name, { shape: node.shape, data: Float32Array.from({ length: count }, (_, i) => 0.3 * Math.sin(7 * i)) }];
    }),
  );
}

const x = Float32Array.from({ length: 256 }, (_, i) => Math.sin(i * 0.7));

async function resultsOf(runtime: WebGpuRuntime): Promise<Record<string, number[]>> {
  const graph = trainingGraph();
  const executable = await runtime.compile(graph);
  try {
    await executable.writeVariables(weightsOf(graph));
    await executable.run({ x });
    const outputs = await executable.run({ x });
    return Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, [...values]]));
  } finally {
    await executable.dispose();
  }
}

describe(`webgpu runtime${why}`, () => {
  it.skipIf(absent)('gives the same bits where every tensor is in several parts', async () => {
    const small = await openWebGpu({ maxStorageBufferBindingSize: 4096 });
    try {
      expect(small.limits.maxStorageBufferBindingSize).toBe(4096);
      const whole = await resultsOf(shared);
      expect(whole['features']).toHaveLength(2 * channels * 256);
      expect(await resultsOf(small)).toEqual(whole);
    } finally {
      small.close();
    }
  });

  it.skipIf(absent)('adds more parts than the adapter binds at a time, each where it belongs', async () => {
    const small = await openWebGpu({ maxStorageBufferBindingSize: 4096 });
    try {
      const graph = new Graph();
      const shape = [2, 5, ...grid];
      const [a, b, c] = ['a', 'b', 'c'].map((name) => graph.input(name, shape));
      const bias = graph.input('bias', [5]);
      const sum = graph.apply('add', [graph.apply('mul', [a, b]), graph.apply('addChannel', [c, bias])]);
      graph.output('sum', sum);
      const count = 2 * 5 * 256;
      // Four images of four parts each: 17 with the values of the channels, more than software adapters bind.
      const values = (seed: number, length = count): Float32Array =>
        Float32Array.from({ length }, (_, i) => Math.round(100 * Math.sin(i * seed)));
      const inputs = { a: values(1), b: values(2), c: values(3), bias: values(4, 5) };
      const executable = await small.compile(graph);
      const { sum: actual } = await executable.run(inputs);
      await executable.dispose();
      const expected = actual.map((_, i) => inputs.a[i] * inputs.b[i] + inputs.c[i] + inputs.bias[(i >> 8) % 5]);
      expect(actual).toEqual(expected);
    } finally {
      small.close();
    }
  });

  it.skipIf(absent)('says that the device was lost, and a new one continues from the same weights', async () => {
    const graph = trainingGraph();
    const [first, second] = [await openWebGpu(), await openWebGpu()];
    const executable = await first.compile(graph);
    await executable.writeVariables(weightsOf(graph));
    await executable.run({ x });
    const saved = await executable.readVariables();
    const expected = await executable.run({ x });
    const running = executable.run({ x });
    first.close();
    // Whether it still ends or not, it does not hang.
    await running.catch((error: unknown) => expect(error).toMatchObject({ fields: { reason: 'device-lost' } }));
    const lost = await executable.run({ x }).catch((error: RuntimeError) => error);
    expect(lost).toMatchObject({ code: 'runtime', fields: { runtime: 'webgpu', reason: 'device-lost' } });
    await expect(executable.readVariables()).rejects.toThrow('lost');
    await expect(first.compile(graph)).rejects.toThrow('lost');
    await executable.dispose();

    const again = await second.compile(graph);
    await again.writeVariables(saved);
    const { loss } = await again.run({ x });
    expect([...loss]).toEqual([...expected['loss']]);
    await again.dispose();
    second.close();
  });

  it.skipIf(absent)('refuses a graph that no device could hold, before it allocates', async () => {
    const graph = new Graph();
    const image = graph.input('x', [1, 256, 1024, 1024, 1024]);
    graph.output('y', graph.apply('maxPool', [image]));
    const refused = await shared.compile(graph).catch((error: RuntimeError) => error);
    expect(refused).toMatchObject({ code: 'runtime', fields: { runtime: 'webgpu', reason: 'memory' } });
    // The device still works.
    expect((await resultsOf(shared))['loss']).toHaveLength(1);
  });

  it.skipIf(absent)('frees what it had: 40 rounds of compiling and running stay flat', async () => {
    const rounds = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) await resultsOf(shared);
      return process.memoryUsage().rss;
    };
    const warm = await rounds(20);
    expect(((await rounds(40)) - warm) / 2 ** 20).toBeLessThan(48);
  });

  it.skipIf(absent || !shared.software)('is never chosen by itself on a software adapter', async () => {
    expect((await provider.find()).notByItself).toMatch(/^its adapter, .*, is software/);
    const { runtime, reason } = await chooseRuntime({ runtime: 'auto' });
    expect(runtime.name).not.toBe('webgpu');
    expect(reason).toMatch(/webgpu: its adapter, .*, is software and no graphics card/);
    const asked = await chooseRuntime({ runtime: 'webgpu' });
    expect(asked.runtime.name).toBe('webgpu');
    (asked.runtime as WebGpuRuntime).close();
  });

  it.skipIf(absent || shared.limits.f16)('refuses float16 where the adapter has none', async () => {
    await expect(shared.compile(trainingGraph(), { precision: 'float16' })).rejects.toThrow(
      /does not compute in float16 on this machine, only in float32/,
    );
    await expect(chooseRuntime({ runtime: 'webgpu', precision: 'float16' })).rejects.toThrow('float16');
  });
});
