/** Importing, checking and measuring datasets. */
export {
  type CaseFacts,
  checkDataset,
  type CheckedVolumes,
  type CheckOptions,
  type CheckReport,
  type Finding,
  type FindingKind,
} from './check.js';
export { writeFixed } from './fix.js';
export { type GeometryVerdict } from './geometry-difference.js';
export { importDataset } from './import-dataset.js';
export type { ImportedCase, ImportedDataset } from './imported.js';
export { type CaseStats, type DatasetStats, datasetStats, type Histogram, type StatsOptions } from './stats.js';
export { statsPage } from './stats-page.js';
export { statsRows, summaryOf } from './stats-text.js';
export { suggestPatch } from './suggest-patch.js';
export { type Thumbnail, thumbnail, thumbnailSheet } from './thumbnails.js';
export { writeImported, type WriteImportedOptions } from './write-imported.js';
