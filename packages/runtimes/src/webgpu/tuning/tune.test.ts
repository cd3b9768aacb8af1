/** Measured tiles: found, kept, used again, and as right as the others. */
import { differentiate, Graph } from '@quickcolumn/graph';
import { afterAll, describe, expect, it } from 'vitest';
import { lowerToWebGpu } from '../program/lower.js';
import { openWebGpu } from '../open.js';
import type { WebGpuRuntime } from '../types.js';
import { useSoftwareWhereNeeded } from '../device/software.test.helpers.js';
import type { TileStore } from '../../contract/provider.js';

useSoftwareWhereNeeded();
const found: WebGpuRuntime | string = await openWebGpu().catch((error: Error) => error.message);
const absent = typeof found === 'string';
const why = absent ? ` (skipped: ${found})` : '';
afterAll(() => {
  if (!absent) found.close();
});

/** A loss and the gradients of two convolutions and a transposed one: all three families of kernels. */
function graphOf(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [1, 4, 4, 6, 8]);
  const weights = [
    graph.input('first', [8, 4, 3, 3, 3]),
    graph.input('down', [8, 8, 2, 2, 2]),
    graph.input('up', [8, 4, 2, 2, 2]),
  ];
  const features = graph.apply('conv3d', [x, weights[0]], { stride: 1 });
  const low = graph.apply('conv3d', [features, weights[1]], { stride: 2 });
  const high = graph.apply('convTranspose3d', [low, weights[2]]);
  const loss = graph.apply('sum', [graph.apply('mul', [high, high])]);
  graph.output('loss', loss);
  differentiate(graph, loss, weights).forEach((gradient, i) => graph.output(`gradient ${i}`, gradient));
  return graph;
}

const dataOf = (graph: Graph): Record<string, Float32Array> =>
  Object.fromEntries(
    [...graph.inputs].map(([name, { shape }], i) => [
      name,
      Float32Array.from({ length: shape.reduce((p, s) => p * s, 1) }, (_, at) => Math.sin(at * 0.37 + i)),
    ]),
  );

interface MemoryStore extends TileStore {
  readonly kept: Map<string, ReadonlyMap<string, string>>;
  readonly told: number[];
}

function memoryStore(): MemoryStore {
  const kept = new Map<string, ReadonlyMap<string, string>>();
  const told: number[] = [];
  return {
    kept,
    told,
    load: async (adapter) => kept.get(adapter) ?? new Map(),
    save: async (adapter, tiles) => void kept.set(adapter, new Map(tiles)),
    onProgress: ({ done, total }) => told.push(total - done),
  };
}

async function resultsOf(runtime: WebGpuRuntime): Promise<Record<string, Float32Array>> {
  const graph = graphOf();
  const executable = await runtime.compile(graph);
  try {
    return await executable.run(dataOf(graph));
  } finally {
    await executable.dispose();
  }
}

describe(`tuning${why}`, () => {
  it.skipIf(absent)(
    'measures every convolution once, keeps the result under the adapter, and measures nothing again',
    async () => {
      const store = memoryStore();
      const tuning = await openWebGpu({ tiles: store });
      try {
        const first = await resultsOf(tuning);
        const { convolutions } = lowerToWebGpu(graphOf(), { limits: tuning.limits });
        expect(convolutions).toHaveLength(8);
        // The input gradient of the strided convolution is a transposed convolution, and the other way round.
        const tiles = store.kept.get(tuning.version);
        expect([...(tiles?.keys() ?? [])].sort()).toEqual([
          'convolution f32 1x4x8/4x6x8/2x3x4/2x2x2x2',
          'convolution f32 1x4x8/4x6x8/4x6x8/3x3x3x1',
          'convolution f32 1x8x8/4x6x8/2x3x4/2x2x2x2',
          'gradient f32 1x4x8/4x6x8/2x3x4/2x2x2x2',
          'gradient f32 1x4x8/4x6x8/4x6x8/3x3x3x1',
          'gradient f32 1x8x8/4x6x8/2x3x4/2x2x2x2',
          'transposed f32 1x8x4/2x3x4/4x6x8/2x2x2x2',
          'transposed f32 1x8x8/2x3x4/4x6x8/2x2x2x2',
        ]);
        expect(store.told.at(-1)).toBe(0);

        const before = store.told.length;
        expect(await resultsOf(tuning)).toEqual(first);
        expect(store.told).toHaveLength(before);
        const usual = await resultsOf(found as WebGpuRuntime);
        for (const [name, values] of Object.entries(usual)) {
          const largest = Math.max(...values.map(Math.abs));
          values.forEach((value, i) => expect(Math.abs(value - first[name][i])).toBeLessThan(1e-5 * largest));
        }
      } finally {
        tuning.close();
      }
    },
  );

  it.skipIf(absent)(
    'a kept tile is used; a name that no table has is measured by nobody and the usual one taken',
    () => {
      const { limits } = found as WebGpuRuntime;
      const key = 'convolution f32 1x4x8/4x6x8/4x6x8/3x3x3x1';
      const codeOf = (tiles: ReadonlyMap<string, string>): (string | undefined)[] =>
        lowerToWebGpu(graphOf(), { limits, software: true, tiles })
          .kernels.filter(({ label }) => label === 'conv3d')
          .map(({ code }) => code);
      const usual = codeOf(new Map());
      const other = codeOf(new Map([[key, 'direct, rows 1, columns 4, blocks 1, lanes 4']]));
      const larger = codeOf(new Map([[key, 'direct, rows 4, columns 4, blocks 4, lanes 4']]));
      expect(other[0]).not.toEqual(larger[0]);
      expect(other.slice(1)).toEqual(usual.slice(1));
      expect(codeOf(new Map([[key, 'staged, planes 99']]))).toEqual(usual);
    },
  );
});
