/** Runtimes: ways to execute a graph, behind one interface. */
export {
  chooseRuntime,
  type PrecisionName,
  precisionNames,
  precisionsOf,
  type RuntimeChoice,
  type RuntimeName,
  runtimeNames,
  type RuntimeRequest,
} from './choose.js';
export { RuntimeError } from './errors.js';
export { lowerToOnnx } from './onnx/lower.js';
export { type MeasuredSpeed, measureSpeed } from './measure.js';
export { graphProblem } from './onnx/check-graph.js';
export { encodeModel, type ModelParts, type OnnxModel, type OnnxTensor, readModelParts } from './onnx/proto.js';
export { onnxOpset, onnxRuntime } from './onnx/runtime.js';
export { type OneDnnExecutable, type OneDnnRuntime, openOneDnn } from './onednn/runtime.js';
export { findWebGpu, openWebGpu } from './webgpu/open.js';
export { openWebGpuOn, type WebGpuRuntime } from './webgpu/runtime.js';
export type { CompileOptions, Executable, NamedTensor, Precision, Runtime } from './runtime.js';
