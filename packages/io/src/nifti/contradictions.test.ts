/** Headers whose parts contradict each other: read by the sform, and said so. Offsets: nifti1.h. */
import { expect, test } from 'vitest';
import { blobStore } from '../files/blob-store.js';
import { readVolumeFrom } from '../volumes/read-from.js';
import { niftiBytes } from './nifti.test.helpers.js';

const [pixdim, qformCode, qoffset, srow] = [76, 252, 268, 280];
const tilted = [-0.8, 0.1, 0, 90, -0.1, -0.8, 0, 80, 0, 0, 2.5, -300, 0, 0, 0, 1];

async function notesAfter(
  change: (header: DataView) => void,
  affine: readonly number[] = tilted,
): Promise<readonly string[]> {
  const bytes = niftiBytes({ voxels: new Int16Array(6 * 5 * 4), size: [6, 5, 4], affine });
  change(new DataView(bytes.buffer));
  const { notes } = await readVolumeFrom(blobStore([new File([bytes], 'x.nii')]), 'x.nii');
  return notes;
}

test('a header whose parts agree is read without a note, also one with shear', async () => {
  expect(await notesAfter(() => {})).toEqual([]);
  expect(await notesAfter(() => {}, [-0.8, 0, 0, 90, 0, -0.8, 0.9, 80, 0, 0, 2.5, -300, 0, 0, 0, 1])).toEqual([]);
});

test('axes that were turned or exchanged in the sform alone', async () => {
  const turned = (header: DataView): void => {
    for (const row of [0, 1, 2]) {
      const at = srow + 16 * row + 4;
      header.setFloat32(at, -header.getFloat32(at, true), true);
    }
  };
  expect(await notesAfter(turned)).toEqual(['its sform has the axes LAS, its qform LPS; the sform is used']);
  const exchanged = (header: DataView): void => {
    for (const row of [0, 1, 2]) {
      const [a, b] = [srow + 16 * row, srow + 16 * row + 8];
      const [x, z] = [header.getFloat32(a, true), header.getFloat32(b, true)];
      header.setFloat32(a, z, true);
      header.setFloat32(b, x, true);
    }
  };
  expect(await notesAfter(exchanged)).toEqual([
    'its sform has a voxel spacing of 2.500×0.806×0.806, its pixdim 0.806×0.806×2.500; the sform is used',
    'its sform has the axes SPL, its qform LPS; the sform is used',
  ]);
});

test('places that are apart, but not by rounding', async () => {
  const moved = (mm: number) => (header: DataView) =>
    header.setFloat32(qoffset, header.getFloat32(qoffset, true) + mm, true);
  expect(await notesAfter(moved(0.3))).toEqual([]);
  expect(await notesAfter(moved(0.6))).toEqual([
    'its sform and its qform place it more than half a voxel apart; the sform is used',
  ]);
});

test('a pixdim in other units, without a qform', async () => {
  const metres = (header: DataView): void => {
    header.setInt16(qformCode, 0, true);
    for (const axis of [1, 2, 3])
      header.setFloat32(pixdim + 4 * axis, header.getFloat32(pixdim + 4 * axis, true) / 1000, true);
  };
  expect(await notesAfter(metres)).toEqual([
    'its sform has a voxel spacing of 0.806×0.806×2.500, its pixdim 0.001×0.001×0.002; the sform is used',
  ]);
});

test('a qform that is damaged says nothing', async () => {
  expect(await notesAfter((header) => header.setFloat32(256, 5, true))).toEqual([]);
});
