export * from './browser.js';
export { hashFile } from './files/hash-file.js';
export { makeFolder } from './files/make-folder.js';
export { writeFileAtomic } from './files/write-atomic.js';
export { readLabels, readVolume, summarizeVolume, volumeFiles } from './volumes/read-disk.js';
export { type VolumeWriteOptions, writeVolume } from './volumes/write-volume.js';
