/** What NRRD files of ours say, and what they keep of the scan that they belong to. */
import type { Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { encodeVolumeBlob, readVolumeBlobs, type VolumeEncodeOptions } from '../index.js';

const mask: Volume = {
  voxels: new Uint8Array(24),
  size: [4, 3, 2],
  affine: [-0.7, 0, 0, 100.5, 0, -0.7, 0, -20.25, 0, 0, 1.5, -300, 0, 0, 0, 1],
};

async function headerOf(volume: Volume, options: VolumeEncodeOptions = {}): Promise<string> {
  const text = await (await encodeVolumeBlob(volume, 'a.nrrd', options)).text();
  return text.slice(0, text.indexOf('\n\n'));
}

it('a label map says what 3D Slicer expects of one', async () => {
  expect((await headerOf(mask, { description: 'quickcolumn labels\n(Größe)' })).split('\n')).toEqual([
    'NRRD0004',
    '# Complete NRRD file format specification at:',
    '# http://teem.sourceforge.net/nrrd/format.html',
    'content: quickcolumn labels (Gr??e)',
    'type: unsigned char',
    'dimension: 3',
    'space: left-posterior-superior',
    'sizes: 4 3 2',
    'space directions: (0.7,0,0) (0,0.7,0) (0,0,1.5)',
    'kinds: domain domain domain',
    'endian: little',
    'encoding: gzip',
    'space origin: (-100.5,20.25,-300)',
  ]);
});

describe('like a scan', () => {
  const scanOf = async (...fields: readonly string[]) => {
    const lines = ['NRRD0004', 'type: uchar', 'dimension: 3', 'sizes: 4 3 2', 'encoding: raw', ...fields];
    return await readVolumeBlobs(new File([`${lines.join('\n')}\n\n${'\0'.repeat(24)}`], 'scan.nrrd'));
  };

  it.each([
    [
      'right-anterior-superior, with units',
      [
        'space: RAS',
        'space directions: (0.5,0,0) (0,-0.5,0) (0,0,2)',
        'space origin: (1,2,3)',
        'space units: "mm" "mm" "mm"',
      ],
      [
        'space: RAS',
        'space directions: (0.5,0,0) (0,-0.5,0) (0,0,2)',
        'space units: "mm" "mm" "mm"',
        'space origin: (1,2,3)',
      ],
    ],
    ['spacings beside a space', ['space: LPS', 'spacings: 0.5 0.5 2'], ['space: LPS', 'spacings: 0.5 0.5 2']],
  ])('%s', async (_title, fields, expected) => {
    const { size, affine, properties } = await scanOf('content: a scan', ...fields);
    const header = await headerOf({ ...mask, size, affine }, { like: properties });
    const places = header.split('\n').filter((line) => /^(spac|content)/.test(line));
    expect(places).toEqual(['content: a scan', ...expected]);
  });

  it('keeps nothing of the key/value pairs: they may name a patient', async () => {
    const { size, affine, properties } = await scanOf('space: LPS', 'spacings: 1 1 1', 'patient:=Doe');
    expect(await headerOf({ ...mask, size, affine }, { like: properties })).not.toContain('Doe');
  });

  it('on another grid is written by its own affine', async () => {
    const { properties } = await scanOf('space: LPS', 'spacings: 0.5 0.5 2');
    expect(await headerOf(mask, { like: properties })).toContain('space directions: (0.7,0,0) (0,0.7,0) (0,0,1.5)');
  });
});
