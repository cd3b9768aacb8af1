/** Opens the `onnx` runtime in Node: ONNX Runtime as npm installed it, on all cores. */
import { availableParallelism } from 'node:os';
import type { Runtime } from '../contract/runtime.js';
import { loadOnnxRuntime } from '../native.js';
import { onnxRuntimeOver } from './ort-runtime.js';

/** Loads the library with the first call. @throws RuntimeError when it is not installed or does not load */
export async function openOnnx(): Promise<Runtime> {
  return onnxRuntimeOver({ ...(await loadOnnxRuntime()), threads: availableParallelism(), fillsOutputs: true });
}
