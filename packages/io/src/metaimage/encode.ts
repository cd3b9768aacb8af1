/**
 * A MetaImage file to be written: the header, and voxels that are compressed behind it. Source: MetaIO, as ITK writes it.
 *
 * Traps: the header tells how many bytes the compressed voxels have, in a field that is as long whatever the number; and the
 * format keeps a size and a direction for each axis, which programs take for axes at right angles. What is sheared is refused.
 */
import { largestAxisCosine, type Volume } from '@quickcolumn/volume';
import { checkVolume } from '../headers/check-volume.js';
import { lineOfText } from '../headers/text-header.js';
import type { EncodedVolume, VolumeEncodeOptions } from '../volumes/volume-format.js';
import { hostIsLittleEndian } from '../voxels/byte-order.js';
import { rawBytes } from '../voxels/raw-bytes.js';
import { type ArrayScalarName, scalarNameOf } from '../voxels/scalars.js';
import { MetaImageError } from './error.js';
import { geometryOf, type MetaImageGeometry } from './geometry.js';

/** What of a header a file on the same grid is written with. */
export interface MetaImageProperties {
  readonly geometry: MetaImageGeometry;
  readonly comment?: string;
}

const typeNames: Readonly<Record<ArrayScalarName, string>> = {
  int8: 'MET_CHAR',
  uint8: 'MET_UCHAR',
  int16: 'MET_SHORT',
  uint16: 'MET_USHORT',
  int32: 'MET_INT',
  uint32: 'MET_UINT',
  float32: 'MET_FLOAT',
  float64: 'MET_DOUBLE',
};

/** MetaIO copies it into an array of 255 characters without a look at its length. */
const longestComment = 250;

/** Headers with float32 affines carry about 1e-6 of rounding, a tilted gantry 0.01 and more. */
const shearTolerance = 1e-4;

/** A .mha file with zlib-compressed voxels. Throws MetaImageError when the volume cannot be stored. */
export function encodeMetaImage(
  volume: Volume,
  path: string,
  options: VolumeEncodeOptions<MetaImageProperties>,
): EncodedVolume {
  const { voxels, size, affine } = volume;
  checkVolume(volume, {
    largestSize: 2 ** 31 - 1,
    title: 'MetaImage',
    sizeField: () => 'DimSize',
    refuse: (field, problem) => new MetaImageError(path, field, problem),
  });
  const { like } = options;
  const sameGrid = like?.geometry.affine.every((value, i) => value === affine[i]) ?? false;
  const keeps = like !== undefined && sameGrid;
  if (!keeps && largestAxisCosine(affine) > shearTolerance) {
    const problem =
      'the axes of the voxels are not at right angles, which MetaImage does not hold; write NRRD or NIfTI';
    throw new MetaImageError(path, 'TransformMatrix', problem);
  }
  const geometry = keeps ? like.geometry : geometryOf(affine);
  const { anatomicalOrientation } = geometry;
  const comment = lineOfText(options.description ?? like?.comment ?? '', longestComment);
  const before = [
    'ObjectType = Image',
    ...(comment === '' ? [] : [`Comment = ${comment}`]),
    'NDims = 3',
    'BinaryData = True',
    `BinaryDataByteOrderMSB = ${hostIsLittleEndian ? 'False' : 'True'}`,
    'CompressedData = True',
  ];
  const after = [
    `TransformMatrix = ${geometry.transformMatrix.join(' ')}`,
    `Offset = ${geometry.offset.join(' ')}`,
    'CenterOfRotation = 0 0 0',
    ...(anatomicalOrientation === undefined ? [] : [`AnatomicalOrientation = ${anatomicalOrientation}`]),
    `ElementSpacing = ${geometry.elementSpacing.join(' ')}`,
    `DimSize = ${size.join(' ')}`,
    `ElementType = ${typeNames[scalarNameOf(voxels)]}`,
    'ElementDataFile = LOCAL',
  ];
  return {
    header(voxelBytes) {
      const dataSize = `CompressedDataSize = ${String(voxelBytes).padStart(16, '0')}`;
      return new TextEncoder().encode([...before, dataSize, ...after, ''].join('\n'));
    },
    voxels: rawBytes(voxels),
    compression: { of: 'voxels', as: 'deflate' },
  };
}
