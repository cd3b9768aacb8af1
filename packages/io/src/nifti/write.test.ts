/** Writing: what is written is read back to the bit, with the scan's own orientation fields. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Affine, Volume } from '@quickcolumn/volume';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVolume, writeVolume } from '../index.js';
import { affineOf, affines, anyShear, noShear, volumes } from '../volumes/volumes.test.helpers.js';
import { niftiBytes, parseNifti, readNiftiFile } from './nifti.test.helpers.js';

const golden = fileURLToPath(new URL('../golden/', import.meta.url));
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const toFloat32 = (affine: Affine): number[] => affine.map(Math.fround);

describe('round trips', () => {
  it('NIfTI-1 and NIfTI-2 in memory keep voxels to the bit and the affine to the precision of the header', async () => {
    await fc.assert(
      fc.asyncProperty(volumes(anyShear), fc.constantFrom(1 as const, 2 as const), async (volume, version) => {
        const { volume: back, header } = await parseNifti(niftiBytes(volume, { version }));
        expect(back.size).toEqual(volume.size);
        expect(back.voxels.constructor).toBe(volume.voxels.constructor);
        expect(new Uint8Array(back.voxels.buffer)).toEqual(new Uint8Array(volume.voxels.buffer));
        expect(back.affine).toEqual(version === 1 ? toFloat32(volume.affine) : volume.affine);
        expect(header.version).toBe(version);
      }),
      { numRuns: 200 },
    );
  });

  it('the qform of a rigid affine says the same as the sform', async () => {
    await fc.assert(
      fc.asyncProperty(affines(noShear), async (affine) => {
        const bytes = niftiBytes({ voxels: new Uint8Array(1), size: [1, 1, 1], affine }, { version: 1 });
        new DataView(bytes.buffer).setInt16(254, 0, true);
        const { header } = await parseNifti(bytes);
        expect(header.affineSource).toBe('qform');
        const error = Math.max(...header.affine.map((value, i) => Math.abs(value - affine[i])));
        // The file keeps b, c, d; a is what is left to 1, so near 180° (a ≈ 0) float32 loses half its digits.
        const a = Math.sqrt(Math.max(0, 1 - header.quatern.reduce((sum, q) => sum + q * q, 0)));
        expect(error).toBeLessThan(5e-5 + 12 * Math.min(1e-3, 2e-7 / a));
      }),
      { numRuns: 500 },
    );
  });

  it('a sheared affine is written as sform alone', async () => {
    const affine = affineOf([0.1, 0.2, 0.3], [1, 1, 2], [0, 0, 0], 0.2);
    const { header } = await parseNifti(niftiBytes({ voxels: new Uint8Array(1), size: [1, 1, 1], affine }));
    expect([header.sformCode, header.qformCode]).toEqual([1, 0]);
  });

  it.each([
    'nifti-qform.nii',
    'nifti-sform-over-qform.nii',
    'nifti-quaternion-180.nii',
    'nifti-v2.nii',
    'nifti-int16-big.nii',
  ])('a result written like %s keeps its orientation fields to the bit', async (file) => {
    const scan = await readVolume(golden + file);
    const path = join(folder, `like-${file}.gz`);
    const voxels = Uint8Array.from(scan.voxels, (value) => value & 3);
    await writeVolume(path, { voxels, size: scan.size, affine: scan.affine }, { like: scan.properties });
    const { volume, header } = await readNiftiFile(path);
    const { header: scanHeader } = await readNiftiFile(golden + file);
    expect(volume).toEqual({ voxels, size: scan.size, affine: scan.affine });
    for (const field of ['sformCode', 'qformCode', 'pixdim', 'quatern', 'qoffset', 'srow', 'xyztUnits'] as const) {
      expect(header[field], field).toEqual(scanHeader[field]);
    }
  });

  it('another affine than that of `like` is written as it is', async () => {
    const { header: like } = await readNiftiFile(`${golden}nifti-qform.nii`);
    const affine = [-2, 0, 0, 1, 0, -2, 0, 2, 0, 0, 2, 3, 0, 0, 0, 1];
    const { volume } = await parseNifti(niftiBytes({ voxels: new Uint8Array(1), size: [1, 1, 1], affine }, { like }));
    expect(volume.affine).toEqual(affine);
  });

  it('larger than one chunk, compressed and not; the description is kept', async () => {
    const voxels = Int16Array.from({ length: 128 * 128 * 70 }, (_, i) => (Math.imul(i, 2654435761) >>> 16) - 32768);
    const volume: Volume = { voxels, size: [128, 128, 70], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
    for (const name of ['large.nii', 'large.nii.gz']) {
      await writeVolume(join(folder, name), volume, { description: 'Quickcolumn' });
      const { volume: back, header } = await readNiftiFile(join(folder, name));
      expect(Buffer.compare(Buffer.from(back.voxels.buffer), Buffer.from(voxels.buffer))).toBe(0);
      expect(header.description).toBe('Quickcolumn');
    }
  });
});

describe('refusals', () => {
  const volume: Volume = {
    voxels: new Uint8Array(8),
    size: [2, 2, 2],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  };

  it.each([
    ['count.nii', { ...volume, voxels: new Uint8Array(7) }, 'voxels'],
    ['size.nii', { ...volume, voxels: new Uint8Array(40000), size: [40000, 1, 1] as const }, 'dim[1]'],
    ['affine.nii', { ...volume, affine: volume.affine.map(() => NaN) }, 'affine'],
    ['singular.nii', { ...volume, affine: volume.affine.map(() => 1) }, 'affine'],
  ])('%s', async (name, bad, field) => {
    await expect(writeVolume(join(folder, name), bad)).rejects.toMatchObject({ code: 'nifti', field });
  });
});
