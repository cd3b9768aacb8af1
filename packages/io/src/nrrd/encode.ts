/**
 * A NRRD file to be written: the header, and voxels that are compressed behind it. Source: "Definition of NRRD File Format",
 * teem.sourceforge.net/nrrd/format.html. The space is left-posterior-superior, which 3D Slicer and ITK write, too.
 *
 * Given the scan that the volume belongs to (`like`), space, directions, spacings and origin are written as the scan has
 * them, so that every program places both alike; what was assumed of a scan without a space is written out.
 */
import type { Volume } from '@quickcolumn/volume';
import { checkVolume } from '../headers/check-volume.js';
import { lineOfText } from '../headers/text-header.js';
import type { EncodedVolume, VolumeEncodeOptions } from '../volumes/volume-format.js';
import { hostIsLittleEndian } from '../voxels/byte-order.js';
import { rawBytes } from '../voxels/raw-bytes.js';
import { type ArrayScalarName, scalarNameOf } from '../voxels/scalars.js';
import { geometryOf, type NrrdGeometry } from './affine.js';
import { NrrdError } from './error.js';

/** What of a header a file on the same grid is written with. */
export interface NrrdProperties {
  readonly geometry: NrrdGeometry;
  readonly content?: string;
}

// As ITK and 3D Slicer write them.
const typeNames: Readonly<Record<ArrayScalarName, string>> = {
  int8: 'signed char',
  uint8: 'unsigned char',
  int16: 'short',
  uint16: 'unsigned short',
  int32: 'int',
  uint32: 'unsigned int',
  float32: 'float',
  float64: 'double',
};

/** A .nrrd file with gzip-compressed voxels. Throws NrrdError when the volume cannot be stored. */
export function encodeNrrd(volume: Volume, path: string, options: VolumeEncodeOptions<NrrdProperties>): EncodedVolume {
  const { voxels, size, affine } = volume;
  checkVolume(volume, {
    largestSize: 2 ** 31 - 1,
    title: 'NRRD',
    sizeField: () => 'sizes',
    refuse: (field, problem) => new NrrdError(path, field, problem),
  });
  const { like } = options;
  const sameGrid = like?.geometry.affine.every((value, i) => value === affine[i]) ?? false;
  const geometry = like !== undefined && sameGrid ? like.geometry : geometryOf(affine);
  const content = lineOfText(options.description ?? like?.content ?? '', 1000);
  const lines = [
    'NRRD0004',
    '# Complete NRRD file format specification at:',
    '# http://teem.sourceforge.net/nrrd/format.html',
    ...field('content', content === '' ? undefined : content),
    `type: ${typeNames[scalarNameOf(voxels)]}`,
    'dimension: 3',
    ...field('space', geometry.space),
    `sizes: ${size.join(' ')}`,
    ...field('space directions', geometry.spaceDirections?.map(vector).join(' ')),
    ...field('spacings', geometry.spacings?.join(' ')),
    'kinds: domain domain domain',
    `endian: ${hostIsLittleEndian ? 'little' : 'big'}`,
    'encoding: gzip',
    ...field('space units', geometry.spaceUnits),
    ...field('space origin', geometry.spaceOrigin && vector(geometry.spaceOrigin)),
  ];
  const header = new TextEncoder().encode(`${lines.join('\n')}\n\n`);
  return { header: () => header, voxels: rawBytes(voxels), compression: { of: 'voxels', as: 'gzip' } };
}

const field = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [`${name}: ${value}`]);

const vector = (numbers: readonly number[]): string => `(${numbers.join(',')})`;
