/** What ITK reads from the files that are written here: the judge of formats that 3D Slicer, ITK-SNAP and elastix share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { needs, pathOf } from '@quickcolumn/testing';
import type { Volume } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVolume, volumePath, writeVolume } from '../index.js';
import { affineOf } from './volumes.test.helpers.js';

const entry = join(dirname(pathOf('ITK')), 'dist/index-node.js');

interface ItkImage {
  readonly imageType: { readonly componentType: string };
  readonly size: number[];
  readonly origin: number[];
  readonly spacing: number[];
  /** Row by row; columns are the directions of the voxel axes. */
  readonly direction: ArrayLike<number>;
  readonly data: ArrayLike<number>;
}

const arrays = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];
const places: readonly (readonly [title: string, affine: Volume['affine']])[] = [
  ['oblique and anisotropic', affineOf([0.3, -0.5, 1.1], [0.7, 0.8, 2.5], [-101.5, 82.25, -340.125], 0)],
  ['mirrored', affineOf([0.1, 0.2, 3], [-1, 1, 5], [10, 20, 30], 0)],
  ['axes to the left, back and head', [-0.7, 0, 0, 1, 0, -0.7, 0, 2, 0, 0, 1, 3, 0, 0, 0, 1]],
];

describe('ITK', needs('ITK'), () => {
  let folder = '';
  let readImage: (path: string) => Promise<ItkImage> = () => Promise.reject(new Error('not loaded'));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quickcolumn-itk-'));
    const itk = (await import(pathToFileURL(entry).href)) as { readImageNode(path: string): Promise<ItkImage> };
    readImage = async (path) => await itk.readImageNode(path);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function expectItkAgrees(path: string, volume: Volume): Promise<void> {
    const image = await readImage(path);
    expect(image.size).toEqual(volume.size);
    expect(`${image.imageType.componentType}Array`.toLowerCase()).toBe(volume.voxels[Symbol.toStringTag].toLowerCase());
    expect(Array.from(image.data)).toEqual(Array.from(volume.voxels));
    for (let row = 0; row < 3; row++) {
      // ITK's world is L-P-S.
      const sign = row < 2 ? -1 : 1;
      const columns = [0, 1, 2].map((axis) => sign * image.direction[row * 3 + axis] * image.spacing[axis]);
      for (const [column, value] of [...columns, sign * image.origin[row]].entries()) {
        expect(Math.abs(value - volume.affine[row * 4 + column]), `affine[${row}][${column}]`).toBeLessThan(1e-9);
      }
    }
  }

  describe.each(['nrrd', 'metaimage'] as const)('%s', (format) => {
    it.each(arrays.map((array) => [array.name, array] as const))('voxels of %s', async (_name, array) => {
      const voxels = new array(60).map((_, i) => i * 3 + (i % 2 === 0 ? 0 : -1)) as Volume['voxels'];
      const volume: Volume = { voxels, size: [5, 4, 3], affine: places[0][1] };
      const path = volumePath(join(folder, array.name), format);
      await writeVolume(path, volume, { description: 'quickcolumn' });
      await expectItkAgrees(path, volume);
    });

    it.each(places)('%s', async (title, affine) => {
      const volume: Volume = { voxels: Uint8Array.from({ length: 24 }, (_, i) => i % 5), size: [4, 3, 2], affine };
      const path = volumePath(join(folder, title.replaceAll(/\W/g, '-')), format);
      await writeVolume(path, volume);
      await expectItkAgrees(path, volume);
    });
  });

  it('a mask like a NRRD scan with spacings alone lies where ITK sees the scan', async () => {
    const scanPath = join(import.meta.dirname, '../golden/volumes/nrrd-spacings.nrrd');
    const { size, affine, properties } = await readVolume(scanPath, { assume: { orientation: 'LPS' } });
    const path = join(folder, 'like.nrrd');
    await writeVolume(path, { voxels: new Uint8Array(60), size, affine }, { like: properties });
    const [mask, scan] = [await readImage(path), await readImage(scanPath)];
    expect({ origin: mask.origin, spacing: mask.spacing, direction: Array.from(mask.direction) }).toEqual({
      origin: scan.origin,
      spacing: scan.spacing,
      direction: Array.from(scan.direction),
    });
  });
});
