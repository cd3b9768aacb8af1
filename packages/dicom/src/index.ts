export { DicomError, type DicomReason } from './dicom-error.js';
export {
  type DicomListing,
  type DicomObject,
  type DicomSeries,
  type ListOptions,
  listSeries,
} from './series/list-series.js';
export { type DicomVolume, readSeries, type ReadSeriesOptions, type SourceImage } from './series/read-series.js';
export { parseRepair, repairOptions, type SeriesRepair } from './series/repair.js';
export type { SliceHeader } from './series/slice-header.js';
export type { DicomSource } from './sources/dicom-source.js';
export { type DicomSources, openSources } from './sources/sources.js';
export type { SeriesProblem } from './series/checks/findings.js';
export type { DamagedFile } from './series/damaged-files.js';
export { type PatientFacts, readPatient } from './series/patient.js';
export { encodeSegmentation, type SegmentationOptions, type SegmentClass } from './segmentation/write-segmentation.js';
export { checkSegmentable } from './segmentation/referable.js';
export { readSegmentation } from './segmentation/read-segmentation.js';
export { readStructures, type StructureGrid } from './segmentation/read-structures.js';
export {
  type PaintedLabels,
  type PaintedRegion,
  type PaintOptions,
  paintRegions,
  parseRegionValues,
  type Region,
} from './segmentation/regions.js';
export { deidentify, type DeidentifiedFile, type DeidentifyOptions } from './deidentify/deidentify.js';
export { keyBytes as deidentificationKeyBytes } from './deidentify/identifiers.js';
export { type RefusalKind, refusalKinds } from './deidentify/refusals.js';
export { keptInformation, type KeptInformation } from './deidentify/rules.js';
export { type DateHandling, dateHandlings } from './deidentify/treat-elements.js';
