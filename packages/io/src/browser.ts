/** What runs in browsers and in Node alike; browsers get this as the package (export condition `browser`). */
export { csvCell, plainCell } from './csv-cell.js';
export type { NamedBlob } from './files/blob-store.js';
export type { ReadWatch } from './files/watched-store.js';
export { FileError } from './files/file-error.js';
export { type HeaderAssumptions, type LengthUnit, lengthUnits } from './headers/assumptions.js';
export { MetaImageError } from './metaimage/error.js';
export { NiftiError } from './nifti/error.js';
export { NrrdError } from './nrrd/error.js';
export { encodePng, PngError } from './png.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  SafetensorsError,
  type StoredTensor,
  type StoredTensors,
} from './safetensors.js';
export { encodeVolumeBlob } from './volumes/encode-blob.js';
export { FormatError } from './volumes/format-error.js';
export type { VolumeFormatName } from './volumes/formats.js';
export {
  isVolumeFile,
  volumeBase,
  volumeExtensions,
  volumeFormatNames,
  volumeFormatOf,
  volumeName,
  volumePath,
} from './volumes/names.js';
export {
  disagreementDescription,
  isResultDescription,
  labelsDescription,
  probabilityDescription,
} from './volumes/own-results.js';
export { readLabelsBlobs, readVolumeBlobs } from './volumes/read-blobs.js';
export type { FileLabels, FileVolume } from './volumes/read-from.js';
export type {
  FormatProperties,
  VolumeEncodeOptions,
  VolumeReadOptions,
  VolumeSummary,
} from './volumes/volume-format.js';
