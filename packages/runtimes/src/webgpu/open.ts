/** Opens the `webgpu` runtime in Node; browsers call `openWebGpuOn(navigator.gpu)`. */
import { nodeGpu } from './device/node.js';
import { openWebGpuOn } from './runtime.js';
import type { WebGpuOptions, WebGpuRuntime } from './types.js';

/** @throws RuntimeError when the package, Vulkan, an adapter or a device is missing; the message says which. */
export async function openWebGpu(options: WebGpuOptions = {}): Promise<WebGpuRuntime> {
  return await openWebGpuOn(await nodeGpu(), options);
}
