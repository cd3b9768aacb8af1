/** Writing: what is written is read back to the bit, with the scan's own orientation fields. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Affine, Size3, Volume, VoxelArray } from '@quickcolumn/volume';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNifti, parseNifti, readNifti, readVolume, writeNifti } from './index.js';

const golden = fileURLToPath(new URL('./golden/', import.meta.url));
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const arrays = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];

const sizes: fc.Arbitrary<Size3> = fc.tuple(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
);
const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
const spacing = fc.double({ min: 0.2, max: 6, noNaN: true });
const coordinate = fc.double({ min: -500, max: 500, noNaN: true });

/** A rotation about x, y and z times voxel sizes (one may be mirrored), plus shear of the second axis. */
function affineOf(angles: readonly number[], mm: readonly number[], origin: readonly number[], shear: number): Affine {
  const [[cx, cy, cz], [sx, sy, sz]] = [angles.map(Math.cos), angles.map(Math.sin)];
  const r = [
    [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
    [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
    [-sy, sx * cy, cx * cy],
  ];
  const rows = r.map(([x, y, z], i) => [x * mm[0], (y + shear * x) * mm[1], z * mm[2], origin[i]]);
  return [...rows.flat(), 0, 0, 0, 1];
}

const affines = (shear: fc.Arbitrary<number>): fc.Arbitrary<Affine> =>
  fc
    .tuple(
      fc.tuple(angle, angle, angle),
      fc.tuple(spacing, spacing, spacing),
      fc.tuple(coordinate, coordinate, coordinate),
      shear,
      fc.boolean(),
    )
    .map(([angles, [x, y, z], origin, s, mirror]) => affineOf(angles, [mirror ? -x : x, y, z], origin, s));

const volumes: fc.Arbitrary<Volume> = fc
  .tuple(sizes, fc.constantFrom(...arrays), affines(fc.double({ min: -0.8, max: 0.8, noNaN: true })), fc.integer())
  .map(([size, array, affine, seed]) => {
    let state = seed | 1;
    const raw = new Uint8Array(size[0] * size[1] * size[2] * array.BYTES_PER_ELEMENT);
    for (let i = 0; i < raw.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      raw[i] = state >>> 24;
    }
    const voxels: VoxelArray = new array(raw.buffer);
    return { voxels, size, affine };
  });

const toFloat32 = (affine: Affine): number[] => affine.map(Math.fround);

describe('round trips', () => {
  it('NIfTI-1 and NIfTI-2 in memory keep voxels to the bit and the affine to the precision of the header', () => {
    fc.assert(
      fc.property(volumes, fc.constantFrom(1 as const, 2 as const), (volume, version) => {
        const { volume: back, header } = parseNifti(encodeNifti(volume, 'x', { version }), 'x');
        expect(back.size).toEqual(volume.size);
        expect(back.voxels.constructor).toBe(volume.voxels.constructor);
        expect(new Uint8Array(back.voxels.buffer)).toEqual(new Uint8Array(volume.voxels.buffer));
        expect(back.affine).toEqual(version === 1 ? toFloat32(volume.affine) : volume.affine);
        expect(header.version).toBe(version);
      }),
      { numRuns: 200 },
    );
  });

  it('the qform of a rigid affine says the same as the sform', () => {
    fc.assert(
      fc.property(affines(fc.constant(0)), (affine) => {
        const bytes = encodeNifti({ voxels: new Uint8Array(1), size: [1, 1, 1], affine }, 'x', { version: 1 });
        new DataView(bytes.buffer).setInt16(254, 0, true);
        const { header } = parseNifti(bytes, 'x');
        expect(header.affineSource).toBe('qform');
        const error = Math.max(...header.affine.map((value, i) => Math.abs(value - affine[i])));
        // The file keeps b, c, d; a is what is left to 1, so near 180° (a ≈ 0) float32 loses half its digits.
        const a = Math.sqrt(Math.max(0, 1 - header.quatern.reduce((sum, q) => sum + q * q, 0)));
        expect(error).toBeLessThan(5e-5 + 12 * Math.min(1e-3, 2e-7 / a));
      }),
      { numRuns: 500 },
    );
  });

  it('a sheared affine is written as sform alone', () => {
    const affine = affineOf([0.1, 0.2, 0.3], [1, 1, 2], [0, 0, 0], 0.2);
    const { header } = parseNifti(encodeNifti({ voxels: new Uint8Array(1), size: [1, 1, 1], affine }, 'x'), 'x');
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
    await writeNifti(path, { voxels, size: scan.size, affine: scan.affine }, { like: scan.header });
    const { volume, header } = await readNifti(path);
    expect(volume).toEqual({ voxels, size: scan.size, affine: scan.affine });
    for (const field of ['sformCode', 'qformCode', 'pixdim', 'quatern', 'qoffset', 'srow', 'xyztUnits'] as const) {
      expect(header[field], field).toEqual(scan.header?.[field]);
    }
  });

  it('another affine than that of `like` is written as it is', () => {
    const like = parseNifti(readFileSync(`${golden}nifti-qform.nii`), 'like').header;
    const affine = [-2, 0, 0, 1, 0, -2, 0, 2, 0, 0, 2, 3, 0, 0, 0, 1];
    const { volume } = parseNifti(
      encodeNifti({ voxels: new Uint8Array(1), size: [1, 1, 1], affine }, 'x', { like }),
      'x',
    );
    expect(volume.affine).toEqual(affine);
  });

  it('larger than one chunk, compressed and not; the description is kept', async () => {
    const voxels = Int16Array.from({ length: 128 * 128 * 70 }, (_, i) => (Math.imul(i, 2654435761) >>> 16) - 32768);
    const volume: Volume = { voxels, size: [128, 128, 70], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
    for (const name of ['large.nii', 'large.nii.gz']) {
      await writeNifti(join(folder, name), volume, { description: 'Quickcolumn' });
      const { volume: back, header } = await readNifti(join(folder, name));
      expect(Buffer.compare(Buffer.from(back.voxels.buffer), Buffer.from(voxels.buffer))).toBe(0);
      expect(header.description).toBe('Quickcolumn');
    }
  });

  it('a view into a larger buffer is written as the view', async () => {
    const voxels = new Int16Array(12).map((_, i) => i).subarray(2, 10);
    const path = join(folder, 'view.nii');
    await writeNifti(path, { voxels, size: [2, 2, 2], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] });
    expect(Array.from((await readVolume(path)).voxels)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('refusals', () => {
  const volume: Volume = {
    voxels: new Uint8Array(8),
    size: [2, 2, 2],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  };

  it('an existing file is kept unless forced', async () => {
    const path = join(folder, 'exists.nii.gz');
    writeFileSync(path, 'mine');
    await expect(writeNifti(path, volume)).rejects.toMatchObject({ code: 'nifti', path, field: 'file' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    await writeNifti(path, volume, { force: true });
    expect((await readVolume(path)).size).toEqual([2, 2, 2]);
  });

  it.each([
    ['wrong.img', volume, 'file'],
    ['count.nii', { ...volume, voxels: new Uint8Array(7) }, 'voxels'],
    ['size.nii', { ...volume, voxels: new Uint8Array(40000), size: [40000, 1, 1] as const }, 'dim[1]'],
    ['affine.nii', { ...volume, affine: volume.affine.map(() => NaN) }, 'affine'],
    ['singular.nii', { ...volume, affine: volume.affine.map(() => 1) }, 'affine'],
  ])('%s', async (name, bad, field) => {
    await expect(writeNifti(join(folder, name), bad)).rejects.toMatchObject({ code: 'nifti', field });
  });

  it('a folder that does not exist: FileError, and no temporary file stays anywhere', async () => {
    await expect(writeNifti(join(folder, 'none', 'a.nii.gz'), volume)).rejects.toMatchObject({ code: 'file-write' });
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  });
});
