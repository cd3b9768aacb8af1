/** MetaImage: .mha, and .mhd with the voxels in files of their own. */
import { defineVolumeFormat, type VolumeFormat } from '../volumes/volume-format.js';
import { encodeMetaImage, type MetaImageProperties } from './encode.js';
import { MetaImageError } from './error.js';
import { metaImageDataFiles, readMetaImage, readMetaImageHeader } from './read.js';

export const metaImageFormat: VolumeFormat<'metaimage'> = defineVolumeFormat<'metaimage', MetaImageProperties>({
  name: 'metaimage',
  title: 'MetaImage',
  extensions: ['.mha', '.mhd'],
  writtenExtensions: ['.mha'],
  async read(store, path, options) {
    const { volume, header } = await readMetaImage(store, path, options);
    const { geometry, comment } = header;
    return { volume, properties: { geometry, ...(comment !== undefined && { comment }) }, notes: header.notes };
  },
  async summarize(store, path, assume) {
    const { data, comment } = await readMetaImageHeader(store, path, assume);
    return { size: data.size, ...(comment !== undefined && { description: comment }) };
  },
  otherFiles: metaImageDataFiles,
  encode: encodeMetaImage,
  refuse: (...about) => new MetaImageError(...about),
});
