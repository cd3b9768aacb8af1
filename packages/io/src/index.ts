export * from './portable.js';
export { hashFile, makeFolder, writeFileAtomic } from './files.js';
export { type NiftiWriteOptions, writeNifti } from './nifti-write.js';
export { readLabels, readNifti, readVolume, volumeFiles, volumeName } from './read-disk.js';
