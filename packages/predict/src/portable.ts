/** Prediction as far as it needs nothing of Node: what browsers get as the package (export condition `browser`). */
export { ensembleOf, type NamedModel } from './ensemble.js';
export { availableMemory, estimatePrediction, formatBytes, type PredictionEstimate } from './memory.js';
export { createMerger, type Merger, type WindowWeighting } from './merge.js';
export { type MirrorAxis, mirrorCount } from './mirror.js';
export { largestModelBytes, type ModelContents, type ModelDevice, ModelError, openModel } from './open-model.js';
export type { CompiledModel, LoadedModel } from './model-types.js';
export { type PostProcessing, type PostProcessingResult, postProcess } from './post-process.js';
export { type PredictOptions, type Prediction, predictScan, resolveWindow } from './predict.js';
export { sha256 } from './sha256.js';
export { describeMask, type MaskSidecar, type ModelFile, type PredictionOptions, RESEARCH_NOTICE } from './sidecar.js';
export { type WindowGrid, windowCorners, windowGrid, windowStarts } from './windows.js';
