/** Opens the `webgpu` runtime in Node; browsers call `openWebGpuOn(navigator.gpu)`. */
import { type DeviceOptions, findAdapter } from './device.js';
import { nodeGpu } from './node.js';
import { openWebGpuOn, type WebGpuOptions, type WebGpuRuntime } from './runtime.js';

/** @throws RuntimeError when the package, Vulkan, an adapter or a device is missing; the message says which. */
export async function openWebGpu(options: WebGpuOptions = {}): Promise<WebGpuRuntime> {
  return openWebGpuOn(await nodeGpu(), options);
}

/** What `openWebGpu` would open, without opening it. @throws RuntimeError as `openWebGpu` does */
export async function findWebGpu(options: DeviceOptions = {}): Promise<{ name: string; software: boolean }> {
  const { name, software } = await findAdapter(await nodeGpu(), options);
  return { name, software };
}
