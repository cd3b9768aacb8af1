/** State between runs, refused inputs, separate executables, and memory that stays flat over many steps. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { differentiate, Graph, runReference } from '@quickcolumn/graph';
import { has, type JudgedOptions, needs, useSoftwareWhereNeeded } from '@quickcolumn/testing';
import { describe, expect, it } from 'vitest';
import { type OneDnnRuntime, openOneDnn } from './onednn/runtime.js';
import { openOnnx } from './onnx/open.js';
import type { Executable, Runtime } from './contract/runtime.js';
import { openWebGpu } from './webgpu/open.js';
import type { WebGpuRuntime } from './webgpu/types.js';

const zero = { kind: 'constant', value: 0 } as const;

async function within<T>(runtime: Runtime, graph: Graph, use: (executable: Executable) => Promise<T>): Promise<T> {
  const executable = await runtime.compile(graph, { threads: 1, precision: 'float32' });
  try {
    return await use(executable);
  } finally {
    await executable.dispose();
  }
}

const valuesOf = async (executable: Executable, name: string): Promise<number[]> => [
  ...((await executable.readVariables()).get(name)?.data ?? []),
];

/** sum ← sum + x; y = sum before the run. */
function accumulator(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [2]);
  const sum = graph.variable('sum', [2], { kind: 'constant', value: 10 });
  graph.assign(sum, graph.apply('add', [sum, x]));
  graph.output('y', sum);
  return graph;
}

/** A small network with its gradient descent step; the intermediates are about 4 MB. */
function trainingGraph(channels: number, grid: readonly number[]): Graph {
  const graph = new Graph();
  const x = graph.input('x', [1, 1, ...grid]);
  const labels = graph.input('labels', [1, ...grid], 'uint8');
  const rate = graph.input('rate', []);
  const weight = (name: string, ...shape: number[]) => graph.variable(name, shape, { kind: 'normal', sd: 0.2 });
  // biome-ignore format: kernels, then biases
  const weights = [
    weight('w1', channels, 1, 3, 3, 3), weight('w2', channels, channels, 3, 3, 3), weight('w3', 2, channels, 1, 1, 1),
    weight('b1', channels), weight('b3', 2),
  ];
  const [w1, w2, w3, b1, b3] = weights;
  const conv = (image: typeof x, w: typeof x) => graph.apply('conv3d', [image, w], { stride: 1 });
  const first = graph.apply('relu', [graph.apply('addChannel', [conv(x, w1), b1])]);
  const low = graph.apply('relu', [conv(graph.apply('maxPool', [first]), w2)]);
  const up = graph.apply('add', [first, graph.apply('resize', [low], { factor: 2, mode: 'trilinear' })]);
  const logp = graph.apply('logSoftmax', [graph.apply('addChannel', [conv(up, w3), b3])]);
  const truth = graph.apply('oneHot', [labels], { classes: 2 });
  const scale = -1 / grid.reduce((a, b) => a * b);
  const loss = graph.apply('affine', [graph.apply('sum', [graph.apply('mul', [logp, truth])])], { scale, offset: 0 });
  graph.output('loss', loss);
  differentiate(graph, loss, weights).forEach((gradient, i) => {
    graph.assign(weights[i], graph.apply('sub', [weights[i], graph.apply('scale', [gradient, rate])]));
  });
  return graph;
}

function startOf(graph: Graph): Map<string, { shape: readonly number[]; data: Float32Array }> {
  const entries = [...graph.variables].map(
    (
      [
        name,
        {
          node: { shape },
        },
      ],
      v,
    ) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => 0.3 * Math.sin(i * 12.9898 + v));
      return [name, { shape, data }] as const;
    },
  );
  return new Map(entries);
}

/** A bright box on a noisy ground, and its labels. */
function sampleOf(grid: readonly number[]): { x: Float32Array; labels: Uint8Array; rate: Float32Array } {
  const count = grid.reduce((a, b) => a * b);
  const labels = Uint8Array.from({ length: count }, (_, i) => (i % grid[2] < grid[2] / 2 ? 1 : 0));
  const x = Float32Array.from(labels, (label, i) => label + 0.5 * Math.sin(i * 78.233));
  return { x, labels, rate: Float32Array.of(0.1) };
}

const oneDnn: OneDnnRuntime | string = has('oneDNN') ? await openOneDnn() : 'no oneDNN';
useSoftwareWhereNeeded();
const webGpu: WebGpuRuntime | string = has('WebGPU') ? await openWebGpu() : 'no WebGPU';
const runtimes: readonly { name: string; found: Runtime | string; judged: JudgedOptions }[] = [
  { name: 'onnx', found: await openOnnx(), judged: needs() },
  { name: 'onednn', found: oneDnn, judged: needs('oneDNN') },
  { name: 'webgpu', found: webGpu, judged: needs('WebGPU') },
];

describe.each(runtimes)('$name', ({ found, judged }) => {
  const runtime = found as Runtime;
  const using = <T>(graph: Graph, use: (executable: Executable) => Promise<T>): Promise<T> =>
    within(runtime, graph, use);

  describe('variables', () => {
    it('start with their constant and keep what runs assign', judged, async () => {
      await using(accumulator(), async (executable) => {
        expect(await valuesOf(executable, 'sum')).toEqual([10, 10]);
        const seen: number[][] = [];
        for (let i = 0; i < 5; i++) seen.push([...(await executable.run({ x: Float32Array.of(1, 2) })).y]);
        expect(seen.flat()).toEqual([10, 10, 11, 12, 12, 14, 13, 16, 14, 18]);
        expect(await valuesOf(executable, 'sum')).toEqual([15, 20]);
      });
    });

    it('are all read before any is written', judged, async () => {
      const graph = new Graph();
      const a = graph.variable('a', [2], { kind: 'constant', value: 1 });
      const b = graph.variable('b', [2], { kind: 'constant', value: 2 });
      graph.assign(a, b);
      graph.assign(b, a);
      graph.output('sum', graph.apply('add', [a, b]));
      await using(graph, async (executable) => {
        for (let i = 1; i <= 5; i++) {
          expect([...(await executable.run({})).sum]).toEqual([3, 3]);
          expect([(await valuesOf(executable, 'a'))[0], (await valuesOf(executable, 'b'))[0]]).toEqual(
            i % 2 ? [2, 1] : [1, 2],
          );
        }
      });
    });

    it('that no run assigns, or that nothing reads, keep their values', judged, async () => {
      const graph = new Graph();
      const x = graph.input('x', [2]);
      const fixed = graph.variable('fixed', [2], { kind: 'constant', value: 3 }, false);
      graph.variable('unused', [1], { kind: 'constant', value: 4 });
      const written = graph.variable('written', [2], zero);
      graph.assign(written, graph.apply('mul', [x, fixed]));
      await using(graph, async (executable) => {
        for (let i = 1; i <= 4; i++) {
          await executable.run({ x: Float32Array.of(i, 2 * i) });
          expect(await valuesOf(executable, 'written')).toEqual([3 * i, 6 * i]);
        }
        expect([await valuesOf(executable, 'fixed'), await valuesOf(executable, 'unused')]).toEqual([[3, 3], [4]]);
      });
    });

    it('are read as copies and written as copies', judged, async () => {
      await using(accumulator(), async (executable) => {
        const data = Float32Array.of(5, 6);
        await executable.writeVariables(new Map([['sum', { shape: [2], data }]]));
        data.fill(99);
        const before = await executable.readVariables();
        await executable.run({ x: Float32Array.of(1, 1) });
        await executable.run({ x: Float32Array.of(1, 1) });
        expect([...(before.get('sum')?.data ?? [])]).toEqual([5, 6]);
        expect(await valuesOf(executable, 'sum')).toEqual([7, 8]);
        before.get('sum')?.data.fill(99);
        expect(await valuesOf(executable, 'sum')).toEqual([7, 8]);
        // Restored after an odd number of runs too, when the other buffer is the current one.
        await executable.run({ x: Float32Array.of(1, 1) });
        await executable.writeVariables(new Map([['sum', { shape: [2], data: Float32Array.of(1, 2) }]]));
        expect([...(await executable.run({ x: Float32Array.of(0, 0) })).y]).toEqual([1, 2]);
      });
    });

    it('of another name, shape or length are refused and nothing changes', judged, async () => {
      await using(accumulator(), async (executable) => {
        const write = (name: string, shape: number[], count: number): Promise<void> =>
          executable.writeVariables(new Map([[name, { shape, data: new Float32Array(count) }]]));
        await expect(write('total', [2], 2)).rejects.toThrow('the graph has no variable total');
        await expect(write('sum', [2, 1], 2)).rejects.toThrow('variable sum is [2], got [2,1]');
        await expect(write('sum', [2], 1)).rejects.toThrow('variable sum is [2], got 1 values');
        await expect(write('sum', [2], 3)).rejects.toThrow('variable sum is [2], got 3 values');
        expect(await valuesOf(executable, 'sum')).toEqual([10, 10]);
      });
    });
  });

  describe('inputs', () => {
    it('that are missing or of another length are refused, and the state stays', judged, async () => {
      await using(accumulator(), async (executable) => {
        await expect(executable.run({})).rejects.toThrow('the graph needs an input x');
        await expect(executable.run({ x: new Float32Array(3) })).rejects.toThrow('input x has 3 values, expected [2]');
        await expect(executable.run({ x: new Uint8Array(2) })).rejects.toThrow('float32');
        expect(await valuesOf(executable, 'sum')).toEqual([10, 10]);
        await executable.run({ x: Float32Array.of(1, 2) });
        expect(await valuesOf(executable, 'sum')).toEqual([11, 12]);
      });
    });

    it('may have any name, also those that the lowering could use', judged, async () => {
      const graph = new Graph();
      const names = ['t0', 't1', '0', 'f_2', 'i_1_0', 'eye_2', 'a b/c'];
      const total = names
        .map((name) => graph.input(name, [1, 2, 1, 1, 1]))
        .reduce((a, b) => graph.apply('add', [a, b]));
      const twice = graph.apply('affine', [total], { scale: 2, offset: 0.5 });
      graph.output('y', graph.apply('channelSumProduct', [twice, twice]));
      await using(graph, async (executable) => {
        const inputs = Object.fromEntries(names.map((name, i) => [name, Float32Array.of(i, 1)]));
        expect([...(await executable.run(inputs)).y]).toEqual([42.5 ** 2, 14.5 ** 2]);
      });
    });
  });

  describe('outputs', () => {
    it('belong to the caller: later runs do not change them', judged, async () => {
      await using(accumulator(), async (executable) => {
        const { y } = await executable.run({ x: Float32Array.of(1, 1) });
        for (let i = 0; i < 3; i++) await executable.run({ x: Float32Array.of(1, 1) });
        expect([...y]).toEqual([10, 10]);
        y.fill(99);
        expect(await valuesOf(executable, 'sum')).toEqual([14, 14]);
      });
    });

    it('do not alias the inputs', judged, async () => {
      const graph = new Graph();
      graph.output('y', graph.input('x', [2]));
      await using(graph, async (executable) => {
        const x = Float32Array.of(1, 2);
        const { y } = await executable.run({ x });
        x.fill(99);
        expect([...y]).toEqual([1, 2]);
      });
    });
  });

  it('two executables of one graph do not share state', judged, async () => {
    const graph = accumulator();
    await using(graph, (first) =>
      using(graph, async (second) => {
        for (let i = 0; i < 3; i++) await first.run({ x: Float32Array.of(1, 1) });
        await second.run({ x: Float32Array.of(5, 5) });
        await first.writeVariables(new Map([['sum', { shape: [2], data: Float32Array.of(0, 0) }]]));
        expect([await valuesOf(first, 'sum'), await valuesOf(second, 'sum')]).toEqual([
          [0, 0],
          [15, 15],
        ]);
      }),
    );
  });

  it('the planned bytes are known before the first run', judged, async () => {
    await using(accumulator(), async (executable) => {
      // At least x, the sum and the variable, 8 bytes each, of which two may share a place.
      expect(executable.bytes).toBeGreaterThanOrEqual(8 + 8);
      // Beside them a library may need some for every node.
      expect(executable.bytes).toBeLessThan(1 << 20);
    });
  });

  it('runs do not overlap, and nothing runs after dispose', judged, async () => {
    const executable = await runtime.compile(accumulator(), { threads: 1 });
    const x = Float32Array.of(1, 1);
    const first = executable.run({ x });
    await expect(executable.run({ x })).rejects.toThrow('runs do not overlap');
    await first;
    await executable.dispose();
    await executable.dispose();
    await expect(executable.run({ x })).rejects.toThrow('disposed');
  });

  describe('training', () => {
    it('three steps equal the float64 reference', judged, async () => {
      const grid = [4, 4, 6];
      const graph = trainingGraph(2, grid);
      const start = startOf(graph);
      const sample = sampleOf(grid);
      await using(graph, async (executable) => {
        await executable.writeVariables(start);
        const values = new Map<string, ArrayLike<number>>(Object.entries(sample));
        for (const [name, { data }] of start) values.set(name, data);
        for (let i = 0; i < 3; i++) {
          const { loss } = await executable.run(sample);
          const expected = runReference(graph, values);
          expect(loss[0]).toBeCloseTo(expected.get('loss')?.data[0] ?? Number.NaN, 5);
          for (const name of start.keys()) values.set(name, expected.get(name)?.data ?? []);
        }
        for (const [name, { data }] of await executable.readVariables()) {
          data.forEach((value, i) => {
            expect(Math.abs(value - (values.get(name)?.[i] ?? Number.NaN)), `${name}[${i}]`).toBeLessThan(1e-5);
          });
        }
      });
    });

    it('memory is flat: of three times 100 steps after 50, one adds less than 8 MiB', judged, async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const grid = [16, 32, 32];
      const graph = trainingGraph(4, grid);
      await using(graph, async (executable) => {
        await executable.writeVariables(startOf(graph));
        const losses: number[] = [];
        const steps = async (count: number): Promise<number> => {
          for (let i = 0; i < count; i++) losses.push((await executable.run(sampleOf(grid))).loss[0]);
          collect();
          return process.memoryUsage().rss;
        };
        let before = await steps(50);
        const grown: number[] = [];
        for (let i = 0; i < 3; i++) {
          const after = await steps(100);
          grown.push((after - before) / 2 ** 20);
          before = after;
        }
        // A leak grows every time, caches of libraries and the heap once: one leaked image of 4 channels (256 KiB) a step
        // would add 25 MiB each time; two weights' buffers would not show.
        expect(Math.min(...grown), grown.join(' ')).toBeLessThan(8);
        expect(losses[349]).toBeLessThan(0.5 * losses[0]);
      });
    });
  });
});
