/** Runtimes: three ways to execute a graph, behind one interface. */
export { loweredOperations, lowerToOnnx } from './onnx/lower.js';
export { type MeasuredSpeed, measureSpeed } from './measure.js';
export { graphProblem } from './onnx/check-graph.js';
export { encodeModel, type ModelParts, type OnnxModel, type OnnxTensor, readModelParts } from './onnx/proto.js';
export { onnxOpset, onnxRuntime } from './onnx/runtime.js';
export type { CompileOptions, Executable, NamedTensor, Runtime } from './runtime.js';
