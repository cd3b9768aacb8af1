/** The `webgpu` runtime in Node: graphics cards of any vendor. */
import type { RuntimeProvider } from '../contract/provider.js';
import { nodeGpu } from './device/node.js';
import { webGpuProviderOn } from './provider-on.js';

export const provider: RuntimeProvider = webGpuProviderOn(
  nodeGpu,
  'comes with quickcolumn; needs the driver of a graphics card (on Linux with Vulkan: apt-get install libvulkan1)',
);
