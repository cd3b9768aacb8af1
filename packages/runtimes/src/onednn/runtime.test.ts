/** The onednn runtime as a whole: memory that it gives back, the library missing, what it fuses and what it refuses. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Graph, type GraphNode } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../contract/errors.js';
import { chooseRuntime } from '../providers.js';
import { type OneDnnRuntime, openOneDnn } from './runtime.js';

const found: OneDnnRuntime | string = await openOneDnn().catch((error: Error) => error.message);
const present = typeof found !== 'string';
const why = present ? '' : ` (skipped: ${found})`;
const runtime = found as OneDnnRuntime;

/** conv → bias → norm with given statistics → ReLU, joined with its input: what prediction is made of. */
function inferenceBlock(channels: number, grid: readonly number[]): Graph {
  const graph = new Graph();
  const x = graph.input('x', [1, channels, ...grid]);
  const variable = (name: string, shape: number[], value: number): GraphNode =>
    graph.variable(name, shape, { kind: 'constant', value });
  const w = variable('w', [channels, channels, 3, 3, 3], 0.01);
  const vector = (name: string, value: number): GraphNode => variable(name, [channels], value);
  const biased = graph.apply('addChannel', [graph.apply('conv3d', [x, w], { stride: 1 }), vector('bias', 0.1)]);
  const statistics = [vector('mean', 0.2), vector('variance', 2), vector('gamma', 1.5), vector('beta', -0.1)] as const;
  const normed = graph.apply('batchNorm', [biased, ...statistics], { epsilon: 1e-3, training: false });
  graph.output('y', graph.apply('relu', [graph.apply('add', [normed, x])]));
  return graph;
}

const ramp = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.37));

describe(`onednn${why}`, () => {
  it.skipIf(!present)('makes one primitive of a convolution and what follows it elementwise', async () => {
    const executable = await runtime.compile(inferenceBlock(16, [4, 6, 8]), { threads: 1, precision: 'float32' });
    try {
      const steps = await executable.profile({ x: ramp(16 * 4 * 6 * 8) });
      expect(executable.slow).toEqual([]);
      // The weights are packed once, not in every run; the two others change the layout of the input and the result.
      expect(steps.map(({ op }) => op)).toEqual(['convert', 'conv3d', 'convert']);
    } finally {
      await executable.dispose();
    }
  });

  it.skipIf(!present)('packs the weights anew when they are set', async () => {
    const grid = [4, 6, 8];
    const executable = await runtime.compile(inferenceBlock(16, grid), { threads: 1, precision: 'float32' });
    try {
      const x = ramp(16 * 4 * 6 * 8);
      const before = await executable.run({ x });
      await executable.writeVariables(
        new Map([['w', { shape: [16, 16, 3, 3, 3], data: new Float32Array(16 * 16 * 27) }]]),
      );
      const after = await executable.run({ x });
      // With weights of 0: relu((bias − mean)·γ/√(variance + ε) + β + x).
      const offset = ((0.1 - 0.2) * 1.5) / Math.sqrt(2.001) - 0.1;
      expect(after.y[5]).toBeCloseTo(Math.max(0, offset + x[5]), 5);
      expect(after.y).not.toEqual(before.y);
    } finally {
      await executable.dispose();
    }
  });

  it.skipIf(!present)('gives its memory back: 1000 rounds of compile, run and dispose', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const x = ramp(8 * 8 * 16 * 16);
    const rounds = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        const executable = await runtime.compile(inferenceBlock(8, [8, 16, 16]), { threads: 1 });
        await executable.run({ x });
        await executable.dispose();
      }
      collect();
      return process.memoryUsage().rss;
    };
    // The library's caches and both heaps fill first.
    const warm = await rounds(1000);
    // One arena of a round is 100 kB: 1000 of them kept would be 100 MB.
    expect((await rounds(1000)) - warm).toBeLessThan(24 * 2 ** 20);
  });

  it.skipIf(!present)('names the operation that cannot be', async () => {
    const graph = new Graph();
    graph.output('y', { ...graph.input('x', [2]), id: 1, op: 'nonsense' } as unknown as GraphNode);
    // A fault of ours stays one on its way from the worker.
    await expect(runtime.compile(graph)).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/onednn.*nonsense/) as string,
    });
  });

  it.skipIf(!present)('refuses a graph that no memory holds, with how much it needs', async () => {
    const graph = new Graph();
    graph.output('y', graph.apply('maxPool', [graph.input('x', [1, 64, 4096, 4096, 4096])]));
    const refused = await runtime.compile(graph).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RuntimeError);
    expect(refused).toMatchObject({ code: 'runtime', fields: { runtime: 'onednn' } });
    expect((refused as RuntimeError).fields['bytes']).toBeGreaterThan(2 ** 42);
    expect((refused as RuntimeError).stack).toContain('library.js');
  });
});

describe('the choice', () => {
  const main = resolve(import.meta.dirname, '../../dist/index.js');
  const choose = (request: string): { status: number | null; text: string } => {
    const code = `import(${JSON.stringify(main)}).then(({ chooseRuntime }) => chooseRuntime(${request})).then(
      ({ reason }) => console.log(reason), (error) => { console.log(error.code, error.message); process.exitCode = 6; })`;
    const env = { ...process.env, QUICKCOLUMN_DNNL: '/nowhere/libdnnl.so.9' };
    const { status, stdout } = spawnSync(process.execPath, ['-e', code], { env, encoding: 'utf8' });
    return { status, text: stdout };
  };

  it('falls back to onnx where the library is missing, and says why and what to install', () => {
    const { status, text } = choose('{}');
    expect(text).toMatch(
      /^runtime onnx .*float32 \(the fastest here; webgpu: .*; onednn: oneDNN was not found .*apt-get install libdnnl2/,
    );
    expect(status).toBe(0);
  });

  it('is an error where onednn is asked for by name', () => {
    const { status, text } = choose("{ runtime: 'onednn' }");
    expect(text).toMatch(/^runtime oneDNN was not found .*apt-get install/);
    expect(status).toBe(6);
  });

  it('refuses bfloat16 of a runtime that has none, and says what is possible', async () => {
    const refused = chooseRuntime({ runtime: 'onnx', precision: 'bfloat16' });
    await expect(refused).rejects.toMatchObject({
      code: 'runtime',
      message: 'onnx does not compute in bfloat16 on this machine, only in float32',
      fields: { runtime: 'onnx', precision: 'bfloat16', possible: ['float32'] },
    });
  });

  it.skipIf(!present)('refuses float16 when it compiles, too', async () => {
    const refused = runtime.compile(inferenceBlock(4, [4, 4, 4]), { precision: 'float16' });
    await expect(refused).rejects.toMatchObject({ fields: { runtime: 'onednn', precision: 'float16' } });
  });
});
