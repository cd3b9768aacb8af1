/** Importing, checking and measuring datasets. */
export { checkDataset, type CheckedVolumes, type CheckOptions } from './check/check.js';
export type { CaseFacts, CheckReport, Finding } from './check/report.js';
export { writeFixed } from './check/fix.js';
export { type GeometryVerdict } from './check/geometry-difference.js';
export { importDataset } from './import/import-dataset.js';
export type { ImportedCase, ImportedDataset } from './import/imported.js';
export {
  type CaseStats,
  type DatasetStats,
  datasetStats,
  type Histogram,
  type StatsOptions,
} from './statistics/stats.js';
export { statsPage } from './statistics/stats-page.js';
export { statsRows, summaryOf } from './statistics/stats-text.js';
export { suggestPatch } from './statistics/suggest-patch.js';
export { type Thumbnail, thumbnail, thumbnailSheet } from './statistics/thumbnails.js';
export { writeImported, type WriteImportedOptions } from './import/write-imported.js';
