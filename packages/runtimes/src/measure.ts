/** How fast a runtime is on this machine: one convolution of the kind that fills a training step, timed. */
import { Graph } from '@quickcolumn/graph';
import type { CompileOptions, Precision, Runtime } from './runtime.js';

export interface MeasuredSpeed {
  readonly runtime: string;
  readonly version: string;
  readonly precision: Precision;
  /** 10⁹ floating-point operations a second, the best of several runs of a 3×3×3 convolution 32→32. */
  readonly gflops: number;
}

export async function measureSpeed(runtime: Runtime, options: CompileOptions = {}): Promise<MeasuredSpeed> {
  const channels = 32;
  const grid = [32, 48, 48];
  const graph = new Graph();
  const image = graph.input('image', [1, channels, ...grid]);
  const weight = graph.variable('weight', [channels, channels, 3, 3, 3], { kind: 'constant', value: 0.01 });
  // Only the sum comes back, so that copying the result is not timed.
  graph.output('sum', graph.apply('sum', [graph.apply('conv3d', [image, weight], { stride: 1 })]));
  const executable = await runtime.compile(graph, options);
  const data = new Float32Array(image.shape.reduce((p, s) => p * s, 1)).fill(0.5);
  let best = Number.POSITIVE_INFINITY;
  try {
    for (let i = 0; i < 6; i++) {
      const start = performance.now();
      await executable.run({ image: data });
      best = Math.min(best, performance.now() - start);
    }
  } finally {
    await executable.dispose();
  }
  const flop = 2 * 27 * channels * channels * grid[0] * grid[1] * grid[2];
  const { precision = runtime.precision } = options;
  return { runtime: runtime.name, version: runtime.version, precision, gflops: flop / best / 1e6 };
}
