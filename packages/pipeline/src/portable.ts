/** What happens to a scan before and after the network, and its exact inverse; runs in browsers, too. */
export { covidClasses, type LabelClass, msdClasses } from './classes.js';
export {
  type IntensityMode,
  labelClassSchema,
  paperPreparation,
  type PreparationConfig,
  preparationSchema,
} from './config.js';
export { GridMismatchError, LabelValueError, PreparationError } from './errors.js';
export { detectScale, type IntensityScale, type ScaledIntensity, scaleIntensity } from './intensity.js';
export { type ModelMetadata, modelMetadataSchema } from './model-metadata.js';
export {
  checkLabelValues,
  checkSameGrid,
  type PreparedScan,
  preparedSize,
  type PrepareOptions,
  prepareScan,
  type Undo,
} from './prepare.js';
export { restoreProbabilities, restoreProbability, type RestoreOptions } from './restore.js';
