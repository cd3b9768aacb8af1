/** The `onnx` runtime in Node: onnxruntime-node, on all cores. */
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { Runtime } from '../runtime.js';
import { onnxRuntimeOver } from './over-ort.js';

export const onnxRuntime: Runtime = onnxRuntimeOver({
  ort,
  version: ort.env.versions.node ?? ort.env.versions.common,
  threads: availableParallelism(),
  fillsOutputs: true,
});
