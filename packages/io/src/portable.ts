/** What runs in browsers and in Node alike; browsers get this as the package (export condition `browser`). */
export type { NamedBlob } from './blob-store.js';
export { FileError } from './file-error.js';
export { MetaImageError } from './metaimage-error.js';
export type { AffineSource, NiftiOrientation } from './nifti-affine.js';
export { encodeNiftiBlob } from './nifti-blob.js';
export type { NiftiDatatype } from './nifti-datatypes.js';
export { encodeNifti, type NiftiEncodeOptions } from './nifti-encode.js';
export { NiftiError } from './nifti-error.js';
export type { NiftiHeader } from './nifti-header.js';
export { type NiftiImage, type NiftiReadOptions, parseNifti } from './nifti-parse.js';
export { NrrdError } from './nrrd-error.js';
export { encodePng, PngError } from './png.js';
export { readLabelsBlobs, readVolumeBlobs } from './read-blobs.js';
export { type FileLabels, type FileVolume, volumeExtensions, type VolumeReadOptions } from './read-volume.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  SafetensorsError,
  type StoredTensor,
  type StoredTensors,
} from './safetensors.js';
