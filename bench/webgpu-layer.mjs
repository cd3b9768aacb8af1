// One layer of ours on an open WebGPU device: buffers, pipelines and bind groups made once; `run` ends with the device's
// work and includes the packing of the weights; `result` is C-ordered.
import { Graph } from '../packages/graph/dist/index.js';
import { convolutionKernels, tileQuestion } from '../packages/runtimes/dist/webgpu/conv/conv3d.js';
import { candidates, chooseTile, tileKey, tileName } from '../packages/runtimes/dist/webgpu/conv/tiles.js';
import { compilePipelines } from '../packages/runtimes/dist/webgpu/device/pipelines.js';
import {
  makeTensor,
  packBlocked,
  storedElements,
  unpackBlocked,
} from '../packages/runtimes/dist/webgpu/kernels/tensors.js';

const usage = { mapRead: 0x1, copySource: 0x4, copyDestination: 0x8, storage: 0x80 };
export const storageUsage = usage.storage | usage.copySource | usage.copyDestination;

export async function readBack(device, buffer, bytes) {
  const copy = device.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyDestination });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, copy, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(usage.mapRead);
  const data = new Float32Array(copy.getMappedRange().slice(0));
  copy.destroy();
  return data;
}

/**
 * @param inputs shapes and values of the operation's two inputs; five axes with channels second are images.
 * @param tile name of one of the result's `tiles`, in place of the chosen one.
 */
export async function prepareLayer({ device, limits, software }, { op, inputs, attributes = {}, tile }) {
  const graph = new Graph();
  const nodes = inputs.map(({ shape }, i) => graph.input(`x${i}`, shape));
  const node = graph.apply(op, nodes, attributes);
  const tensor = (shape, layout) => makeTensor(shape, layout, { limits });
  // The second input is weights, but in the gradient of weights, whose result they are.
  const plain = op === 'conv3dWeightGradient' ? -1 : 1;
  const tensors = inputs.map(({ shape }, i) => tensor(shape, i === plain ? 'plain' : 'blocked'));
  const output = tensor(node.shape, plain < 0 ? 'plain' : 'blocked');
  const made = { node, inputs: tensors, output };
  const { family, g, image } = tileQuestion(made);
  const context = { limits, software, scratch: tensor };
  const tiles = new Map(tile === undefined ? [] : [[tileKey(family, g, image), tile]]);
  const kernels = convolutionKernels({ ...context, tiles }, made);
  const buffers = new Map();
  for (const { bindings } of kernels) {
    for (const { tensor: one } of bindings) {
      if (one.parts.length > 1) throw new Error('a tensor is in parts: choose a smaller depth');
      if (!buffers.has(one)) buffers.set(one, device.createBuffer({ size: one.parts[0] * 4, usage: storageUsage }));
    }
  }
  tensors.forEach((one, i) => {
    const { shape, values } = inputs[i];
    device.queue.writeBuffer(buffers.get(one), 0, one.layout === 'blocked' ? packBlocked(values, shape) : values);
  });
  const pipelines = await compilePipelines(device, kernels);
  const passes = kernels.map((kernel) => ({
    pipeline: pipelines.pipeline(kernel),
    workgroups: kernel.workgroups,
    group: device.createBindGroup({
      layout: pipelines.layout(kernel),
      entries: kernel.bindings.map((one, binding) => ({ binding, resource: { buffer: buffers.get(one.tensor) } })),
    }),
  }));
  return {
    /** Names of all tiles that the adapter can run this with, and the one that is chosen. */
    tiles: candidates(family, g, context).map(tileName),
    chosen: tileName(chooseTile(family, g, image, context)),
    async run(repeats = 1) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < repeats; i++) {
        for (const { pipeline, group, workgroups } of passes) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(...workgroups);
        }
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
    },
    async result() {
      const stored = await readBack(device, buffers.get(output), storedElements(node.shape, output.layout) * 4);
      return output.layout === 'blocked' ? unpackBlocked(stored, node.shape) : stored;
    },
    free() {
      for (const buffer of buffers.values()) buffer.destroy();
    },
  };
}
