// A whole scan from file to mask on its own grid, by stage: seconds and peak memory.
// usage: node bench/scan.mjs SCAN [MODEL.onnx]     without a model: the paper's network with fresh weights
//        RUNTIME=auto|onednn|onnx PRECISION=auto|float32|bfloat16
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readVolume, writeVolume } from '../packages/io/dist/index.js';
import { compileTrainingStep, exportModel, profiles } from '../packages/learn/dist/index.js';
import { loadModel, predictScan } from '../packages/predict/dist/index.js';
import { openOnnx } from '../packages/runtimes/dist/index.js';
import { chooseDevice } from './workload.mjs';

const [scanPath, modelPath] = process.argv.slice(2);
const { RUNTIME: runtime, PRECISION: precision } = process.env;
if (!scanPath) {
  console.error('usage: node bench/scan.mjs SCAN [MODEL.onnx]');
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-bench-'));

/** Weights as they are drawn before training: the time does not depend on them. */
async function freshModel() {
  const { preparation, network, loss, optimizer, predict, train } = profiles.paper;
  const classes = preparation.classes.length;
  const config = { network, classes, patch: [16, 16, 16], batch: 1, loss, optimizer, seed: 1 };
  const step = await compileTrainingStep({ ...config, device: { runtime: await openOnnx(), precision: 'float32' } });
  const variables = await step.variables();
  await step.dispose();
  const path = join(folder, 'fresh.onnx');
  const training = { profile: 'paper', seed: 1, cases: 0, epoch: 0, steps: 0, minutes: 0, date: '2000-01-01' };
  const metadata = { preparation, patch: train.patch, overlap: predict.overlap, training, notes: 'fresh weights' };
  await exportModel(path, { network, variables, metadata });
  return path;
}

const clock = () => performance.now() / 1000;
const peak = () => `${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`;
const stages = [];
const stage = (name, seconds) => stages.push(`| ${name} | ${seconds.toFixed(2)} s | ${peak()} |`);
try {
  const file = modelPath ?? (await freshModel());
  const device = await chooseDevice({ runtime, precision, work: 'prediction' });
  const start = clock();
  const scan = await readVolume(scanPath);
  stage('read', clock() - start);
  const began = clock();
  const model = await loadModel(file, device);
  const { patch } = model.metadata;
  const compiled = await model.compile(patch, 1);
  stage('load and compile the model', clock() - began);
  const marks = [];
  const before = clock();
  const { labels } = await predictScan(model, scan, { compiled, onProgress: () => marks.push(clock()) });
  const after = clock();
  // The first window also pays for packing the weights; its own time is taken to be that of the others.
  const perWindow = marks.length > 1 ? (marks.at(-1) - marks[0]) / (marks.length - 1) : 0;
  stage('prepare', marks[0] - perWindow - before);
  stage(`${marks.length} windows`, marks.at(-1) - marks[0] + perWindow);
  stage('restore to the scan’s grid', after - marks.at(-1));
  const writing = clock();
  await writeVolume(join(folder, 'mask.nii.gz'), labels, { like: scan.properties });
  stage('write', clock() - writing);
  console.log(`${scan.size.join('×')} voxels, window ${patch.join('×')}, ${device.reason}\n`);
  console.log(`| stage | time | peak so far |\n|---|---|---|\n${stages.join('\n')}`);
  console.log(`| **all** | **${(clock() - start).toFixed(2)} s** | ${peak()} |`);
  await compiled.dispose();
} finally {
  await rm(folder, { recursive: true, force: true });
}
