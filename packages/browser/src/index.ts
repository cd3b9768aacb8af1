/** Segmentation of chest CT in the browser. Research use only, not a medical device. */
export { createPredictor, type Predictor, type PredictorOptions, type PredictRequest } from './predictor.js';
export type {
  BrowserPrediction,
  BrowserRuntimeName,
  ModelInfo,
  PredictProgress,
  RuntimeInfo,
  ScanOptions,
  Stage,
} from './protocol.js';
