/** Files as a browser gives them: the same volumes as from disk, the same errors by class and field, the same bounds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blobStore } from '../files/blob-store.js';
import type { Volume } from '@quickcolumn/volume';
import { encodeVolumeBlob, NiftiError, readLabels, readLabelsBlobs, readVolume, readVolumeBlobs } from '../index.js';
import { niftiBytes } from '../nifti/nifti.test.helpers.js';

const golden = join(import.meta.dirname, '../golden');
const volumes = join(golden, 'volumes');
const fileOf = (name: string, bytes: Uint8Array): File => new File([Uint8Array.from(bytes)], name);
const fromDisk = (folder: string, name: string): File => fileOf(name, readFileSync(join(folder, name)));
const raw = readdirSync(volumes).filter((name) => /\.(raw|zraw|gz)$/.test(name));

const volume: Volume = {
  voxels: Int16Array.from({ length: 4000 }, (_, i) => (i * 7919) % 2000),
  size: [20, 20, 10],
  affine: [-1, 0, 0, 5, 0, 2, 0, -6, 0, 0, 3, 7, 0, 0, 0, 1],
};
const scan = niftiBytes(volume);

describe('the same volume as from disk', () => {
  it.each(readdirSync(golden).filter((name) => /\.(nii(\.gz)?|hdr)$/.test(name)))('%s', async (name) => {
    const files = name.endsWith('.hdr')
      ? [fromDisk(golden, name.replace(/hdr$/, 'img')), fromDisk(golden, name)]
      : fromDisk(golden, name);
    expect(await readVolumeBlobs(files)).toEqual(await readVolume(join(golden, name)));
  });

  it.each(readdirSync(volumes).filter((name) => /\.(nrrd|nhdr|mha|mhd)$/.test(name)))('%s', async (name) => {
    const detached = /\.(nhdr|mhd)$/.test(name);
    const files = [fromDisk(volumes, name), ...(detached ? raw.map((file) => fromDisk(volumes, file)) : [])];
    const options = { assume: { orientation: 'LPS' } };
    expect(await readVolumeBlobs(files, options)).toEqual(await readVolume(join(volumes, name), options));
  });

  it('a pair, whichever part comes first, each compressed or not', async () => {
    const pair = scan.slice();
    pair.set(new TextEncoder().encode('ni1'), 344);
    const header = pair.slice(0, 352);
    new DataView(header.buffer).setFloat32(108, 0, true);
    const image = pair.slice(352);
    const { voxels } = await readVolumeBlobs([fileOf('a.img.gz', gzipSync(image)), fileOf('a.hdr', header)]);
    expect(voxels).toEqual(volume.voxels);
    expect((await readVolumeBlobs([fileOf('a.hdr.gz', gzipSync(header)), fileOf('a.img', image)])).voxels).toEqual(
      volume.voxels,
    );
    await expect(readVolumeBlobs(fileOf('a.hdr', header))).rejects.toMatchObject({
      code: 'nifti',
      fields: { field: 'file' },
    });
  });

  it('labels are whole numbers, from whatever type', async () => {
    const labels = {
      voxels: Float32Array.of(0, 1, 3, 2),
      size: [2, 2, 1] as const,
      affine: volume.affine,
    };
    const bytes = niftiBytes(labels);
    expect((await readLabelsBlobs(fileOf('a.nii', bytes))).voxels).toEqual(Uint8Array.of(0, 1, 3, 2));
  });

  it('what is written is read again', async () => {
    const blob = await encodeVolumeBlob(volume, 'mask.nii.gz');
    expect([...new Uint8Array(await blob.arrayBuffer(), 0, 2)]).toEqual([0x1f, 0x8b]);
    const again = await readVolumeBlobs(new File([blob], 'mask.nii.gz'));
    expect(again.voxels).toEqual(volume.voxels);
    expect(again.affine).toEqual(volume.affine);
  });
});

describe('damaged files', () => {
  const zipped = gzipSync(scan);
  const flipped = Uint8Array.from(zipped);
  flipped[flipped.length - 5] ^= 1;
  const cases: readonly (readonly [title: string, name: string, field: string, bytes: Uint8Array])[] = [
    ['empty', 'a.nii', 'file', new Uint8Array(0)],
    ['cut', 'a.nii', 'voxels', scan.slice(0, 3000)],
    ['cut while compressed', 'a.nii.gz', 'gzip', zipped.slice(0, zipped.length - 100)],
    ['wrong checksum', 'a.nii.gz', 'gzip', flipped],
    ['not compressed', 'a.nii.gz', 'gzip', scan],
    ['no NIfTI', 'a.nii', 'sizeof_hdr', new Uint8Array(1000).fill(65)],
  ];
  it.each(cases)('%s', async (_title, name, field, bytes) => {
    const error = await readVolumeBlobs(fileOf(name, bytes)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(NiftiError);
    expect(error).toMatchObject({ code: 'nifti', fields: { path: name, field } });
  });

  it('cut while compressed is called truncated', async () => {
    await expect(readVolumeBlobs(fileOf('a.nii.gz', zipped.slice(0, -100)))).rejects.toThrow(
      /end too early \(truncated\)/,
    );
  });

  it('a bomb is decompressed a little behind its voxels, not to its end', async () => {
    let given = 0;
    const bomb = fileOf('a.nii.gz', gzipSync(Buffer.concat([scan, Buffer.alloc(2 ** 28)])));
    const store = blobStore([bomb]);
    await store.open('a.nii.gz', Error, async (source) => {
      for await (const chunk of source.inflate(0, Number.POSITIVE_INFINITY, 'gzip')) {
        given += chunk.length;
        if (given > 2 ** 20) break;
      }
    });
    expect(given).toBeLessThan(2 ** 26);
    expect((await readVolumeBlobs(bomb)).voxels).toHaveLength(4000);
  });

  it('says which files belong together', async () => {
    await expect(readVolumeBlobs([fileOf('a.nii', scan), fileOf('b.nii', scan)])).rejects.toMatchObject({
      code: 'usage',
    });
    const header = fromDisk(volumes, 'nrrd-detached.nhdr');
    await expect(readVolumeBlobs(header)).rejects.toMatchObject({ code: 'nrrd', fields: { field: 'data file' } });
  });

  it('the limit of bytes holds', async () => {
    await expect(readVolumeBlobs(fileOf('a.nii', scan), { maxBytes: 100 })).rejects.toThrow(
      /more than the limit of 100/,
    );
  });

  it('a file of no known name is refused', async () => {
    await expect(readVolumeBlobs(fileOf('scan.txt', scan))).rejects.toThrow(/unknown kind of file/);
    await expect(readLabels('scan.txt')).rejects.toThrow(/unknown kind of file/);
  });
});
