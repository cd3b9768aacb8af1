/** What MetaImage files of ours say, and what they keep of the scan that they belong to. */
import type { Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { encodeVolumeBlob, readVolumeBlobs, type VolumeEncodeOptions } from '../index.js';

const mask: Volume = {
  voxels: new Uint8Array(24),
  size: [4, 3, 2],
  affine: [-0.7, 0, 0, 100.5, 0, -0.7, 0, -20.25, 0, 0, 1.5, -300, 0, 0, 0, 1],
};

async function headerOf(volume: Volume, options: VolumeEncodeOptions = {}): Promise<{ lines: string[]; data: number }> {
  const blob = await encodeVolumeBlob(volume, 'a.mha', options);
  const end = 'ElementDataFile = LOCAL\n';
  const text = await blob.text();
  const header = text.slice(0, text.indexOf(end) + end.length);
  return { lines: header.trimEnd().split('\n'), data: blob.size - header.length };
}

it('a label map says what ITK says', async () => {
  const { lines, data } = await headerOf(mask, { description: 'quickcolumn labels' });
  expect(lines).toEqual([
    'ObjectType = Image',
    'Comment = quickcolumn labels',
    'NDims = 3',
    'BinaryData = True',
    'BinaryDataByteOrderMSB = False',
    'CompressedData = True',
    `CompressedDataSize = ${String(data).padStart(16, '0')}`,
    'TransformMatrix = 1 0 0 0 1 0 0 0 1',
    'Offset = -100.5 20.25 -300',
    'CenterOfRotation = 0 0 0',
    'AnatomicalOrientation = RAI',
    'ElementSpacing = 0.7 0.7 1.5',
    'DimSize = 4 3 2',
    'ElementType = MET_UCHAR',
    'ElementDataFile = LOCAL',
  ]);
});

it('a comment is never longer than MetaIO takes', async () => {
  const { lines } = await headerOf(mask, { description: 'x'.repeat(1000) });
  expect(lines[1]).toBe(`Comment = ${'x'.repeat(250)}`);
});

describe('like a scan', () => {
  const scanOf = async (...fields: readonly string[]) => {
    const lines = [...fields, 'ElementType = MET_UCHAR', 'ElementDataFile = LOCAL'];
    return await readVolumeBlobs(new File([`${lines.join('\n')}\n${'\0'.repeat(24)}`], 'scan.mha'));
  };

  it('keeps matrix, offset, spacing and letters, also where we would write others', async () => {
    const geometry = [
      'TransformMatrix = 0.8 0.6 0 -0.6000001 0.8 0.1 0 0 1',
      'Offset = 1 2 3',
      'AnatomicalOrientation = LPS',
      'ElementSpacing = 0.5 0.5 2',
    ];
    const { size, affine, properties } = await scanOf('NDims = 3', 'DimSize = 4 3 2', ...geometry);
    const { lines } = await headerOf({ ...mask, size, affine }, { like: properties });
    expect(lines).toEqual(expect.arrayContaining(geometry));
  });

  it('of a fourth axis of one voxel keeps the three of space', async () => {
    const { size, affine, properties } = await scanOf(
      'NDims = 4',
      'DimSize = 4 3 2 1',
      'TransformMatrix = 0 1 0 0 1 0 0 0 0 0 1 0 0 0 0 1',
      'Offset = 1 2 3 9',
      'ElementSpacing = 0.5 0.5 2 7',
    );
    const { lines } = await headerOf({ ...mask, size, affine }, { like: properties });
    const geometry = ['TransformMatrix = 0 1 0 1 0 0 0 0 1', 'Offset = 1 2 3', 'ElementSpacing = 0.5 0.5 2'];
    expect(lines).toEqual(expect.arrayContaining(geometry));
  });
});
