/** A WebGPU device for tests: the machine's own, or SwiftShader of an installed Chromium. */
import { has, useSoftwareWhereNeeded } from '@quickcolumn/testing';
import type { DeviceOptions } from '../types.js';
import { type GpuDevice, openDevice } from './device.js';
import { nodeGpu } from './node.js';

/** A device, or undefined where the machine has none. */
export async function testDevice(options: DeviceOptions = {}): Promise<GpuDevice | undefined> {
  if (!has('WebGPU')) return undefined;
  useSoftwareWhereNeeded();
  return await openDevice(await nodeGpu(), options);
}
