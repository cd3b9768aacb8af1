/**
 * The webgpu runtime as its callers see it. These types name nothing of WebGPU's own (`GPU`, `GPUDevice`), so that
 * programs compile without its declarations.
 */
import type { OpenOptions } from '../contract/provider.js';
import type { Runtime } from '../contract/runtime.js';
import type { KernelLimits } from './kernels/kernel.js';

/** WebGPU's entry point: `navigator.gpu`, or what stands for it. */
export interface WebGpuEntry {
  requestAdapter(options?: { readonly powerPreference?: 'high-performance' | 'low-power' }): Promise<object | null>;
}

export interface DeviceOptions {
  /** Lower than the adapter's, to test tensors in parts. */
  readonly maxStorageBufferBindingSize?: number;
  readonly powerPreference?: 'high-performance' | 'low-power';
}

/**
 * With `tiles`, compiling measures the tiles of convolutions that the store does not know, and uses what it knows. That takes
 * seconds on a card and minutes on a processor that plays one.
 */
export interface WebGpuOptions extends DeviceOptions, OpenOptions {}

export interface DeviceLimits extends KernelLimits {
  readonly maxBufferSize: number;
}

export interface WebGpuRuntime extends Runtime {
  /** True where a processor does the work of the card: right, and far slower than the other runtimes. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: DeviceLimits;
  /** The open device, a `GPUDevice`; it is lost when `close` was called. */
  readonly device: { destroy(): void };
  /** Ends the device and all executables on it. */
  close(): void;
}
