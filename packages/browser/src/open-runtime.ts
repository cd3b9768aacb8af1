/**
 * Which runtime executes a model in this browser: a real graphics card through WebGPU, else WebAssembly, and the reason
 * always says why. The trap: browsers also give adapters that a processor plays; those count only when asked for by name.
 */
import { findAdapter, openWebGpuOn, type Runtime, RuntimeError } from '@quickcolumn/runtimes';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { OpenRequest, RuntimeInfo } from './protocol.js';
import { openWasm } from './wasm.js';

export interface OpenedRuntime extends RuntimeInfo {
  readonly engine: Runtime;
  /** Ends the device, where it has one. */
  readonly close?: () => void;
  /**
   * Opens what takes over when the device fails while it runs; absent where nothing may: a runtime that was asked for by
   * name, and WebAssembly itself.
   * @param problem what happened, for the reason
   */
  readonly instead?: (problem: string) => OpenedRuntime;
}

/**
 * @param gpu WebGPU's entry point, or why there is none
 * @throws QuickcolumnError `runtime` when WebGPU was asked for by name and is not there.
 */
export async function openRuntime(
  request: Pick<OpenRequest, 'runtime' | 'threads' | 'assets'>,
  gpu: GPU | string = browserGpu(),
): Promise<OpenedRuntime> {
  if (request.runtime === 'wasm') return wasm(request, 'as asked');
  const missing = (problem: string): string =>
    request.runtime === 'webgpu' ? `WebGPU cannot be used here: ${problem}; use runtime wasm or auto` : problem;
  if (typeof gpu === 'string') {
    if (request.runtime === 'webgpu') throw new QuickcolumnError('runtime', missing(gpu));
    return wasm(request, `no WebGPU: ${gpu}`);
  }
  try {
    const { name, software } = await findAdapter(gpu);
    if (software && request.runtime === 'auto') {
      return wasm(request, `WebGPU is not used: its adapter, ${name}, is software and no graphics card`);
    }
    const engine = await openWebGpuOn(gpu);
    const why = request.runtime === 'webgpu' ? 'as asked' : 'a graphics card';
    const kind = software ? ', in software' : '';
    return {
      engine,
      runtime: 'webgpu',
      reason: `WebGPU on ${engine.version}${kind}, ${engine.precision} (${why})`,
      close: () => engine.close(),
      ...(request.runtime === 'auto' ? { instead: (problem) => insteadOfWebGpu(request, problem) } : {}),
    };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    if (request.runtime === 'webgpu') {
      throw new QuickcolumnError('runtime', missing(error.message), error.fields, { cause: error });
    }
    return wasm(request, `no WebGPU: ${error.message}`);
  }
}

type WasmRequest = Pick<OpenRequest, 'threads' | 'assets'>;

function wasm(request: WasmRequest, why: string): OpenedRuntime {
  const { what, limit, ...opened } = openedWasm(request);
  return { ...opened, reason: `${what} (${[why, ...limit].join('; ')})` };
}

function insteadOfWebGpu(request: WasmRequest, problem: string): OpenedRuntime {
  const { what, limit, ...opened } = openedWasm(request);
  return { ...opened, reason: [`WebGPU was given up: ${problem}`, what, ...limit].join('; ') };
}

function openedWasm({ assets, threads: wanted }: WasmRequest): Omit<OpenedRuntime, 'reason'> & {
  readonly what: string;
  readonly limit: readonly string[];
} {
  const { runtime, threads, limit } = openWasm(assets, wanted);
  const count = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return {
    engine: runtime,
    runtime: 'wasm',
    threads,
    what: `ONNX Runtime ${runtime.version} as WebAssembly on ${count}`,
    limit: limit === undefined ? [] : [`one thread ${limit}`],
  };
}

/** The same in pages and in workers; absent in older browsers and on pages that are not served securely. */
function browserGpu(): GPU | string {
  const { gpu } = navigator as { readonly gpu?: GPU };
  if (gpu !== undefined) return gpu;
  return globalThis.isSecureContext
    ? 'this browser has no WebGPU'
    : 'browsers give WebGPU only to pages served over https or from localhost';
}
