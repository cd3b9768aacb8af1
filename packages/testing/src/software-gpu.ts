/**
 * WebGPU without a graphics card: Vulkan on SwiftShader of an installed Chromium, where nothing else is set.
 * The trap: SwiftShader is right but thousands of times slower than a card, so tests choose small grids.
 */
import { existsSync } from 'node:fs';

/** Where Debian's package puts Chromium. */
export const chromiumFolder = '/usr/lib/chromium';

/** Points Vulkan to SwiftShader; call it before WebGPU is opened. */
export function useSoftwareWhereNeeded(): void {
  const icd = `${chromiumFolder}/vk_swiftshader_icd.json`;
  if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(icd)) process.env['VK_ICD_FILENAMES'] = icd;
  const loader = `${chromiumFolder}/libvulkan.so.1`;
  const installed = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
  const hasLoader = installed.some((folder) => existsSync(`${folder}/libvulkan.so.1`));
  if (process.env['QUICKCOLUMN_VULKAN'] === undefined && !hasLoader && existsSync(loader))
    process.env['QUICKCOLUMN_VULKAN'] = loader;
}
