/** Runtimes: ways to execute a graph, behind one interface. */
export * from './portable.js';
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
export { onnxRuntime } from './onnx/runtime.js';
export { type OneDnnExecutable, type OneDnnRuntime, openOneDnn } from './onednn/runtime.js';
export { findWebGpu, openWebGpu } from './webgpu/open.js';
