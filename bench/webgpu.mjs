// Convolutions on one WebGPU adapter: ours, ONNX Runtime Web and tfjs in turn, in one process, on devices of one Dawn.
// usage: node bench/webgpu.mjs --peers FOLDER [--depth 40] [--rounds 3] [--layers 32,64,t] [--out FILE.md]
//        FOLDER has the peers: npm install --prefix FOLDER onnxruntime-web @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu
//        VK_ICD_FILENAMES chooses the Vulkan driver; LD_LIBRARY_PATH where libvulkan.so.1 is, if it is not installed
// Everything stays on the device: a time is from the call to onSubmittedWorkDone, ours with the packing of the weights.
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeModel } from '../packages/runtimes/dist/onnx/proto.js';
import { openDevice } from '../packages/runtimes/dist/webgpu/device/device.js';
import { prepareLayer, readBack, storageUsage } from './webgpu-layer.mjs';
import { median } from './workload.mjs';

const { values: flags } = parseArgs({
  options: {
    peers: { type: 'string' },
    depth: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
    layers: { type: 'string', default: '32,64,t' },
    out: { type: 'string' },
  },
});
if (!flags.peers) {
  console.error('usage: node bench/webgpu.mjs --peers FOLDER [--depth 40] [--rounds 3] [--layers 32,64,t]');
  process.exit(2);
}
const require = createRequire(join(resolve(flags.peers), 'package.json'));
const peer = (name) => import(pathToFileURL(require.resolve(name)).href);
/** The ES module; its CommonJS twin does not find its WebAssembly in Node. */
const ortModule = join(resolve(flags.peers), 'node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs');
const product = (shape) => shape.reduce((p, n) => p * n, 1);
const depth = Number(flags.depth);

const { create, globals } = createRequire(new URL('../packages/runtimes/package.json', import.meta.url))('webgpu');
Object.assign(globalThis, globals);
const gpu = create([]);
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: 'node', hardwareConcurrency: cpus().length },
  configurable: true,
});
// Dawn in Node takes no views of shared memory, which ONNX Runtime's WebAssembly has.
const { value: write } = Object.getOwnPropertyDescriptor(GPUQueue.prototype, 'writeBuffer');
GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from, size) {
  if (!ArrayBuffer.isView(data)) return write.call(this, buffer, offset, data, from, size);
  const start = from ?? 0;
  return write.call(this, buffer, offset, data.slice(start, size === undefined ? undefined : start + size));
};

function layerOf(kind) {
  if (kind === 't') {
    const x = [1, 64, depth / 2, 40, 40];
    return {
      title: 'transposed 2×2×2, 64→32',
      op: 'convTranspose3d',
      x,
      w: [64, 32, 2, 2, 2],
      y: [1, 32, depth, 80, 80],
    };
  }
  const channels = Number(kind);
  const image = [1, channels, depth, 80, 80];
  return {
    title: `3×3×3, ${channels}→${channels}`,
    op: 'conv3d',
    x: image,
    w: [channels, channels, 3, 3, 3],
    y: image,
  };
}

const sample = (count, seed) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed));

const own = await openDevice(gpu);

/** Each gives `run` (to the end of the device's work), `result` (C-ordered) and `free`. */
const ours = ({ op, x, w }, data) =>
  prepareLayer(own, {
    op,
    attributes: op === 'conv3d' ? { stride: 1 } : {},
    inputs: [
      { shape: x, values: data.x },
      { shape: w, values: data.w },
    ],
  });

async function onnxRuntimeWeb({ op, x, w, y }, data) {
  const ort = await import(pathToFileURL(ortModule).href);
  const ints = (value) => ({ kind: 'ints', value });
  const attributes =
    op === 'conv3d'
      ? { kernel_shape: ints([3, 3, 3]), pads: ints([1, 1, 1, 1, 1, 1]) }
      : { kernel_shape: ints([2, 2, 2]), strides: ints([2, 2, 2]) };
  const float = (name, shape) => ({ name, type: 'float32', shape });
  const nodes = [{ op: op === 'conv3d' ? 'Conv' : 'ConvTranspose', inputs: ['x', 'w'], outputs: ['y'], attributes }];
  const graph = {
    name: 'layer',
    inputs: [float('x', x), float('w', w)],
    outputs: [float('y', y)],
    initializers: [],
    nodes,
  };
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(encodeModel({ opset: 17, graph }), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 3,
  });
  const device = await ort.env.webgpu.device;
  const onDevice = (shape, values) => {
    const buffer = device.createBuffer({ size: product(shape) * 4, usage: storageUsage });
    device.queue.writeBuffer(buffer, 0, values);
    return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape });
  };
  const feeds = { x: onDevice(x, data.x), w: onDevice(w, data.w) };
  let last;
  return {
    async run() {
      last?.dispose();
      last = (await session.run(feeds)).y;
      await device.queue.onSubmittedWorkDone();
    },
    result: async () => readBack(device, last.gpuBuffer, product(y) * 4),
    free: () => session.release(),
  };
}

/** [C, D, H, W] to [D, H, W, C], and back. */
function channelsLast(values, channels) {
  const voxels = values.length / channels;
  return Float32Array.from(
    { length: values.length },
    (_, i) => values[(i % channels) * voxels + Math.floor(i / channels)],
  );
}
function channelsFirst(values, channels) {
  const voxels = values.length / channels;
  return Float32Array.from(
    { length: values.length },
    (_, i) => values[(i % voxels) * channels + Math.floor(i / voxels)],
  );
}

let tfjs;
async function tfjsWebGpu({ op, x, w, y }, data) {
  const tf = await peer('@tensorflow/tfjs-core');
  if (!tfjs) {
    const { WebGPUBackend } = await peer('@tensorflow/tfjs-backend-webgpu');
    const adapter = await gpu.requestAdapter();
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    tfjs = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
    tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => new WebGPUBackend(tfjs, adapter.info));
    await tf.setBackend('webgpu');
  }
  const [, channels, d, h, width] = x;
  const image = tf.tensor5d(channelsLast(data.x, channels), [1, d, h, width, channels]);
  // [a, b, taps] to [taps, b, a]: out, in for the convolution and in, out for the transposed one.
  const taps = product(w.slice(2));
  const weights = tf.tensor5d(
    Float32Array.from({ length: data.w.length }, (_, i) => {
      const [a, tapB] = [i % w[0], Math.floor(i / w[0])];
      return data.w[(a * w[1] + (tapB % w[1])) * taps + Math.floor(tapB / w[1])];
    }),
    [...w.slice(2), w[1], w[0]],
  );
  let last;
  return {
    async run() {
      last?.dispose();
      last =
        op === 'conv3d'
          ? tf.conv3d(image, weights, 1, 'same')
          : tf.conv3dTranspose(image, weights, [1, ...y.slice(2), y[1]], 2, 'valid');
      tf.backend().endComputePassEncoder?.();
      tf.backend().submitQueue();
      await tfjs.queue.onSubmittedWorkDone();
    },
    result: async () => channelsFirst(await last.data(), y[1]),
    free: () => [image, weights, last].map((tensor) => tensor?.dispose()),
  };
}

const systems = { ours, 'onnxruntime-web': onnxRuntimeWeb, 'tfjs-backend-webgpu': tfjsWebGpu };
const lines = [
  `${own.name}; ${cpus()[0].model}, ${cpus().length} cores; Node ${process.version}; ${new Date().toISOString().slice(0, 10)}`,
  '',
  '| layer | grid | ours | GFLOP/s | onnxruntime-web | tfjs-backend-webgpu | better peer / ours |',
  '|---|---|---|---|---|---|---|',
];
for (const line of lines) console.log(line);

for (const kind of flags.layers.split(',')) {
  const layer = layerOf(kind);
  const { title, x, w, y } = layer;
  const data = { x: sample(product(x), 1), w: sample(product(w), 2) };
  const ready = {};
  const missing = {};
  const times = {};
  let expected;
  for (const [name, make] of Object.entries(systems)) {
    try {
      const system = await make(layer, data);
      await system.run();
      const result = await system.result();
      expected ??= result;
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const difference = result.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
      if (result.length !== expected.length || !(difference <= 1e-3 * largest)) {
        throw new Error(`another result: it differs by ${difference} of ${largest}`);
      }
      ready[name] = system;
      times[name] = [];
    } catch (error) {
      const [text] = String(error.message ?? error).split('\n');
      // ONNX Runtime's reason stands at the end.
      missing[name] = (text.match(/Status Message: (.*)/)?.[1] ?? text).slice(0, 120);
    }
  }
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [name, system] of Object.entries(ready)) {
      const start = performance.now();
      await system.run();
      times[name].push((performance.now() - start) / 1000);
    }
  }
  const seconds = (name) => (times[name] ? median(times[name]) : Number.NaN);
  const best = Math.min(
    ...Object.keys(times)
      .filter((name) => name !== 'ours')
      .map(seconds),
  );
  const taps = product(w.slice(2));
  const flop = 2 * taps * w[0] * w[1] * product((layer.op === 'conv3d' ? y : x).slice(2));
  const cell = (name) => (times[name] ? `${seconds(name).toFixed(2)} s` : missing[name]);
  const ratio = Number.isFinite(best) ? (best / seconds('ours')).toFixed(1) : 'no peer';
  const row = [title, y.slice(2).join('×'), cell('ours'), (flop / seconds('ours') / 1e9).toFixed(1)];
  const text = `| ${[...row, cell('onnxruntime-web'), cell('tfjs-backend-webgpu'), ratio].join(' | ')} |`;
  lines.push(text);
  console.log(text);
  for (const system of Object.values(ready)) await system.free();
}
if (flags.out) appendFileSync(flags.out, `${lines.join('\n')}\n`);
process.exit(0);
