/** How fast a runtime is on this machine: convolutions of the kind that fill a training step, timed. */
import { Graph } from '@quickcolumn/graph';
import type { CompileOptions, Precision, Runtime } from '../contract/runtime.js';

export interface RuntimeSpeed {
  readonly precision: Precision;
  /** 10⁹ floating-point operations a second, the best of several runs of 3×3×3 convolutions 64→64. */
  readonly gflops: number;
}

export async function measureSpeed(runtime: Runtime, options: CompileOptions = {}): Promise<RuntimeSpeed> {
  const channels = 64;
  const grid = [16, 32, 32];
  const layers = 6;
  const graph = new Graph();
  const image = graph.input('image', [1, channels, ...grid]);
  const weight = graph.variable('weight', [channels, channels, 3, 3, 3], { kind: 'constant', value: 0.001 });
  let features = image;
  for (let layer = 0; layer < layers; layer++) features = graph.apply('conv3d', [features, weight], { stride: 1 });
  // Only a sum comes back, and of few values: bringing data in and out is not what is timed.
  graph.output('sum', graph.apply('sum', [graph.apply('maxPool', [features])]));
  const executable = await runtime.compile(graph, options);
  const data = new Float32Array(image.shape.reduce((p, s) => p * s, 1)).fill(0.5);
  let best = Number.POSITIVE_INFINITY;
  try {
    // A processor that plays graphics card takes seconds a run; there one is enough.
    for (let i = 0, begin = performance.now(); i < 6 && (i === 0 || performance.now() - begin < 3000); i++) {
      const start = performance.now();
      await executable.run({ image: data });
      best = Math.min(best, performance.now() - start);
    }
  } finally {
    await executable.dispose();
  }
  const flop = layers * 2 * 27 * channels * channels * grid[0] * grid[1] * grid[2];
  return { precision: options.precision ?? runtime.precision, gflops: flop / best / 1e6 };
}
