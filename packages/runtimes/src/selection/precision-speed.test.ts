/** Measuring precisions: what is compiled and run, that nothing stays, and the sample network in the runtimes that are here. */
import type { Graph } from '@quickcolumn/graph';
import { needs } from '@quickcolumn/testing';
import { describe, expect, it } from 'vitest';
import type { CompileOptions, Executable, Precision, Runtime } from '../contract/runtime.js';
import { openOneDnn } from '../onednn/runtime.js';
import { measurePrecisions } from './precision-speed.js';
import { sampleImage, sampleNetwork, sampleWeights } from './sample-network.js';

/** A runtime that waits instead of computing, so many milliseconds for a step of each precision. */
function waiting(milliseconds: Partial<Record<Precision, number>>): {
  runtime: Runtime;
  compiled: CompileOptions[];
  open: Set<object>;
} {
  const compiled: CompileOptions[] = [];
  const open = new Set<object>();
  const runtime: Runtime = {
    name: 'waiting',
    version: '1',
    precision: 'bfloat16',
    precisions: ['float32', 'bfloat16', 'float16'],
    memory: 'host',
    windowsAtOnce: 1,
    async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
      compiled.push(options);
      const time = (milliseconds[options.precision ?? 'float32'] ?? 0) * (graph.assignments.size > 0 ? 4 : 1);
      const executable: Executable = {
        bytes: 0,
        run: () => new Promise((resolve) => setTimeout(() => resolve({}), time)),
        readVariables: async () => new Map(),
        writeVariables: async () => undefined,
        dispose: async () => void open.delete(executable),
      };
      open.add(executable);
      return executable;
    },
  };
  return { runtime, compiled, open };
}

describe('measured precisions', () => {
  it('are float32 and the own one of the runtime, step and forward pass, with the threads that were asked for', async () => {
    const { runtime, compiled, open } = waiting({ float32: 40, bfloat16: 10 });
    const speeds = await measurePrecisions(runtime, { threads: 3 });
    expect(speeds.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16']);
    expect(compiled.map(({ precision, threads }) => `${precision} ${threads}`)).toEqual([
      'float32 3',
      'float32 3',
      'bfloat16 3',
      'bfloat16 3',
    ]);
    // Least times: nothing that disturbs can make them less.
    const atLeast = [0.159, 0.039, 0.039, 0.009];
    speeds
      .flatMap(({ stepSeconds, predictionSeconds }) => [stepSeconds, predictionSeconds])
      .forEach((seconds, i) => expect(seconds).toBeGreaterThan(atLeast[i]));
    expect(open.size).toBe(0);
  });

  it('leave nothing compiled where a signal ends them', async () => {
    const { runtime, open } = waiting({});
    const stop = (): never => {
      throw new Error('interrupted');
    };
    await expect(measurePrecisions(runtime, { onProgress: stop })).rejects.toThrow('interrupted');
    expect(open.size).toBe(0);
  });

  it('come of a network that learns, alike in each precision and on no plain loops', needs('oneDNN'), async () => {
    const runtime = await openOneDnn();
    const graph = sampleNetwork(true);
    const firsts: number[] = [];
    for (const precision of runtime.precisions) {
      const executable = await runtime.compile(graph, { threads: 2, precision });
      expect(executable.slow).toEqual([]);
      await executable.writeVariables(sampleWeights(graph));
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) losses.push((await executable.run({ image: sampleImage() })).loss[0]);
      await executable.dispose();
      expect(losses).toEqual(losses.toSorted((a, b) => b - a));
      expect(losses[3]).toBeLessThan(losses[0]);
      firsts.push(losses[0]);
    }
    for (const loss of firsts) expect(Math.abs(loss / firsts[0] - 1)).toBeLessThan(0.02);
  });
});
