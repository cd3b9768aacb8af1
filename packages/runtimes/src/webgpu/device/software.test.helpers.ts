/**
 * A WebGPU device for tests: the machine's own, or SwiftShader of an installed Chromium.
 * The trap: SwiftShader is right but thousands of times slower than a card, so tests choose small grids.
 */
import { existsSync } from 'node:fs';
import type { DeviceOptions } from '../types.js';
import { type GpuDevice, openDevice } from './device.js';
import { nodeGpu } from './node.js';

const chromium = '/usr/lib/chromium';

/** Points Vulkan to SwiftShader where nothing else is set. */
export function useSoftwareWhereNeeded(): void {
  const icd = `${chromium}/vk_swiftshader_icd.json`;
  if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(icd)) process.env['VK_ICD_FILENAMES'] = icd;
  const loader = `${chromium}/libvulkan.so.1`;
  const installed = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
  const hasLoader = installed.some((folder) => existsSync(`${folder}/libvulkan.so.1`));
  if (process.env['QUICKCOLUMN_VULKAN'] === undefined && !hasLoader && existsSync(loader))
    process.env['QUICKCOLUMN_VULKAN'] = loader;
}

/** A device, or why there is none. */
export async function testDevice(options: DeviceOptions = {}): Promise<GpuDevice | string> {
  useSoftwareWhereNeeded();
  try {
    return await openDevice(await nodeGpu(), options);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
