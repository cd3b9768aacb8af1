export { availableMemory, estimatePrediction, formatBytes, type PredictionEstimate } from './memory.js';
export { createMerger, type Merger, type WindowWeighting } from './merge.js';
export { loadModel, ModelError } from './model.js';
export type { CompiledModel, LoadedModel } from './model-types.js';
export { type PredictOptions, type Prediction, predictScan, resolveWindow } from './predict.js';
export { describeMask, type MaskSidecar, RESEARCH_NOTICE } from './sidecar.js';
export { type WindowGrid, windowCorners, windowGrid, windowStarts } from './windows.js';
