// One training step and one prediction of the QC-HC U-Net on the `onnx` runtime.
// usage: node bench/step.mjs D H W ROOT BATCH THREADS [STEPS]     prints seconds and peak memory
import { compileTrainingStep } from '../packages/learn/dist/index.js';
import { predictionGraph } from '../packages/networks/dist/index.js';
import { onnxRuntime } from '../packages/runtimes/dist/index.js';

const [depth, height, width, rootFilters, batch, threads, steps = 3] = process.argv.slice(2).map(Number);
const network = {
  name: 'qchc-unet',
  rootFilters,
  resize: 'trilinear',
  bottomLevel: false,
  quickConnection: true,
  hypercolumn: true,
};
const patch = [width, height, depth];
const voxels = depth * height * width * batch;
const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 12.9898) * 1.4);
const labels = Uint8Array.from({ length: voxels }, (_, i) => (i * 7919) % 4);
const seconds = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const peak = () => `peak ${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`;
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

if (!process.env.SKIP_INFERENCE) {
  const predictor = await onnxRuntime.compile(predictionGraph(network, 4, patch, batch), { threads });
  await predictor.run({ image });
  const times = [];
  for (let i = 0; i < steps; i++) times.push(await seconds(() => predictor.run({ image })));
  console.log(`inference ${median(times).toFixed(3)} s  ${peak()}`);
  await predictor.dispose();
}
const training = await compileTrainingStep({
  network,
  classes: 4,
  patch,
  batch,
  threads,
  seed: 1,
  loss: { alpha: 0.5, beta: 0.5, epsilon: 1e-6 },
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
});
console.log(`planned ${(training.bytes / 1e9).toFixed(2)} GB`);
const times = [];
for (let step = 1; step <= steps; step++) {
  let result;
  times.push(
    await seconds(async () => {
      result = await training.run({ image, labels }, { learningRate: 1e-4, step });
    }),
  );
  console.log(`  loss ${result.loss.toFixed(4)} ${times.at(-1).toFixed(3)} s`);
}
console.log(`step median ${median(times).toFixed(3)} min ${Math.min(...times).toFixed(3)} s  ${peak()}`);
await training.dispose();
