/** What writing refuses, for every format, and what stays on the disk then. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Volume } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeVolumeBlob,
  disagreementDescription,
  isResultDescription,
  labelsDescription,
  probabilityDescription,
  readVolume,
  summarizeVolume,
  volumeFormatNames,
  volumePath,
  writeVolume,
} from '../index.js';
import { formatToWrite } from './formats.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const volume: Volume = {
  voxels: new Uint8Array(8),
  size: [2, 2, 2],
  affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
};

describe.each(volumeFormatNames)('%s', (format) => {
  const { code } = formatToWrite(volumePath('a', format)).refuse('a', 'file', 'a problem');

  it('keeps an existing file unless forced', async () => {
    const path = volumePath(join(folder, 'exists'), format);
    writeFileSync(path, 'mine');
    await expect(writeVolume(path, volume)).rejects.toMatchObject({ code, fields: { path, field: 'file' } });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    await writeVolume(path, volume, { force: true });
    expect((await readVolume(path)).size).toEqual([2, 2, 2]);
  });

  it.each([
    ['a wrong number of voxels', { ...volume, voxels: new Uint8Array(7) }, /7 values for 2×2×2 voxels/],
    ['a size that is none', { ...volume, size: [2, 2, 2.5] as const }, /2\.5; .* stores sizes from 1/],
    ['an affine with NaN', { ...volume, affine: volume.affine.map(() => NaN) }, /affine: .*non-finite/],
    ['a singular affine', { ...volume, affine: volume.affine.map(() => 1) }, /affine: .*singular/],
    ['a short affine', { ...volume, affine: [1] }, /affine: 1 numbers; expected 16/],
  ])('refuses %s', async (_title, bad, message) => {
    const path = volumePath(join(folder, 'bad'), format);
    await expect(writeVolume(path, bad)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    await expect(encodeVolumeBlob(bad, path)).rejects.toMatchObject({ code });
  });

  it('a folder that does not exist: FileError, and no temporary file stays anywhere', async () => {
    const path = volumePath(join(folder, 'none', 'a'), format);
    await expect(writeVolume(path, volume)).rejects.toMatchObject({ code: 'file-write' });
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  it('tells size and description by its header alone', async () => {
    const path = volumePath(join(folder, 'header'), format);
    const large = {
      ...volume,
      voxels: new Uint8Array(128 ** 3).map((_, i) => Math.imul(i, 2654435761) >>> 24),
      size: [128, 128, 128] as const,
    };
    await writeVolume(path, large, { description: labelsDescription });
    // Half of the voxels are gone: nothing but the header is read.
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length / 2));
    const { size, description = labelsDescription } = await summarizeVolume(path);
    expect(size).toEqual([128, 128, 128]);
    expect(isResultDescription(description)).toBe(true);
    await expect(readVolume(path)).rejects.toMatchObject({ code });
    writeFileSync(path, '');
    await expect(summarizeVolume(path)).rejects.toMatchObject({ code });
  });

  it('is read with progress, and no further after a signal', async () => {
    const path = volumePath(join(folder, 'watched'), format);
    const voxels = new Uint8Array(160 ** 3);
    await writeVolume(path, { ...volume, voxels, size: [160, 160, 160] });
    const seen: number[] = [];
    const read = await readVolume(path, { onProgress: (bytes) => seen.push(bytes) });
    expect(read.voxels).toHaveLength(voxels.length);
    expect(seen.at(-1)).toBeGreaterThanOrEqual(voxels.length);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    const controller = new AbortController();
    const stopped = readVolume(path, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('a view into a larger buffer is written as the view', async () => {
    const voxels = new Int16Array(12).map((_, i) => i).subarray(2, 10);
    const path = volumePath(join(folder, 'view'), format);
    await writeVolume(path, { ...volume, voxels });
    expect(Array.from((await readVolume(path)).voxels)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

it.each(['a.img', 'a.hdr', 'a.mhd', 'a.nhdr', 'a.txt', 'a'])('%s is no name to write under', async (name) => {
  const path = join(folder, name);
  await expect(writeVolume(path, volume)).rejects.toMatchObject({
    code: 'format',
    fields: { path, field: 'file' },
    message: expect.stringMatching(/not written; name it \.nii\.gz, \.nii, .* or \.\w+$/) as string,
  });
});

it('descriptions of results are told from those of scans', () => {
  const results = [
    labelsDescription,
    probabilityDescription,
    disagreementDescription,
    'quickcolumn pseudo-labels',
    'quickcolumn phantom, labels',
  ];
  expect(results.map(isResultDescription)).toEqual([true, true, true, true, true]);
  expect(isResultDescription('research use only, not a medical device')).toBe(true);
  const scans = ['quickcolumn phantom, HU', 'quickcolumn CT in HU', 'CT chest', 'my labels', '', undefined];
  expect(scans.map(isResultDescription)).toEqual(scans.map(() => false));
});
