/** NIfTI-1 and NIfTI-2: .nii, .nii.gz and pairs of .hdr and .img. Source: nifti1.h and nifti2.h (nifti.nimh.nih.gov). */
import type { FileStore } from '../files/byte-source.js';
import { defineVolumeFormat, type VolumeFormat } from '../volumes/volume-format.js';
import { contradictions, millimetres } from './affine.js';
import { encodeNifti, type NiftiProperties, orientationOf } from './encode.js';
import { NiftiError } from './error.js';
import type { NiftiHeader } from './header.js';
import { readNifti, readNiftiHeader } from './read.js';

export const niftiFormat: VolumeFormat<'nifti'> = defineVolumeFormat<'nifti', NiftiProperties>({
  name: 'nifti',
  title: 'NIfTI',
  extensions: ['.nii.gz', '.nii', '.hdr', '.hdr.gz'],
  partExtensions: ['.img', '.img.gz'],
  writtenExtensions: ['.nii.gz', '.nii'],
  async read(store, path, options) {
    const { volume, header } = await readNifti(store, path, options);
    return {
      volume,
      properties: propertiesOf(header),
      notes: [...header.notes, ...contradictions(header, header.size)],
    };
  },
  async summarize(store, path, assume) {
    const { size, description } = await readNiftiHeader(store, path, assume);
    return { size, description };
  },
  otherFiles,
  encode: encodeNifti,
  refuse: (...about) => new NiftiError(...about),
});

/** The rest of a header is about the stored voxels. What was assumed is written out, so that results need no assumption. */
function propertiesOf(header: NiftiHeader): NiftiProperties {
  const { version, affine, xyztUnits, description, notes } = header;
  if (notes.length > 0) {
    const space = Math.max(header.sformCode, header.qformCode, 1);
    return { version, affine, description, xyztUnits: millimetres, ...orientationOf(affine, space) };
  }
  const { qformCode, sformCode, pixdim, quatern, qoffset, srow } = header;
  return { version, affine, xyztUnits, description, qformCode, sformCode, pixdim, quatern, qoffset, srow };
}

/** The other part of a pair, whichever was named. */
async function otherFiles(store: FileStore, path: string): Promise<string[]> {
  const pair = /^(.*)\.(hdr|img)(\.gz)?$/is.exec(path);
  if (pair === null) return [];
  const other = /^hdr$/i.test(pair[2]) ? 'img' : 'hdr';
  const candidates = [`.${other}`, `.${other}.gz`, `.${other.toUpperCase()}`].map((ending) => pair[1] + ending);
  const isThere = (file: string): Promise<boolean> => store.exists(file).catch(() => false);
  const found = await Promise.all(candidates.map(async (file) => ((await isThere(file)) ? [file] : [])));
  return found.flat();
}
