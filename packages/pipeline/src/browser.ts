/** What happens to a scan before and after the network, and its exact inverse; runs in browsers, too. */
export { type IntensityMode, paperPreparation, type PreparationConfig, preparationSchema } from './config.js';
export { LabelValueError, PreparationError } from './errors.js';
export { detectScale } from './intensity.js';
export { type ModelMetadata, modelMetadataSchema, modelMetadataVersion } from './model-metadata.js';
export {
  checkLabelValues,
  type PreparedScan,
  preparedSize,
  type PrepareOptions,
  prepareScan,
  type Undo,
} from './prepare.js';
export { restoreProbabilities, restoreProbability } from './restore.js';
export {
  type FactRange,
  intensityQuartiles,
  type ScanFacts,
  scanFacts,
  type TrainingScans,
  trainingScans,
} from './scan-facts.js';
