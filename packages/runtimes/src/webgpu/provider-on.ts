/** How the `webgpu` runtime is found and opened over any entry point of WebGPU: Node's or a browser's. */
import type { RuntimeProvider } from '../contract/provider.js';
import { findAdapter } from './device/device.js';
import { openWebGpuOn } from './runtime.js';
import type { DeviceLimits, WebGpuEntry } from './types.js';

/** @param entry gives the entry point, or throws a RuntimeError that says why there is none */
export function webGpuProviderOn(entry: () => Promise<WebGpuEntry>, installation: string): RuntimeProvider {
  return {
    name: 'webgpu',
    title: 'WebGPU',
    runsOn: 'graphics card',
    precisions: ['float32', 'float16'],
    installation,
    measuresKernels: true,
    async find() {
      const { name, software, features, limits } = await findAdapter(await entry());
      return {
        version: name,
        // An adapter that a processor plays is right for tests, and far slower than the other runtimes.
        ...(software ? { notByItself: `its adapter, ${name}, is software and no graphics card` } : {}),
        details: [
          { label: 'features', value: features.join(', ') || 'no shader-f16' },
          { label: 'limits', value: describeLimits(limits) },
        ],
      };
    },
    open: async (options) => await openWebGpuOn(await entry(), options),
  };
}

/** The largest binding is the largest tensor that stays in one piece. */
const describeLimits = (limits: DeviceLimits): string =>
  [
    `binding ${mebibytes(limits.maxStorageBufferBindingSize)}`,
    `buffer ${mebibytes(limits.maxBufferSize)}`,
    `${limits.maxStorageBuffersPerShaderStage} bindings`,
    `${limits.maxComputeInvocationsPerWorkgroup} invocations and ${limits.maxComputeWorkgroupStorageSize} bytes a workgroup`,
  ].join(', ');

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
