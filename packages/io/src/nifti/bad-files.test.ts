/** Damaged and unsupported files: each gives a NiftiError that names the file and the field. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Volume } from '@quickcolumn/volume';
import { NiftiError } from '../index.js';
import { niftiBytes, readNiftiFile } from './nifti.test.helpers.js';

const wanted: Volume = {
  voxels: Int16Array.from({ length: 4000 }, (_, i) => (i * 7919) % 2000),
  size: [20, 20, 10],
  affine: [-1, 0, 0, 5, 0, 2, 0, -6, 0, 0, 3, 7, 0, 0, 0, 1],
};
const good = niftiBytes(wanted);
const good2 = niftiBytes(wanted, { version: 2 });

/** A copy of a good file with changes to its header. */
function changed(change: (view: DataView) => void, from: Uint8Array = good): Uint8Array {
  const copy = from.slice();
  change(new DataView(copy.buffer));
  return copy;
}

function short(at: number, value: number): Uint8Array {
  return changed((view) => view.setInt16(at, value, true));
}

function real(at: number, value: number): Uint8Array {
  return changed((view) => view.setFloat32(at, value, true));
}

const zeroColumn = changed((view) => [280, 296, 312].forEach((at) => view.setFloat32(at, 0, true)));
const absurd = changed((view) => [42, 44, 46].forEach((at) => view.setInt16(at, 32767, true)));
const absurd2 = changed((view) => [24, 32, 40].forEach((at) => view.setBigInt64(at, 2n ** 40n, true)), good2);
const zipped = gzipSync(good);
const inexact = changed((view) => {
  view.setInt16(70, 1024, true);
  view.setInt16(46, 1, true);
  view.setBigInt64(352, 2n ** 53n + 1n, true);
});
const qformOnly = (q: readonly number[]): Uint8Array =>
  changed((view) => {
    view.setInt16(254, 0, true);
    q.forEach((value, i) => view.setFloat32(256 + 4 * i, value, true));
  });

const cases: readonly (readonly [title: string, file: string, field: string, bytes: Uint8Array])[] = [
  ['empty', 'a.nii', 'file', new Uint8Array(0)],
  ['three bytes', 'a.nii', 'header', good.slice(0, 3)],
  ['header cut', 'a.nii', 'header', good.slice(0, 200)],
  ['header of version 2 cut', 'a.nii', 'header', good2.slice(0, 400)],
  ['not NIfTI', 'a.nii', 'sizeof_hdr', new Uint8Array(1000).fill(65)],
  ['no magic', 'a.nii', 'magic', changed((view) => view.setInt32(344, 0, true))],
  ['wrong magic', 'a.nii', 'magic', changed((view) => view.setInt32(344, 0x41424344, true))],
  ['header of a pair named .nii', 'a.nii', 'magic', changed((view) => view.setUint8(345, 0x69))],
  ['no axes', 'a.nii', 'dim[0]', short(40, 0)],
  ['eight axes', 'a.nii', 'dim[0]', short(40, 8)],
  ['zero size', 'a.nii', 'dim[2]', short(44, 0)],
  ['negative size', 'a.nii', 'dim[3]', short(46, -5)],
  ['4D', 'a.nii', 'dim[4]', changed((view) => [40, 48].forEach((at) => view.setInt16(at, 4, true)))],
  ['absurd size', 'a.nii', 'dim', absurd],
  ['absurd size, version 2', 'a.nii', 'dim', absurd2],
  ['absurd size, gzip', 'a.nii.gz', 'dim', gzipSync(absurd)],
  ['RGB', 'a.nii', 'datatype', short(70, 128)],
  ['complex', 'a.nii', 'datatype', short(70, 32)],
  ['float128', 'a.nii', 'datatype', short(70, 1536)],
  ['unknown type', 'a.nii', 'datatype', short(70, 77)],
  ['NaN in the sform', 'a.nii', 'srow', real(280, NaN)],
  ['infinite sform', 'a.nii', 'srow', real(292, Infinity)],
  ['singular sform', 'a.nii', 'srow', zeroColumn],
  ['impossible quaternion', 'a.nii', 'quatern', qformOnly([3, 0, 0])],
  ['NaN quaternion', 'a.nii', 'quatern', qformOnly([NaN, 0, 0])],
  [
    'zero voxel size in the qform',
    'a.nii',
    'qform (pixdim, quatern, qoffset)',
    changed((view) => {
      view.setInt16(254, 0, true);
      view.setFloat32(80, 0, true);
    }),
  ],
  [
    'NaN voxel size, no orientation',
    'a.nii',
    'qform_code, sform_code',
    changed((view) => {
      view.setInt32(252, 0, true);
      view.setFloat32(84, NaN, true);
    }),
  ],
  ['offset inside the header', 'a.nii', 'vox_offset', real(108, 100)],
  ['offset NaN', 'a.nii', 'vox_offset', real(108, NaN)],
  ['offset far past the end, gzip', 'a.nii.gz', 'vox_offset', gzipSync(real(108, 1e9))],
  ['offset past the end', 'a.nii', 'voxels', real(108, 1e6)],
  [
    'intercept NaN',
    'a.nii',
    'scl_inter',
    changed((view) => {
      view.setFloat32(112, 2, true);
      view.setFloat32(116, NaN, true);
    }),
  ],
  ['64-bit integer that no double holds', 'a.nii', 'voxels', inexact],
  ['one byte short', 'a.nii', 'voxels', good.slice(0, -1)],
  ['short, gzip', 'a.nii.gz', 'voxels', gzipSync(good.slice(0, -1))],
  [
    'far too short, gzip',
    'a.nii.gz',
    'voxels',
    gzipSync(
      changed((view) => {
        [42, 44, 46].forEach((at) => view.setInt16(at, 1000, true));
      }),
    ),
  ],
  ['gzip cut in the header', 'a.nii.gz', 'gzip', zipped.subarray(0, 30)],
  ['gzip cut in the voxels', 'a.nii.gz', 'gzip', zipped.subarray(0, zipped.length - 100)],
  ['gzip cut in the checksum', 'a.nii.gz', 'gzip', zipped.subarray(0, zipped.length - 3)],
  ['gzip with a wrong checksum', 'a.nii.gz', 'gzip', flipped(zipped, zipped.length - 7)],
  ['gzip with a damaged middle', 'a.nii.gz', 'gzip', flipped(zipped, zipped.length >> 1)],
  ['not gzip, named .gz', 'a.nii.gz', 'gzip', good],
];

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] ^= 0xff;
  return copy;
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function failure(path: string, options?: { maxBytes: number }): Promise<unknown> {
  return await readNiftiFile(path, options).catch((error: unknown) => error);
}

describe('bad files', () => {
  it.each(cases)('%s', async (_title, file, field, bytes) => {
    const path = join(folder, file);
    writeFileSync(path, bytes);
    const error = await failure(path);
    expect(error).toBeInstanceOf(NiftiError);
    expect(error).toMatchObject({ code: 'nifti', path, field });
    expect((error as Error).message).toContain(`${path}: ${field}: `);
  });

  it('an absurd header costs no memory', async () => {
    const path = join(folder, 'absurd.nii.gz');
    // 1.9 GB promised, below the limit, but more than so small a gzip file can ever expand to.
    writeFileSync(path, gzipSync(changed((view) => [42, 44, 46].forEach((at) => view.setInt16(at, 980, true)))));
    const before = process.memoryUsage().arrayBuffers;
    expect(await failure(path)).toMatchObject({ field: 'voxels' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64e6);
  });

  it('missing files, folders and unknown names', async () => {
    expect(await failure(join(folder, 'none.nii'))).toMatchObject({ code: 'nifti', field: 'file' });
    expect(await failure(join(folder, 'none.hdr'))).toMatchObject({ field: 'file' });
    mkdirSync(join(folder, 'folder.nii'));
    expect(await failure(join(folder, 'folder.nii'))).toMatchObject({ field: 'file' });
  });

  it('the image part of a pair is missing or short', async () => {
    const header = changed((view) => {
      view.setUint8(345, 0x69);
      view.setFloat32(108, 0, true);
    }).slice(0, 348);
    const path = join(folder, 'pair.hdr');
    writeFileSync(path, header);
    expect(await failure(path)).toMatchObject({ path, field: 'file' });
    writeFileSync(join(folder, 'pair.img'), good.slice(352, -2));
    expect(await failure(path)).toMatchObject({ path: join(folder, 'pair.img'), field: 'voxels' });
    writeFileSync(join(folder, 'pair.img'), good.slice(352));
    expect((await readNiftiFile(path)).volume).toEqual(wanted);
  });

  it('maxBytes is respected, also for what scaling needs', async () => {
    const path = join(folder, 'limit.nii');
    writeFileSync(path, good);
    expect(await failure(path, { maxBytes: 7999 })).toMatchObject({ field: 'dim' });
    expect(await failure(path, { maxBytes: 8000 })).toHaveProperty('volume');
    writeFileSync(path, real(112, 0.5));
    expect(await failure(path, { maxBytes: 8000 })).toMatchObject({ field: 'dim' });
  });
});

describe('odd but good files', () => {
  it('gzip content without .gz, extra bytes, two gzip members, offset 0', async () => {
    const path = join(folder, 'odd.nii');
    const joined = Buffer.concat([gzipSync(good.slice(0, 3000)), gzipSync(good.slice(3000))]);
    for (const bytes of [zipped, Buffer.concat([good, new Uint8Array(99)]), joined, real(108, 0)]) {
      writeFileSync(path, bytes);
      expect((await readNiftiFile(path)).volume).toEqual(wanted);
    }
  });
});
