// One training step and one prediction of the QC-HC U-Net: seconds and peak memory.
// usage: node bench/step.mjs D H W ROOT BATCH THREADS [STEPS]
//        RUNTIME=auto|onednn|onnx PRECISION=auto|float32|bfloat16 choose what executes it (default: the fastest here)
//        SKIP_INFERENCE=1, SKIP_TRAINING=1 leave one of them out, for its peak memory alone; with auto a precision is chosen
//        for the step, or for the inference where that is all
import { compileTrainingStep } from '../packages/learn/dist/index.js';
import { predictionGraph } from '../packages/networks/dist/index.js';
import { chooseDevice, median, network, optimization, patchOf, sampleOf, seconds } from './workload.mjs';

const [depth, height, width, rootFilters, batch, threads, steps = 3] = process.argv.slice(2).map(Number);
const { RUNTIME: runtime, PRECISION: precision, SKIP_INFERENCE, SKIP_TRAINING } = process.env;
const work = SKIP_TRAINING ? 'prediction' : 'training';
const device = await chooseDevice({ runtime, precision, threads, work });
const grid = [depth, height, width];
const { image, labels } = sampleOf(grid, batch);
const peak = () => `peak ${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`;
console.log(device.reason);

if (!SKIP_INFERENCE) {
  const graph = predictionGraph(network(rootFilters), 4, patchOf(grid), batch);
  const predictor = await device.runtime.compile(graph, { threads, precision: device.precision });
  await predictor.run({ image });
  const times = [];
  for (let i = 0; i < steps; i++) times.push(await seconds(() => predictor.run({ image })));
  console.log(`inference ${median(times).toFixed(3)} s  ${peak()}`);
  await predictor.dispose();
}
if (!SKIP_TRAINING) {
  const training = await compileTrainingStep({
    network: network(rootFilters),
    classes: 4,
    patch: patchOf(grid),
    batch,
    threads,
    seed: 1,
    device,
    ...optimization,
  });
  console.log(`planned ${(training.bytes / 1e9).toFixed(2)} GB`);
  const times = [];
  // The first step touches all memory for the first time and is not counted.
  for (let step = 0; step <= steps; step++) {
    let result;
    const time = await seconds(async () => {
      result = await training.run({ image, labels }, { learningRate: 1e-4, step: step + 1 });
    });
    if (step > 0) times.push(time);
    console.log(`  loss ${result.loss.toFixed(4)} ${time.toFixed(3)} s`);
  }
  console.log(`step median ${median(times).toFixed(3)} min ${Math.min(...times).toFixed(3)} s  ${peak()}`);
  await training.dispose();
}
