/**
 * What a compiled graph holds on the device is what was planned: `Executable.bytes` against the sizes of all buffers
 * that are made, by the device's own `createBuffer`, from compiling to the last read.
 */
import { differentiate, Graph } from '@quickcolumn/graph';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openWebGpu } from '../open.js';
import type { WebGpuRuntime } from '../types.js';
import { useSoftwareWhereNeeded } from '../device/software.test.helpers.js';

useSoftwareWhereNeeded();
const found: WebGpuRuntime | string = await openWebGpu().catch((error: Error) => error.message);
const absent = typeof found === 'string';
const why = absent ? ` (skipped: ${found})` : '';
const runtime = found as WebGpuRuntime;
afterAll(() => {
  if (!absent) runtime.close();
});

/** Every buffer made since the last `beforeEach`, in order. */
const sizes: number[] = [];
beforeEach(() => sizes.splice(0));
if (!absent) {
  const device = runtime.device as GPUDevice;
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    sizes.push(descriptor.size);
    return createBuffer(descriptor);
  };
}
const total = (): number => sizes.reduce((sum, size) => sum + size, 0);

const weightShape = [3, 1, 3, 3, 3];

/** Sizes that are no multiples of 16 bytes: labels, scalars, three channels of 5 × 7 × 3 voxels. */
function stepGraph(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [1, 1, 5, 7, 3]);
  const labels = graph.input('labels', [1, 5, 7, 3], 'uint8');
  const weight = graph.variable('weight', weightShape, { kind: 'normal', sd: 0.2 });
  const logits = graph.apply('conv3d', [x, weight], { stride: 1 });
  const hits = graph.apply('mul', [
    graph.apply('oneHot', [labels], { classes: 3 }),
    graph.apply('logSoftmax', [logits]),
  ]);
  const loss = graph.apply('affine', [graph.apply('sum', [hits])], { scale: -1, offset: 0 });
  graph.output('loss', loss);
  const [gradient] = differentiate(graph, loss, [weight]);
  const change = graph.apply('affine', [gradient], { scale: -1e-3, offset: 0 });
  graph.assign(weight, graph.apply('add', [weight, change]));
  return graph;
}

/** Its labels lie last, so that they decide where the buffer ends: 105 bytes. */
function labelsGraph(): Graph {
  const graph = new Graph();
  const labels = graph.input('labels', [1, 5, 7, 3], 'uint8');
  graph.output('count', graph.apply('sum', [graph.apply('oneHot', [labels], { classes: 3 })]));
  return graph;
}

describe(`planned bytes on webgpu${why}`, () => {
  it.skipIf(absent)('are those of the buffers that a training step has, and runs make no more', async () => {
    const executable = await runtime.compile(stepGraph());
    expect(sizes.length).toBeGreaterThanOrEqual(3);
    expect(total()).toBe(executable.bytes);
    const data = Float32Array.from({ length: 81 }, (_, i) => Math.sin(i));
    await executable.writeVariables(new Map([['weight', { shape: weightShape, data }]]));
    const inputs = {
      x: Float32Array.from({ length: 105 }, (_, i) => Math.cos(i)),
      labels: Uint8Array.from({ length: 105 }, (_, i) => i % 3),
    };
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) losses.push((await executable.run(inputs)).loss[0]);
    expect(losses[2]).toBeLessThan(losses[0]);
    expect((await executable.readVariables()).get('weight')?.data).not.toEqual(data);
    expect(total()).toBe(executable.bytes);
    await executable.dispose();
  });

  it.skipIf(absent)('are those of a graph without variables, whose labels end between', async () => {
    const executable = await runtime.compile(labelsGraph());
    const { count } = await executable.run({ labels: Uint8Array.from({ length: 105 }, (_, i) => i % 5) });
    expect([...count]).toEqual([63]);
    expect(total()).toBe(executable.bytes);
    await executable.dispose();
  });

  it.skipIf(absent)('are known before anything is made: a graph that is refused leaves no buffer', async () => {
    const graph = new Graph();
    const image = graph.input('x', [1, 256, 1024, 1024, 1024]);
    graph.output('y', graph.apply('maxPool', [image]));
    await expect(runtime.compile(graph)).rejects.toMatchObject({ fields: { reason: 'memory' } });
    expect(sizes).toEqual([]);
    // The counter counts: a graph that fits does make some.
    await (await runtime.compile(labelsGraph())).dispose();
    expect(sizes.length).toBeGreaterThan(0);
  });
});
