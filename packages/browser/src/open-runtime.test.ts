/** Which runtime a page gets, with adapters that say of themselves what real ones say. */
import { join } from 'node:path';
import { needs } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPage, type TestPage } from './chromium.test.helpers.js';

/** In pages only (test-page/load.js). */
declare const load: <T>(name: string) => Promise<T>;

const entries = { runtime: join(import.meta.dirname, '../dist/open-runtime.js') };

describe('the runtime of a page', needs('Chromium'), () => {
  let test: TestPage;
  beforeAll(async () => {
    test = await openTestPage(entries);
  }, 60_000);
  afterAll(async () => test?.close());

  type Adapter = 'real' | 'software' | 'none' | 'no device';
  async function opened(
    runtime: 'auto' | 'webgpu' | 'wasm',
    adapter: Adapter,
  ): Promise<{ runtime: string; reason: string }> {
    return await test.page.evaluate(
      async (wanted) => {
        const { openRuntime } = await load<typeof import('./open-runtime.js')>('runtime');
        const info = { vendor: 'a vendor', architecture: '', device: '', description: '', isFallbackAdapter: false };
        const gpu: Pick<GPU, 'requestAdapter'> = {
          async requestAdapter() {
            const own = await navigator.gpu.requestAdapter();
            if (wanted.adapter === 'none' || own === null) return null;
            if (wanted.adapter === 'software') return own;
            const requestDevice: GPUAdapter['requestDevice'] = (descriptor) =>
              wanted.adapter === 'real' ? own.requestDevice(descriptor) : Promise.reject(new Error('out of devices'));
            return { features: own.features, limits: own.limits, requestDevice, info } as GPUAdapter;
          },
        };
        return await openRuntime({ runtime: wanted.runtime, assets: '/bundle/' }, gpu as GPU).then(
          ({ runtime: name, reason }) => ({ runtime: name, reason }),
          (error: Error) => ({ runtime: 'refused', reason: error.message }),
        );
      },
      { runtime, adapter },
    );
  }

  it.each([
    ['auto', 'real', 'webgpu', /^WebGPU on a vendor, float32 \(a graphics card\)$/],
    ['auto', 'software', 'wasm', /WebAssembly on .*WebGPU is not used: its adapter, .*, is software/],
    ['auto', 'none', 'wasm', /WebAssembly on .*no WebGPU: .*no graphics adapter/],
    ['auto', 'no device', 'wasm', /WebAssembly on .*no WebGPU: a vendor gives no WebGPU device: out of devices/],
    ['webgpu', 'real', 'webgpu', /^WebGPU on a vendor, float32 \(as asked\)$/],
    ['webgpu', 'software', 'webgpu', /^WebGPU on .*, in software, float32 \(as asked\)$/],
    ['webgpu', 'none', 'refused', /WebGPU cannot be used here: .*no graphics adapter.*; use runtime wasm or auto/],
    ['webgpu', 'no device', 'refused', /WebGPU cannot be used here: .*out of devices; use runtime wasm or auto/],
    ['wasm', 'real', 'wasm', /WebAssembly on .*\(as asked\)/],
  ] as const)('%s with an adapter that is %s: %s', async (runtime, adapter, expected, reason) => {
    const result = await opened(runtime, adapter);
    expect(result.runtime).toBe(expected);
    expect(result.reason).toMatch(reason);
  });
});
