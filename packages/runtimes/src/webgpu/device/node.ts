/**
 * WebGPU in Node: Dawn, on Vulkan, Metal or Direct3D 12.
 *
 * The traps: Dawn writes warnings to stderr where Vulkan's loader or its drivers are missing, so they are looked for
 * first; and a process has one Dawn instance, made once.
 */
import type { LibraryHandle } from 'koffi';
import { RuntimeError } from '../../contract/errors.js';
import { loadDawn, loadKoffi } from '../../native.js';
import type { WebGpuEntry } from '../types.js';

let known: Promise<WebGpuEntry> | undefined;
/** Held, because a library that nothing holds is unloaded and Dawn would look for it again. */
let loader: LibraryHandle | undefined;

/** @throws RuntimeError when Dawn or Vulkan's loader is not there. */
export function nodeGpu(): Promise<WebGpuEntry> {
  known ??= load();
  return known;
}

async function load(): Promise<WebGpuEntry> {
  if (process.platform === 'linux' || process.platform === 'freebsd') await findVulkan();
  const { create } = await loadDawn();
  return create([]);
}

/**
 * `QUICKCOLUMN_VULKAN` names the loader where the system does not find it; Dawn then uses the one that is loaded.
 * An instance is made and ended again, because the loader fails in silence and Dawn does not.
 */
async function findVulkan(): Promise<void> {
  const koffi = await loadKoffi('webgpu');
  const file = process.env['QUICKCOLUMN_VULKAN'] ?? 'libvulkan.so.1';
  let result: number;
  try {
    loader = koffi.load(file);
    const create = loader.func('int vkCreateInstance(void *info, void *allocator, _Out_ void **instance)');
    const destroy = loader.func('void vkDestroyInstance(void *instance, void *allocator)');
    // VkInstanceCreateInfo: its type is 1, everything else is absent.
    const info = Buffer.alloc(64);
    info.writeUInt32LE(1, 0);
    const instance: unknown[] = [null];
    result = create(info, null, instance) as number;
    if (result === 0) destroy(instance[0], null);
  } catch (cause) {
    throw new RuntimeError(
      `Vulkan was not found (${file}); install it and the driver of a graphics card: apt-get install libvulkan1`,
      { runtime: 'webgpu', reason: 'no-vulkan' },
      { cause },
    );
  }
  if (result !== 0) {
    throw new RuntimeError(
      `Vulkan has no driver (vkCreateInstance: ${result}); install the one of the graphics card, or mesa-vulkan-drivers`,
      { runtime: 'webgpu', reason: 'no-adapter' },
    );
  }
}
