/** Prediction as far as it needs nothing of Node: what browsers get as the package (export condition `browser`). */
export { type DoubtDescription, doubtDescriptions } from './doubts/descriptions.js';
export { type Doubt, type DoubtId, doubtIds } from './doubts/doubts.js';
export {
  availableMemory,
  estimatePrediction,
  formatBytes,
  type PredictionEstimate,
  refuseIfTooLarge,
} from './memory.js';
export { ensembleOf } from './model/ensemble.js';
export type { ForeignContents } from './foreign/parse-foreign.js';
export type {
  CompiledModel,
  ForeignMetadata,
  LoadedModel,
  ModelFile,
  ModelRuntime,
  NetworkBytes,
} from './model/loaded-model.js';
export { modelLine } from './model/model-line.js';
export {
  largestModelBytes,
  type ModelContents,
  type ModelDevice,
  ModelError,
  modelOn,
  openModel,
  parseModel,
} from './model/open-model.js';
export { type PostProcessing, type PostProcessingResult, postProcess } from './post-process.js';
export { type PredictOptions, type Prediction, predictScan, resolveWindow } from './predict.js';
export { predictPrepared, type PreparedPredictionOptions } from './predict-prepared.js';
export { makingDifference, type MaskMaking } from './making.js';
export { type Segmentation, segment, type SegmentOptions } from './segment.js';
export {
  type MaskSidecar,
  type PredictionOptions,
  type Program,
  RESEARCH_NOTICE,
  type SidecarFiles,
  withDisagreement,
  withProbabilities,
} from './sidecar.js';
export type { WindowWeighting } from './windows/merge.js';
export type { MirrorAxis } from './windows/mirror.js';
