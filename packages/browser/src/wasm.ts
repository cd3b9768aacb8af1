/**
 * The `onnx` runtime in browsers: onnxruntime-web, its CPU kernels as WebAssembly with SIMD. The graph is lowered as for
 * onnxruntime-node; only the library differs.
 *
 * Trap: threads need shared memory, which browsers give to cross-origin isolated pages only (headers
 * Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp). Their number is set once,
 * before the first session.
 */
import { onnxRuntimeOver, type Runtime, type RuntimeProvider } from '@quickcolumn/runtimes';
import * as ort from 'onnxruntime-web/wasm';

const version = ort.env.versions.web ?? ort.env.versions.common;

export interface WasmSettings {
  /** Address of the folder with ort-wasm-simd-threaded.wasm and .mjs; nothing is fetched from elsewhere. */
  readonly assets: string;
  /** Default: all cores. */
  readonly threads?: number;
}

export function wasmProvider({ assets, threads }: WasmSettings): RuntimeProvider {
  return {
    name: 'wasm',
    title: 'ONNX Runtime as WebAssembly',
    runsOn: 'processor',
    precisions: ['float32'],
    installation: 'comes with quickcolumn',
    measuresKernels: false,
    find: async () => ({ version, details: [] }),
    async open() {
      ort.env.wasm.wasmPaths = assets;
      ort.env.wasm.numThreads = threadsOf(threads);
      ort.env.logLevel = 'error';
      // No number of threads: onnxruntime-web takes it from env, not from a session's options.
      return onnxRuntimeOver({ ort, version, fillsOutputs: false });
    },
  };
}

/** What people are told of it; `limit` says why there are not more threads, where there are not. */
export function describeWasm(
  { version: library }: Pick<Runtime, 'version'>,
  wanted: number | undefined,
): { readonly what: string; readonly threads: number; readonly limit: readonly string[] } {
  const threads = threadsOf(wanted);
  const isLimited = threads === 1 && navigator.hardwareConcurrency > 1 && !globalThis.crossOriginIsolated;
  const count = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return {
    what: `ONNX Runtime ${library} as WebAssembly on ${count}`,
    threads,
    limit: isLimited
      ? ['one thread because this page is not cross-origin isolated: its server sends no COOP and COEP headers']
      : [],
  };
}

const threadsOf = (wanted: number | undefined): number =>
  globalThis.crossOriginIsolated ? (wanted ?? navigator.hardwareConcurrency) : 1;
