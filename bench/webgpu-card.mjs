// Everything about a graphics card in one table: its measured peak, each convolution against it with every tile that
// could run it, the training step and the prediction of the paper's configuration, and PyTorch on the same card.
// usage: node bench/webgpu-card.mjs [--python PYTHON --peer qchc_torch.py] [--small] [--out FILE.md]
//        --small: small grids, to try it on a processor that plays graphics card (see bench/webgpu.mjs for the driver)
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { compileTrainingStep } from '../packages/learn/dist/index.js';
import { predictionGraph } from '../packages/networks/dist/index.js';
import { openWebGpu } from '../packages/runtimes/dist/index.js';
import { prepareLayer, storageUsage } from './webgpu-layer.mjs';
import { median, network, optimization, patchOf, sampleOf, seconds } from './workload.mjs';

const { values: flags } = parseArgs({
  options: {
    python: { type: 'string' },
    peer: { type: 'string' },
    small: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const runtime = await openWebGpu();
const { device, limits, software, version } = runtime;
const lines = [];
const say = (line) => {
  lines.push(line);
  console.log(line);
};
const product = (shape) => shape.reduce((p, n) => p * n, 1);
const sample = (shape, seed) => Float32Array.from({ length: product(shape) }, (_, i) => Math.sin(i * 12.9898 + seed));

/** Median seconds of one of `repeats` in a submission, after a warm-up. */
async function timed(run, repeats = 1) {
  await run(repeats);
  const times = [];
  for (let i = 0; i < 5; i++) times.push((await seconds(() => run(repeats))) / repeats);
  return median(times);
}

async function kernel(code, bytes, groups) {
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const buffers = [0, 1].map(() => device.createBuffer({ size: bytes, usage: storageUsage }));
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return async (repeats) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < repeats; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
}

const bindings = `@group(0) @binding(0) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4f>;`;

/** Chains of multiply-adds in registers: eight independent vec4 an invocation. */
async function peakGflops() {
  const rounds = flags.small ? 64 : 1024;
  const groups = flags.small ? 256 : 8192;
  const sums = Array.from({ length: 8 }, (_, i) => `s${i}`);
  const run = await kernel(
    `${bindings}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = b[id.x % 64u]; let y = a[id.x % 64u];
  ${sums.map((s, i) => `var ${s} = x + ${i}.0;`).join(' ')}
  for (var i = 0u; i < ${rounds}u; i++) { ${sums.map((s) => `${s} = fma(${s}, y, x);`).join(' ')} }
  b[id.x % 64u] = ${sums.join(' + ')};
}`,
    1024,
    groups,
  );
  return (groups * 64 * rounds * 8 * 4 * 2) / (await timed(run)) / 1e9;
}

async function bandwidth() {
  const bytes = flags.small ? 1 << 24 : Math.min(1 << 28, limits.maxStorageBufferBindingSize);
  const groups = Math.min(65_535, bytes / 16 / 64);
  const run = await kernel(
    `${bindings}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { b[id.x] = a[id.x]; }`,
    bytes,
    groups,
  );
  return (2 * groups * 64 * 16) / (await timed(run, 4)) / 1e9;
}

say(`${version}; ${cpus()[0].model}, Node ${process.version}; ${new Date().toISOString().slice(0, 10)}`);
const peak = await peakGflops();
say(
  `peak ${peak.toFixed(0)} GFLOP/s of multiply-adds in float32, ${(await bandwidth()).toPrecision(3)} GB/s of copies`,
);
say('');
say('| layer | operation | seconds | GFLOP/s | of the peak |');
say('|---|---|---|---|---|');
/** Runs in a submission, so that a fast card is not measured by the way to it. */
const perSubmission = software ? 1 : 20;
/** Rows of the table of tiles, which comes after that of layers. */
const tuned = [];
const grid = flags.small ? [4, 16, 16] : [40, 80, 80];
for (const channels of [32, 64]) {
  const image = [1, channels, ...grid];
  const weights = [channels, channels, 3, 3, 3];
  const of = (shape, seed) => ({ shape, values: sample(shape, seed) });
  const operations = [
    ['conv3d', [of(image, 1), of(weights, 2)], { stride: 1 }],
    ['conv3dInputGradient', [of(image, 1), of(weights, 2)], {}],
    ['conv3dWeightGradient', [of(image, 1), of(image, 2)], { kernel: [3, 3, 3], stride: 1 }],
  ];
  await rows(`3×3×3, ${channels}→${channels}`, operations, 2 * 27 * channels * channels * product(grid));
}
const coarse = grid.map((size) => size / 2);
const up = [{ shape: [1, 64, ...coarse] }, { shape: [64, 32, 2, 2, 2] }];
for (const [i, input] of up.entries()) input.values = sample(input.shape, i);
await rows('2×2×2, 64→32', [['convTranspose3d', up, {}]], 2 * 8 * 64 * 32 * product(coarse));

async function rows(title, operations, flop) {
  for (const [op, inputs, attributes] of operations) {
    const layer = await prepareLayer({ device, limits, software }, { op, inputs, attributes });
    const time = await timed((repeats) => layer.run(repeats), perSubmission);
    const rate = flop / time / 1e9;
    say(`| ${title} | ${op} | ${time.toFixed(4)} | ${rate.toFixed(1)} | ${((100 * rate) / peak).toFixed(0)} % |`);
    tuned.push(...(await tune(title, { op, inputs, attributes }, flop, layer)));
    layer.free();
  }
}

/** A row for each tile, timed in turn so that all see the same machine; a tile with another result is an error. */
async function tune(title, description, flop, usual) {
  const expected = await usual.result();
  const tried = [];
  for (const tile of usual.tiles) {
    const layer = await prepareLayer({ device, limits, software }, { ...description, tile });
    await layer.run();
    const result = await layer.result();
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = result.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
    if (!(difference <= 1e-4 * largest)) throw new Error(`${tile}: differs by ${difference} of ${largest}`);
    tried.push({ name: tile, layer, times: [] });
  }
  for (let round = 0; round < 5; round++) {
    for (const { layer, times } of tried) times.push((await seconds(() => layer.run(perSubmission))) / perSubmission);
  }
  for (const { layer } of tried) layer.free();
  const times = tried.map((one) => median(one.times));
  const best = Math.min(...times);
  return tried.map(({ name }, i) => {
    const notes = [name === usual.chosen ? 'chosen' : '', times[i] === best ? 'fastest' : '']
      .filter(Boolean)
      .join(', ');
    return `| ${title} | ${description.op} | ${name} | ${(flop / times[i] / 1e9).toFixed(1)} | ${notes} |`;
  });
}

say('');
say('| layer | operation | tile | GFLOP/s | |');
say('|---|---|---|---|---|');
for (const line of tuned) say(line);

// The paper's configuration has batch 2; PyTorch's script has batch 1, so ours is measured with both.
const [root, patch] = flags.small ? [2, [16, 16, 16]] : [16, [80, 160, 160]];
const steps = [];
for (const batch of [1, 2]) {
  for (const precision of runtime.precisions) await ours(batch, precision);
}

async function ours(batch, precision) {
  const { image, labels } = sampleOf(patch, batch);
  const config = { network: network(root), classes: 4, patch: patchOf(patch), batch, seed: 1, threads: 1 };
  const step = await compileTrainingStep({ ...config, ...optimization, device: { runtime, precision } });
  let t = 0;
  const training = await timed(() => step.run({ image, labels }, { learningRate: 1e-4, step: ++t }));
  const planned = step.bytes;
  await step.dispose();
  const predictor = await runtime.compile(predictionGraph(network(root), 4, patchOf(patch), batch), { precision });
  const prediction = await timed(() => predictor.run({ image }));
  await predictor.dispose();
  const memory = `${(planned / 1e9).toFixed(2)} GB planned`;
  steps.push([`Quickcolumn ${precision}, batch ${batch}`, training, prediction, memory]);
}

if (flags.python && flags.peer) {
  // The peer's script is for CPUs: here its tensors are on the card, and its clock waits for the card.
  const onCard = `import torch, time, runpy, sys
torch.set_default_device('cuda'); now = time.time
time.time = lambda: (torch.cuda.synchronize(), now())[1]
sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')
print('memory %.2f GB' % (torch.cuda.max_memory_allocated() / 1e9))`;
  const args = ['-c', onCard, flags.peer, ...patch.map(String), String(root), 'f32', '1', '6'];
  const text = execFileSync(flags.python, args, { encoding: 'utf8' });
  const times = (text.match(/s of (.*) peak/)?.[1] ?? '').split(' ').map(Number);
  const prediction = Number(text.match(/inference ([\d.]+)/)?.[1]);
  const name = text.match(/^torch \S+/)?.[0] ?? 'torch';
  steps.push([`${name} float32, batch 1`, median(times.slice(1)), prediction, text.match(/memory (.*)/)?.[1] ?? '']);
}
say('');
say(`QC-HC U-Net r = ${root}, patch ${patch.join('×')} (D×H×W):`);
say('');
say('| | training step | prediction | memory |');
say('|---|---|---|---|');
for (const [name, training, prediction, memory] of steps)
  say(`| ${name} | ${training.toFixed(4)} s | ${prediction.toFixed(4)} s | ${memory} |`);
if (flags.out) appendFileSync(flags.out, `${lines.join('\n')}\n`);
runtime.close();
