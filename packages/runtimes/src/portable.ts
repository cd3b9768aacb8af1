/** Runtimes as far as they need nothing of Node: what browsers get as the package (export condition `browser`). */
export { RuntimeError } from './errors.js';
export { type MeasuredSpeed, measureSpeed } from './measure.js';
export { graphProblem } from './onnx/check-graph.js';
export { lowerToOnnx } from './onnx/lower.js';
export { type OrtApi, type OrtHost, onnxOpset, onnxRuntimeOver } from './onnx/over-ort.js';
export { encodeModel, type ModelParts, type OnnxModel, type OnnxTensor, readModelParts } from './onnx/proto.js';
export type { CompileOptions, Executable, NamedTensor, Precision, Runtime } from './runtime.js';
export { findAdapter } from './webgpu/device.js';
export { openWebGpuOn, type WebGpuOptions, type WebGpuRuntime } from './webgpu/runtime.js';
export type { TileStore } from './webgpu/tune.js';
