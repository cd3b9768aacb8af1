// What the benchmarks have in common: the paper's network, a made-up sample, a clock, and the choice of jobs.
import { chooseRuntime } from '../packages/runtimes/dist/index.js';
import { measuredPrecisions } from '../packages/workflows/dist/index.js';

export const network = (rootFilters) => ({
  name: 'qchc-unet',
  rootFilters,
  resize: 'trilinear',
  bottomLevel: false,
  quickConnection: true,
  hypercolumn: true,
});
export const optimization = {
  loss: { alpha: 0.5, beta: 0.5, epsilon: 1e-6 },
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
};
/** [D, H, W] → x, y, z. */
export const patchOf = ([depth, height, width]) => [width, height, depth];

export function sampleOf(grid, batch) {
  const voxels = grid.reduce((product, size) => product * size, batch);
  return {
    image: Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 12.9898) * 1.4),
    labels: Uint8Array.from({ length: voxels }, (_, i) => (i * 7919) % 4),
  };
}

export async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** What a job takes: `auto` goes by the measured precisions that are kept. @param work 'training' or 'prediction' */
export function chooseDevice({ runtime, precision, threads, work }) {
  const context = { note: console.error, begin: () => ({ update() {}, end() {} }), throwIfInterrupted() {} };
  const speedsOf = (opened) => measuredPrecisions(opened, context, { threads });
  return chooseRuntime({ runtime, precision, measured: { work, speedsOf } });
}
