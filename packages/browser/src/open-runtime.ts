/**
 * Which runtime executes a model in this browser: a real graphics card through WebGPU, else WebAssembly, and the reason
 * always says why. The trap: browsers also give adapters that a processor plays; those count only when asked for by name.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import {
  chooseFrom,
  type PassedOver,
  type Runtime,
  type RuntimeChoice,
  RuntimeError,
  type RuntimeProvider,
  type WebGpuEntry,
  webGpuProviderOn,
} from '@quickcolumn/runtimes';
import type { OpenRequest, RuntimeInfo } from './protocol.js';
import { describeWasm, wasmProvider } from './wasm.js';

export interface OpenedRuntime extends RuntimeInfo {
  readonly engine: Runtime;
  /** Ends the device, where it has one. */
  readonly close?: () => void;
  /**
   * Opens what takes over when the device fails while it runs; absent where nothing may: a runtime that was asked for by
   * name, and WebAssembly itself.
   * @param problem what happened, for the reason
   */
  readonly instead?: (problem: string) => OpenedRuntime | Promise<OpenedRuntime>;
}

type Request = Pick<OpenRequest, 'runtime' | 'threads' | 'assets'>;

/**
 * @param gpu WebGPU's entry point, or why there is none
 * @throws QuickcolumnError `runtime` when WebGPU was asked for by name and is not there.
 */
export async function openRuntime(request: Request, gpu: WebGpuEntry | string = browserGpu()): Promise<OpenedRuntime> {
  const { runtime } = request;
  try {
    return opened(await chooseFrom([webGpuProvider(gpu), wasmProvider(request)], { runtime }), request);
  } catch (error) {
    if (runtime !== 'webgpu' || !(error instanceof RuntimeError)) throw error;
    const message = `WebGPU cannot be used here: ${error.message}; use runtime wasm or auto`;
    throw new QuickcolumnError('runtime', message, error.fields, { cause: error });
  }
}

function webGpuProvider(gpu: WebGpuEntry | string): RuntimeProvider {
  const entry = async (): Promise<WebGpuEntry> => {
    if (typeof gpu === 'string') throw new RuntimeError(gpu, { runtime: 'webgpu' });
    return gpu;
  };
  return webGpuProviderOn(entry, 'a browser with WebGPU, and the driver of a graphics card');
}

function opened({ runtime: engine, provider, precision, passedOver }: RuntimeChoice, request: Request): OpenedRuntime {
  const why = request.runtime === 'auto' ? passedOver.map(describe).join('; ') : 'as asked';
  if (provider.name !== 'webgpu') return wasm(engine, request, [why]);
  return {
    engine,
    runtime: 'webgpu',
    reason: `WebGPU on ${engine.version}${engine.memory === 'host' ? ', in software' : ''}, ${precision} (${why || 'a graphics card'})`,
    close: () => engine.close?.(),
    ...(request.runtime === 'auto' ? { instead: (problem) => insteadOfWebGpu(request, problem) } : {}),
  };
}

const describe = ({ kind, why }: PassedOver): string =>
  kind === 'missing' ? `no WebGPU: ${why}` : `WebGPU is not used: ${why}`;

function wasm(engine: Runtime, request: Request, whys: readonly string[]): OpenedRuntime {
  const { what, threads, limit } = describeWasm(engine, request.threads);
  return { engine, runtime: 'wasm', threads, reason: `${what} (${[...whys, ...limit].join('; ')})` };
}

async function insteadOfWebGpu(request: Request, problem: string): Promise<OpenedRuntime> {
  const engine = await wasmProvider(request).open();
  const { what, threads, limit } = describeWasm(engine, request.threads);
  return {
    engine,
    runtime: 'wasm',
    threads,
    reason: [`WebGPU was given up: ${problem}`, what, ...limit].join('; '),
  };
}

/** The same in pages and in workers; absent in older browsers and on pages that are not served securely. */
function browserGpu(): WebGpuEntry | string {
  const { gpu } = navigator as { readonly gpu?: WebGpuEntry };
  if (gpu !== undefined) return gpu;
  return globalThis.isSecureContext
    ? 'this browser has no WebGPU'
    : 'browsers give WebGPU only to pages served over https or from localhost';
}
