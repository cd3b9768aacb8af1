/** Small files that unpack, or unfold, to large ones: refused, or read as far as needed, in few steps. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeVolumeBlob, readVolume } from '@quickcolumn/io';
import type { Volume } from '@quickcolumn/volume';
import { trainConfigFrom } from '@quickcolumn/workflows';
import { describe, expect, it } from 'vitest';
import { yamlBombs } from './readers/config-reader.js';
import { useFolder } from './folder.test.helpers.js';

const { put, failure } = useFolder();

describe('bombs', () => {
  const zeros = Buffer.alloc(200 * 2 ** 20);
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

  it('what follows the voxels is decompressed only so far, in every format', async () => {
    const bomb = gzipSync(zeros, { level: 1 });
    const small = await encodeVolumeBlob({ voxels: new Uint8Array(24), size: [4, 3, 2], affine }, 'small.nii.gz');
    const smallBytes = new Uint8Array(await small.arrayBuffer());
    const nifti = put('bomb.nii.gz', smallBytes, bomb);
    const nrrdFields = [
      'type: uchar',
      'dimension: 3',
      'space: LPS',
      'sizes: 4 3 2',
      'spacings: 1 1 1',
      'encoding: gzip',
    ];
    const nrrd = put('bomb.nrrd', `NRRD0004\n${nrrdFields.join('\n')}\n\n`, bomb);
    const meta = put(
      'bomb.mha',
      'NDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nCompressedData = True\n' +
        'ElementDataFile = LOCAL\n',
      deflateSync(zeros, { level: 1 }),
    );
    // What is done once is done here.
    await countSteps(() => readVolume(put('small.nii.gz', smallBytes)));
    for (const path of [nifti, nrrd, meta]) {
      let voxels: Volume['voxels'] | undefined;
      const { steps } = await countSteps(async () => {
        ({ voxels } = await readVolume(path));
      });
      expect(voxels).toEqual(new Uint8Array(24));
      // It takes 3 200 and what vitest does meanwhile; to unpack all of the bomb takes 47 000.
      expect(steps).toBeLessThan(25_000);
    }
    expect(process.resourceUsage().maxRSS).toBeLessThan(1.5 * 2 ** 20);
  });

  it('a skip that would have to decompress a bomb first is refused', async () => {
    const fields = ['type: uchar', 'dimension: 3', 'space: LPS', 'sizes: 4 3 2', 'spacings: 1 1 1', 'encoding: gzip'];
    const head = `NRRD0004\n${fields.join('\n')}\nbyte skip: 400000000\n\n`;
    const path = put('skip.nrrd', head, gzipSync(zeros, { level: 1 }));
    expect(await failure(readVolume(path))).toMatchObject({ code: 'nrrd', field: 'voxels' });
  });

  it.each(yamlBombs.map((text, i) => [i, text] as const))('YAML %i', async (_i, text) => {
    const path = put('bomb.yaml', text);
    const { steps } = await countSteps(async () =>
      expect(await failure(trainConfigFrom({ config: path }))).toMatchObject({ code: 'config' }),
    );
    expect(steps).toBeLessThan(2_000_000);
  });

  it('a configuration of megabytes, or that holds itself', async () => {
    const large = put('large.yaml', Buffer.alloc(2 ** 21, '#'));
    expect(await failure(trainConfigFrom({ config: large }))).toMatchObject({ code: 'config' });
    const circle = put('circle.yaml', 'profile: quick\ndata: &d { patients: *d }\n');
    expect(await failure(trainConfigFrom({ config: circle }))).toMatchObject({
      code: 'config',
      message: expect.stringContaining('a group holds itself'),
    });
  });
});
