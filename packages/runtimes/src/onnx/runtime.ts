/** The `onnx` runtime in Node: ONNX Runtime as npm installed it, on all cores. */
import { availableParallelism } from 'node:os';
import { loadOnnxRuntime } from '../native.js';
import type { Runtime } from '../runtime.js';
import { onnxRuntimeOver } from './over-ort.js';

export const onnxRuntime: Runtime = onnxRuntimeOver({
  ...(await loadOnnxRuntime()),
  threads: availableParallelism(),
  fillsOutputs: true,
});
