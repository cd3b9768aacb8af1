/** NRRD, "nearly raw raster data": .nrrd, and .nhdr with the voxels in files of their own. */
import { defineVolumeFormat, type VolumeFormat } from '../volumes/volume-format.js';
import { encodeNrrd, type NrrdProperties } from './encode.js';
import { NrrdError } from './error.js';
import { nrrdDataFiles, readNrrd, readNrrdHeader } from './read.js';

export const nrrdFormat: VolumeFormat<'nrrd'> = defineVolumeFormat<'nrrd', NrrdProperties>({
  name: 'nrrd',
  title: 'NRRD',
  extensions: ['.nrrd', '.nhdr'],
  writtenExtensions: ['.nrrd'],
  async read(store, path, options) {
    const { volume, header } = await readNrrd(store, path, options);
    const { geometry, content } = header;
    return { volume, properties: { geometry, ...(content !== undefined && { content }) }, notes: header.notes };
  },
  async summarize(store, path, assume) {
    const { data, content } = await readNrrdHeader(store, path, assume);
    return { size: data.size, ...(content !== undefined && { description: content }) };
  },
  otherFiles: nrrdDataFiles,
  encode: encodeNrrd,
  refuse: (...about) => new NrrdError(...about),
});
