/** Folders, archives and lists, mixed with other files and with hostile ones. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ctSlice, writeSlices } from '../dicom.test.helpers.js';
import { type DicomListing, listSeries } from '../series/list-series.js';
import { readSeries } from '../series/read-series.js';
import { openSources } from './sources.js';
import { makeZip } from './zip.test.helpers.js';

let folder = '';
const slices = [0, 1, 2].map((i) => ctSlice(i));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-dicom-'));
  await writeSlices(join(folder, 'scan', 'deep'), slices);
  await writeFile(join(folder, 'scan', 'readme.txt'), 'not an image');
  await writeFile(join(folder, 'scan', '.DS_Store'), 'leftover');
  await symlink(join(folder, 'scan'), join(folder, 'scan', 'circle'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function list(...paths: string[]): Promise<DicomListing> {
  const opened = await openSources(paths);
  try {
    return await listSeries(opened.sources);
  } finally {
    opened.close();
  }
}

it('finds a series in a folder with other files and a link in circles', async () => {
  const { series, otherFiles } = await list(join(folder, 'scan'));
  expect(series.map((found) => found.slices.length)).toEqual([3]);
  expect(otherFiles).toBe(1);
});

it('reads the same volume from an archive as from files', async () => {
  const path = join(folder, 'scan.zip');
  const entries = slices.map((bytes, i) => ({ name: `a/IM${i}`, bytes }));
  await writeFile(path, makeZip([{ name: 'notes.txt', bytes: new Uint8Array(3) }, ...entries]));
  const opened = await openSources([path]);
  const listing = await listSeries(opened.sources);
  const zipped = await readSeries(listing.series[0]);
  opened.close();
  const files = await openSources([0, 1, 2].map((i) => join(folder, 'scan', 'deep', `IM000${i + 1}`)));
  const plain = await readSeries((await listSeries(files.sources)).series[0]);
  expect(zipped.volume).toEqual(plain.volume);
});

it('separates series, and frames of reference', async () => {
  await mkdir(join(folder, 'two'));
  await writeFile(join(folder, 'two', 'a'), ctSlice(0));
  await writeFile(join(folder, 'two', 'b'), ctSlice(0, { seriesUid: '2' }));
  expect((await list(join(folder, 'two'))).series).toHaveLength(2);
});

describe('hostile archives', () => {
  it.each([
    ['a path upwards', [{ name: '../../etc/passwd', bytes: slices[0] }], /invalid relative path/],
    ['an absolute path', [{ name: '/etc/passwd', bytes: slices[0] }], /absolute path/],
  ])('with %s are refused', async (name, entries, message) => {
    const path = join(folder, `${name}.zip`);
    await writeFile(path, makeZip(entries));
    await expect(list(path)).rejects.toMatchObject({ code: 'dicom', reason: 'archive' });
    await expect(list(path)).rejects.toThrow(message);
  });

  it.each([
    ['an encrypted entry', { encrypted: true }, 'archive'],
    ['more than it promises', { statedBytes: 600 }, 'archive'],
    ['a promise of 4 GB', { statedBytes: 4_200_000_000 }, 'archive'],
  ])('with %s list it as damaged', async (name, change, reason) => {
    const path = join(folder, `${name}.zip`);
    await writeFile(path, makeZip([{ name: 'IM1', bytes: slices[0], ...change }]));
    const { damaged, series } = await list(path).catch((error: unknown) => ({ damaged: [{ error }], series: [] }));
    expect(series).toEqual([]);
    expect(damaged).toMatchObject([{ error: { code: 'dicom', reason } }]);
  });

  it('whose entries share bytes are refused', async () => {
    const path = join(folder, 'shared.zip');
    const entry = { name: 'IM1', bytes: slices[0] };
    // Their headers make the archive longer than all that its entries promise.
    const filler = Array.from({ length: 50 }, (_, i) => ({ name: `${i}.txt`, bytes: Buffer.from('a') }));
    await writeFile(path, makeZip([entry, { ...entry, name: 'IM2', shared: true }, ...filler]));
    await expect(list(path)).rejects.toMatchObject({ code: 'dicom', reason: 'archive' });
    await expect(list(path)).rejects.toThrow('its entries overlap or promise more than the archive holds; refused');
  });

  it('that are cut short are refused', async () => {
    const path = join(folder, 'cut.zip');
    await writeFile(path, makeZip([{ name: 'IM1', bytes: slices[0] }]).subarray(0, 300));
    await expect(list(path)).rejects.toMatchObject({ code: 'dicom', reason: 'archive' });
  });
});

it('names a path that is not there', async () => {
  await expect(list(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'file-read' });
});
