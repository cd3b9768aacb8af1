export { DicomError, type DicomReason } from './dicom-error.js';
export {
  type DicomListing,
  type DicomObject,
  type DicomSeries,
  type ListOptions,
  listSeries,
} from './list-series.js';
export { type DicomVolume, readSeries, type ReadSeriesOptions, type SourceImage } from './read-series.js';
export { parseRepair, type SeriesRepair } from './repair.js';
export type { SliceHeader } from './slice-header.js';
export { type DicomSource, type DicomSources, openSources } from './sources.js';
export type { SeriesProblem } from './stack.js';
export { type PatientFacts, readPatient } from './patient.js';
export { encodeSegmentation, type SegmentationOptions, type SegmentClass } from './write-segmentation.js';
export { readSegmentation } from './read-segmentation.js';
export { readStructures, type StructureGrid } from './read-structures.js';
export {
  type PaintedLabels,
  type PaintedRegion,
  type PaintOptions,
  paintRegions,
  parseRegionValues,
  type Region,
} from './regions.js';
