/**
 * The `webgpu` runtime: graphs run as compute passes on a graphics card, in Node and in browsers alike.
 * This file and all that it imports work in a browser; `device/node.ts` is for Node alone.
 */
import type { Graph } from '@quickcolumn/graph';
import { checkInputs, checkVariables } from '../contract/data-checks.js';
import { checkPrecision } from '../contract/precision.js';
import { RunState } from '../contract/run-state.js';
import type { CompileOptions, Executable, NamedTensor, Precision } from '../contract/runtime.js';
import { type GpuDevice, openDevice } from './device/device.js';
import { lowerToWebGpu } from './program/lower.js';
import { Program, planMemory } from './program/program.js';
import { tuneTiles } from './tuning/tune.js';
import type { WebGpuEntry, WebGpuOptions, WebGpuRuntime } from './types.js';

/**
 * @param entry `navigator.gpu`, or what stands for it
 * @throws RuntimeError when there is no adapter, or it gives no device
 */
export async function openWebGpuOn(entry: WebGpuEntry, options: WebGpuOptions = {}): Promise<WebGpuRuntime> {
  const opened = await openDevice(entry, options);
  const { device, name, software, features, limits } = opened;
  const precisions: readonly Precision[] = limits.f16 ? ['float32', 'float16'] : ['float32'];
  return {
    name: 'webgpu',
    version: name,
    precision: 'float32',
    precisions,
    memory: software ? 'host' : 'card',
    // On a card two windows at once take 0.8 of the time of one after the other (H200, 80×160×160, 2026-11-27).
    windowsAtOnce: software ? 1 : 2,
    software,
    features,
    limits,
    device,
    async compile(graph, compileOptions = {}) {
      checkPrecision({ name: 'webgpu', precisions }, compileOptions.precision);
      return await compile(opened, graph, { ...compileOptions, tiles: options.tiles });
    },
    close: () => device.destroy(),
  };
}

async function compile(
  opened: GpuDevice,
  graph: Graph,
  { precision, tiles: store }: CompileOptions & Pick<WebGpuOptions, 'tiles'>,
): Promise<Executable> {
  const options = { limits: opened.limits, software: opened.software, half: precision === 'float16' };
  let lowered = lowerToWebGpu(graph, options);
  if (store) {
    const tiles = await tuneTiles(opened, lowered.convolutions, store);
    lowered = lowerToWebGpu(graph, { ...options, tiles });
  }
  const plan = planMemory(lowered, opened.limits);
  const program = await Program.create(opened, lowered, plan);
  for (const [name, { node, initializer }] of graph.variables) {
    if (initializer.kind !== 'constant' || initializer.value === 0) continue;
    program.write(name, new Float32Array(node.shape.reduce((p, s) => p * s, 1)).fill(initializer.value));
  }
  const state = new RunState();
  return {
    bytes: plan.bytes,
    async run(inputs) {
      checkInputs(graph, inputs);
      return state.run(() => program.run(inputs));
    },
    async readVariables() {
      const copies = new Map<string, NamedTensor>();
      for (const [name, { node }] of graph.variables)
        copies.set(name, { shape: node.shape, data: await program.read(name) });
      return copies;
    },
    async writeVariables(values) {
      checkVariables(graph, values);
      for (const [name, { data }] of values) program.write(name, data);
    },
    async dispose() {
      if (state.dispose()) program.destroy();
    },
  };
}
