/**
 * Opens a WebGPU device with all that its adapter allows, and says what it is.
 *
 * The trap: an adapter is also found where a processor pretends to be a graphics card (SwiftShader, llvmpipe,
 * Windows' WARP). That is right for tests and far slower than the other runtimes: `software` tells.
 */
import { RuntimeError } from '../../contract/errors.js';
import type { DeviceLimits, DeviceOptions, WebGpuEntry } from '../types.js';

export interface GpuDevice {
  readonly device: GPUDevice;
  /** Vendor, architecture and description as far as the browser or the driver tells. */
  readonly name: string;
  /** True where a processor does the work. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: DeviceLimits;
}

const wantedLimits = [
  'maxStorageBufferBindingSize', 'maxBufferSize', 'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY', 'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize', 'maxComputeWorkgroupsPerDimension',
] as const; // biome-ignore format: a list
const wantedFeatures = ['shader-f16'] as const;
const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp|software/i;

export interface FoundAdapter extends Pick<GpuDevice, 'name' | 'software' | 'features' | 'limits'> {
  readonly adapter: GPUAdapter;
}

/** The adapter, or why there is none; nothing is allocated. @throws RuntimeError (`no-adapter`) */
export async function findAdapter(
  entry: WebGpuEntry,
  { powerPreference = 'high-performance', ...limits }: DeviceOptions = {},
): Promise<FoundAdapter> {
  const adapter = await (entry as GPU).requestAdapter({ powerPreference }).catch(() => null);
  if (!adapter) {
    throw new RuntimeError('WebGPU found no graphics adapter; a Vulkan, Metal or Direct3D 12 driver is needed', {
      runtime: 'webgpu',
      reason: 'no-adapter',
    });
  }
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const parts = [vendor, architecture, device, description].filter((part, i, all) => part && all.indexOf(part) === i);
  const name = parts.join(' ') || 'unnamed adapter';
  const features = wantedFeatures.filter((feature) => adapter.features.has(feature));
  return {
    adapter,
    name,
    software: isFallbackAdapter || softwareNames.test(name),
    features,
    limits: limitsOf(adapter.limits, features, limits),
  };
}

/** @throws RuntimeError when there is no adapter, or it gives no device. The caller destroys the device. */
export async function openDevice(entry: WebGpuEntry, options: DeviceOptions = {}): Promise<GpuDevice> {
  const { adapter, name, software, features } = await findAdapter(entry, options);
  const requiredLimits: Record<string, number> = {};
  for (const key of wantedLimits) requiredLimits[key] = adapter.limits[key];
  let device: GPUDevice;
  try {
    const requiredFeatures = features as GPUFeatureName[];
    device = await adapter.requestDevice({ requiredLimits, requiredFeatures, label: 'quickcolumn' });
  } catch (cause) {
    const text = `${name} gives no WebGPU device: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new RuntimeError(text, { runtime: 'webgpu', reason: 'no-device' }, { cause });
  }
  return { device, name, software, features, limits: limitsOf(device.limits, features, options) };
}

function limitsOf(
  own: GPUSupportedLimits,
  features: readonly string[],
  { maxStorageBufferBindingSize = Number.POSITIVE_INFINITY }: DeviceOptions,
): DeviceLimits {
  return {
    maxStorageBuffersPerShaderStage: own.maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize: Math.min(own.maxStorageBufferBindingSize, maxStorageBufferBindingSize),
    maxBufferSize: own.maxBufferSize,
    maxComputeInvocationsPerWorkgroup: own.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupStorageSize: own.maxComputeWorkgroupStorageSize,
    maxComputeWorkgroupsPerDimension: own.maxComputeWorkgroupsPerDimension,
    f16: features.includes('shader-f16'),
  };
}
