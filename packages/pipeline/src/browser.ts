/** What happens to a scan before and after the network, and its exact inverse; runs in browsers, too. */
export { type IntensityMode, paperPreparation, type PreparationConfig, preparationSchema } from './config.js';
export { keepsClassValues, type LabelMap, labelMapIssues, type LabelRules, mapLabels } from './label-map.js';
export { LabelValueError, PreparationError } from './errors.js';
export {
  type ForeignIntensity,
  type ForeignPreparation,
  isForeignPreparation,
  type ScanPreparation,
} from './foreign-intensity.js';
export {
  type ForeignOutput,
  type ForeignSettings,
  foreignSettingsSchema,
  foreignSettingsVersion,
} from './foreign-settings.js';
export { detectScale } from './intensity.js';
export {
  type ModelMetadata,
  modelMetadataSchema,
  modelMetadataVersion,
  type ModelTerms,
  modelTermsSchema,
} from './model-metadata.js';
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
