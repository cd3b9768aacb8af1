/** Which runtime executes a model in this browser. WebAssembly is never taken silently: the reason always says why. */
import type { Runtime } from '@quickcolumn/runtimes';
import { QuickcolumnError } from '@quickcolumn/volume';
import type { OpenRequest, RuntimeInfo } from './protocol.js';
import { openWasm } from './wasm.js';

export interface OpenedRuntime extends RuntimeInfo {
  readonly engine: Runtime;
}

/** @throws QuickcolumnError `runtime` when WebGPU was asked for by name and is not there. */
export async function openRuntime(
  request: Pick<OpenRequest, 'runtime' | 'threads' | 'assets'>,
): Promise<OpenedRuntime> {
  if (request.runtime === 'wasm') return wasm(request, 'as asked');
  const missing = await whyNoWebGpu();
  if (request.runtime === 'webgpu') {
    throw new QuickcolumnError('runtime', `WebGPU cannot be used here: ${missing}; use runtime wasm or auto`);
  }
  return wasm(request, `no WebGPU: ${missing}`);
}

function wasm({ assets, threads: wanted }: Pick<OpenRequest, 'threads' | 'assets'>, why: string): OpenedRuntime {
  const { runtime, threads, limit } = openWasm(assets, wanted);
  const count = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return {
    engine: runtime,
    runtime: 'wasm',
    threads,
    reason: `ONNX Runtime ${runtime.version} as WebAssembly on ${count} (${why}${limit === undefined ? '' : `; one thread ${limit}`})`,
  };
}

async function whyNoWebGpu(): Promise<string> {
  return await Promise.resolve('it is not built in yet');
}
