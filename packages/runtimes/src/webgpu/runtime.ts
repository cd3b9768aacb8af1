/**
 * The `webgpu` runtime: graphs run as compute passes on a graphics card, in Node and in browsers alike.
 * This file and all that it imports work in a browser; `node.ts` is for Node alone.
 */
import type { Graph } from '@quickcolumn/graph';
import { checkInputs, checkVariables, RunState } from '../checks.js';
import { RuntimeError } from '../errors.js';
import type { CompileOptions, Executable, NamedTensor, Precision, Runtime } from '../runtime.js';
import { type DeviceOptions, type GpuDevice, openDevice } from './device.js';
import { lowerToWebGpu } from './lower.js';
import { Program, planMemory } from './program.js';
import { type TileStore, tuneTiles } from './tune.js';

export interface WebGpuOptions extends DeviceOptions {
  /**
   * Where given, compiling measures the tiles of convolutions that the store does not know, and uses what it knows. That
   * takes seconds on a card and minutes on a processor that plays one.
   */
  readonly tiles?: TileStore;
}

export interface WebGpuRuntime extends Runtime {
  /** True where a processor does the work of the card: right, and far slower than the other runtimes. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: GpuDevice['limits'];
  /** The open device; it is lost when `close` was called. */
  readonly device: GPUDevice;
  /** Ends the device and all executables on it. */
  close(): void;
}

/** @throws RuntimeError when there is no adapter, or it gives no device. */
export async function openWebGpuOn(gpu: GPU, options: WebGpuOptions = {}): Promise<WebGpuRuntime> {
  const opened = await openDevice(gpu, options);
  const { device, name, software, features, limits } = opened;
  return {
    name: 'webgpu',
    version: name,
    precision: 'float32',
    morePrecisions: limits.f16 ? ['float16'] : [],
    software,
    features,
    limits,
    device,
    compile: (graph, compileOptions) => compile(opened, graph, { ...compileOptions, tiles: options.tiles }),
    close: () => device.destroy(),
  };
}

function halfOf(precision: Precision | undefined, { limits, name }: GpuDevice): boolean {
  if (precision === undefined || precision === 'float32') return false;
  if (precision === 'float16' && limits.f16) return true;
  throw new RuntimeError(
    `the webgpu runtime on ${name} does not compute in ${precision}; use --precision float32 or auto`,
    { runtime: 'webgpu', precision },
  );
}

async function compile(
  opened: GpuDevice,
  graph: Graph,
  { precision, tiles: store }: CompileOptions & Pick<WebGpuOptions, 'tiles'>,
): Promise<Executable> {
  const options = { limits: opened.limits, software: opened.software, half: halfOf(precision, opened) };
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
