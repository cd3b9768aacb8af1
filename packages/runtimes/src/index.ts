/** Runtimes: ways to execute a graph, behind one interface. Nothing native loads before a runtime is found or opened. */
export * from './browser.js';
export { type OneDnnExecutable, type OneDnnRuntime, openOneDnn } from './onednn/runtime.js';
export { openOnnx } from './onnx/open.js';
export { chooseRuntime, type RuntimeName, runtimeNames, runtimeProviders, surveyRuntimes } from './providers.js';
export { openWebGpu } from './webgpu/open.js';
