export { FileError, hashFile, makeFolder, writeFileAtomic } from './files.js';
export { MetaImageError } from './metaimage-error.js';
export type { AffineSource, NiftiOrientation } from './nifti-affine.js';
export type { NiftiDatatype } from './nifti-datatypes.js';
export { encodeNifti, type NiftiEncodeOptions } from './nifti-encode.js';
export { NiftiError } from './nifti-error.js';
export type { NiftiHeader } from './nifti-header.js';
export { type NiftiImage, type NiftiReadOptions, parseNifti } from './nifti-parse.js';
export { readNifti } from './nifti-read.js';
export { type NiftiWriteOptions, writeNifti } from './nifti-write.js';
export { NrrdError } from './nrrd-error.js';
export { encodePng, PngError } from './png.js';
export {
  type FileLabels,
  type FileVolume,
  readLabels,
  readVolume,
  volumeExtensions,
  volumeFiles,
  volumeName,
  type VolumeReadOptions,
} from './read-volume.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  SafetensorsError,
  type StoredTensor,
  type StoredTensors,
} from './safetensors.js';
