/** Runtimes as far as they need nothing of Node: what browsers get as the package (export condition `browser`). */
export { RuntimeError } from './contract/errors.js';
export type {
  FoundRuntime,
  OpenOptions,
  RuntimeDetail,
  RuntimeProvider,
  TileStore,
} from './contract/provider.js';
export type {
  CompileOptions,
  Executable,
  ModelSession,
  NamedTensor,
  OpenModelOptions,
  Precision,
  Runtime,
} from './contract/runtime.js';
export { graphProblem } from './onnx/check-graph.js';
export { float16Of, float32Of, weightIn, withFloat16Weights } from './onnx/float16.js';
export { lowerToOnnx } from './onnx/lower.js';
export { onnxOpset, onnxRuntimeOver } from './onnx/ort-runtime.js';
export type { OrtApi, OrtHost } from './onnx/ort-session.js';
export { encodeModel, type ModelParts, type OnnxModel, type OnnxTensor, readModelParts } from './onnx/proto.js';
export { type ModelSignature, readSignature, type TensorSignature } from './onnx/signature.js';
export {
  chooseFrom,
  type MeasuredSpeeds,
  type PassedOver,
  type PrecisionName,
  precisionNames,
  type RuntimeChoice,
  type RuntimeRequest,
} from './selection/choose.js';
export { candidatePrecisions, measurePrecisions, type PrecisionSpeed, type Work } from './selection/precision-speed.js';
export { measureSpeed, type RuntimeSpeed } from './selection/speed.js';
export { type RuntimeSurvey, surveyFrom } from './selection/survey.js';
export { webGpuProviderOn } from './webgpu/provider-on.js';
export { openWebGpuOn } from './webgpu/runtime.js';
export type { WebGpuEntry, WebGpuOptions, WebGpuRuntime } from './webgpu/types.js';
