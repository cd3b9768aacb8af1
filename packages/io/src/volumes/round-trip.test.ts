/** Every format: what is written is read back with the same voxels, size and place; on disk and as a Blob. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Affine, Volume } from '@quickcolumn/volume';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeVolumeBlob,
  type FileVolume,
  readVolume,
  readVolumeBlobs,
  type VolumeFormatName,
  volumeFormatNames,
  volumePath,
  writeVolume,
} from '../index.js';
import { affineOf, anyShear, noShear, volumes } from './volumes.test.helpers.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Kept {
  readonly of: (affine: Affine) => Affine;
  /** Of the largest number in the affine. */
  readonly relative: number;
}

/** What is left of an affine where the file has other numbers: NIfTI-1 has float32, MetaImage lengths and directions. */
const kept: Partial<Record<VolumeFormatName, Kept>> = {
  nifti: { of: (affine) => affine.map(Math.fround), relative: 0 },
  metaimage: { of: (affine) => affine, relative: 1e-15 },
};
const exact: Kept = { of: (affine) => affine, relative: 0 };

function expectSame(back: FileVolume, volume: Volume, format: VolumeFormatName): void {
  expect(back.format).toBe(format);
  expect(back.size).toEqual(volume.size);
  expect(back.voxels.constructor).toBe(volume.voxels.constructor);
  // Bytes: -0 and every NaN as they were.
  expect(new Uint8Array(back.voxels.buffer)).toEqual(new Uint8Array(volume.voxels.buffer));
  const { of, relative } = kept[format] ?? exact;
  const largest = Math.max(...volume.affine.map(Math.abs));
  for (const [i, value] of of(volume.affine).entries()) {
    expect(Math.abs(back.affine[i] - value), `affine[${i}]`).toBeLessThanOrEqual(relative * largest);
  }
}

describe.each(volumeFormatNames)('%s', (format) => {
  const shear = format === 'metaimage' ? noShear : anyShear;

  it('keeps oblique, mirrored and anisotropic volumes of every type on disk', async () => {
    await fc.assert(
      fc.asyncProperty(volumes(shear), async (volume) => {
        const path = volumePath(join(folder, 'a'), format);
        await writeVolume(path, volume, { force: true });
        expectSame(await readVolume(path), volume, format);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps them as a Blob', async () => {
    await fc.assert(
      fc.asyncProperty(volumes(shear), async (volume) => {
        const name = volumePath('a', format);
        const blob = await encodeVolumeBlob(volume, name);
        expectSame(await readVolumeBlobs(new File([blob], name)), volume, format);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps place and properties from a scan to its mask', async () => {
    await fc.assert(
      fc.asyncProperty(volumes(shear), async (volume) => {
        const name = volumePath('mask', format);
        const read = async (blob: Blob): Promise<FileVolume> => await readVolumeBlobs(new File([blob], name));
        const first = await read(await encodeVolumeBlob(volume, name));
        const mask = await read(await encodeVolumeBlob(first, name, { like: first.properties }));
        expect(mask.affine).toEqual(first.affine);
        expect(mask.properties).toEqual(first.properties);
      }),
      { numRuns: 100 },
    );
  });

  it('is larger than one chunk', async () => {
    const voxels = Int16Array.from({ length: 128 * 128 * 70 }, (_, i) => (Math.imul(i, 2654435761) >>> 16) - 32768);
    const volume: Volume = { voxels, size: [128, 128, 70], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
    const path = volumePath(join(folder, 'large'), format);
    await writeVolume(path, volume);
    const { voxels: back } = await readVolume(path);
    expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(voxels.buffer))).toBe(0);
  });

  it('properties of another format change nothing', async () => {
    const [other] = volumeFormatNames.filter((name) => name !== format);
    const affine = affineOf([0.1, 0.2, 0.3], [-1, 1, 2], [5, 6, 7], 0);
    const volume: Volume = { voxels: new Uint8Array(8), size: [2, 2, 2], affine };
    await writeVolume(volumePath(join(folder, 'other'), other), volume, { description: 'of another', force: true });
    const { properties } = await readVolume(volumePath(join(folder, 'other'), other));
    const [plain, like] = await Promise.all(
      [{}, { like: properties }].map(async (options) => {
        const blob = await encodeVolumeBlob(volume, volumePath('a', format), options);
        return Buffer.from(await blob.arrayBuffer());
      }),
    );
    expect(like.equals(plain)).toBe(true);
  });

  it('properties are plain data: they survive a worker and JSON', async () => {
    const affine = affineOf([0.1, 0.2, 0.3], [-1, 1, 2], [5, 6, 7], 0);
    const path = volumePath(join(folder, 'plain'), format);
    await writeVolume(path, { voxels: new Uint8Array(8), size: [2, 2, 2], affine });
    const { properties } = await readVolume(path);
    expect(structuredClone(properties)).toEqual(properties);
    expect(JSON.parse(JSON.stringify(properties))).toEqual(properties);
  });
});

it('MetaImage refuses sheared volumes and says what holds them', async () => {
  const affine = affineOf([0.1, 0.2, 0.3], [1, 1, 2], [0, 0, 0], 0.01);
  const path = join(folder, 'sheared.mha');
  await expect(writeVolume(path, { voxels: new Uint8Array(1), size: [1, 1, 1], affine })).rejects.toMatchObject({
    code: 'metaimage',
    fields: { path, field: 'TransformMatrix' },
    message: expect.stringMatching(/not at right angles.*write NRRD or NIfTI/) as string,
  });
});
