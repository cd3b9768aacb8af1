/**
 * WebGPU in Node: the npm package `webgpu` (Dawn), on Vulkan, Metal or Direct3D 12.
 *
 * The traps: Dawn writes warnings to stderr where Vulkan's loader is missing, so the loader is looked for first; and a
 * process has one Dawn instance, made once.
 */
import koffi from 'koffi';
import { RuntimeError } from '../errors.js';

let known: Promise<GPU> | undefined;

/** @throws RuntimeError when the package or Vulkan's loader is not there. */
export function nodeGpu(): Promise<GPU> {
  known ??= load();
  return known;
}

async function load(): Promise<GPU> {
  if (process.platform === 'linux' || process.platform === 'freebsd') findVulkan();
  try {
    const { create } = await import('webgpu');
    return create([]);
  } catch (cause) {
    const text = `the npm package webgpu does not load (${cause instanceof Error ? cause.message : String(cause)})`;
    throw new RuntimeError(text, { runtime: 'webgpu', reason: 'no-package' }, { cause });
  }
}

/** `QUICKCOLUMN_VULKAN` names the loader where the system does not find it; Dawn then uses the one that is loaded. */
function findVulkan(): void {
  const named = process.env['QUICKCOLUMN_VULKAN'];
  try {
    koffi.load(named ?? 'libvulkan.so.1');
  } catch (cause) {
    throw new RuntimeError(
      `Vulkan was not found (${named ?? 'libvulkan.so.1'}); install it and a driver: apt-get install libvulkan1`,
      { runtime: 'webgpu', reason: 'no-vulkan' },
      { cause },
    );
  }
}
