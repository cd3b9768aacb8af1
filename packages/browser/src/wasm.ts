/**
 * The `onnx` runtime in browsers: onnxruntime-web, its CPU kernels as WebAssembly with SIMD. The graph is lowered as for
 * onnxruntime-node; only the library differs.
 *
 * Trap: threads need shared memory, which browsers give to cross-origin isolated pages only (headers
 * Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp). Their number is set once,
 * before the first session.
 */
import { onnxRuntimeOver, type Runtime } from '@quickcolumn/runtimes';
import * as ort from 'onnxruntime-web/wasm';

export interface WasmRuntime {
  readonly runtime: Runtime;
  readonly threads: number;
  /** Why there are not more threads; undefined where all cores are used. */
  readonly limit?: string;
}

/** @param assets address of the folder with ort-wasm-simd-threaded.wasm and .mjs; nothing is fetched from elsewhere */
export function openWasm(assets: string, wanted?: number): WasmRuntime {
  const cores = navigator.hardwareConcurrency;
  const threads = globalThis.crossOriginIsolated ? (wanted ?? cores) : 1;
  ort.env.wasm.wasmPaths = assets;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  return {
    // No number of threads: onnxruntime-web takes it from env, not from a session's options.
    runtime: onnxRuntimeOver({ ort, version: ort.env.versions.web ?? ort.env.versions.common, fillsOutputs: false }),
    threads,
    ...(threads === 1 && cores > 1 && !globalThis.crossOriginIsolated
      ? { limit: 'because this page is not cross-origin isolated: its server sends no COOP and COEP headers' }
      : {}),
  };
}
