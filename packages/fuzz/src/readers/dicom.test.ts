/** Attacks through DICOM files and archives that mutation does not find by chance: bombs, overlaps, empty promises. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import { type DicomListing, listSeries, openSources, readSeries } from '@quickcolumn/dicom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neighbours } from '../seeds/dicom-seeds.js';
import { dicomFile, encapsulated, type SeedElement } from '../seeds/dicom-writer.js';
import { makeZip, type ZipEntry } from '../seeds/zip-writer.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Steps of a listing: less than one for every byte that the smallest bomb here unpacks to. */
const largestWork = 10_000_000;

async function list(name: string, bytes: Uint8Array): Promise<DicomListing> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const listing: Promise<DicomListing>[] = [];
  const { steps } = await countSteps(async () => {
    listing.push(listOf(path));
    await Promise.allSettled(listing);
  });
  expect(steps).toBeLessThan(largestWork);
  return await listing[0];
}

async function listOf(path: string): Promise<DicomListing> {
  const opened = await openSources([path]);
  try {
    return await listSeries(opened.sources);
  } finally {
    opened.close();
  }
}

/** A raw deflate stream of `head` and 2 MiB of zeros `times` over: 2 kB a time. */
function deflateBomb(head: Uint8Array, times: number): Buffer {
  const flushed = { finishFlush: constants.Z_FULL_FLUSH, level: 9 };
  const block = deflateRawSync(Buffer.alloc(2 ** 21), flushed);
  const last = deflateRawSync(new Uint8Array(0));
  return Buffer.concat([deflateRawSync(head, flushed), ...Array.from({ length: times }, () => block), last]);
}

/** The beginning of a file whose private element promises `length` bytes. */
function promising(uid: string, length: number): Buffer {
  const bytes = dicomFile(uid, [[0x00090010, 'UN', new Uint8Array(4)]], {});
  bytes.writeUInt32LE(length, bytes.length - 8);
  return bytes.subarray(0, bytes.length - 4);
}

describe('archives', () => {
  it('whose entries share their bytes are refused', async () => {
    const big = { name: 'IM0', bytes: neighbours[0] };
    const again = Array.from({ length: 500 }, (_, i): ZipEntry => ({ ...big, name: `IM${i + 1}`, offset: 0 }));
    const zip = makeZip([big, ...again]);
    // All the directory's entries lead to the first bytes; what they led to is taken out.
    const local = makeZip([big]);
    const indexAt = (bytes: Uint8Array): number => Buffer.from(bytes).indexOf('PK\x01\x02', 0, 'latin1');
    const directory = zip.subarray(indexAt(zip));
    const first = local.subarray(0, indexAt(local));
    const end = Buffer.from(directory);
    end.writeUInt32LE(first.length, end.length - 6);
    await expect(list('overlap.zip', Buffer.concat([first, end]))).rejects.toMatchObject({
      code: 'dicom',
      reason: 'archive',
      message: expect.stringContaining('overlap'),
    });
  });

  it('with a header of hundreds of megabytes in some kilobytes are listed as damaged', async () => {
    const bytes = promising('1.2.840.10008.1.2.1', 200 * 2 ** 20);
    const packed = deflateBomb(bytes, 100);
    expect(packed.length).toBeLessThan(250_000);
    const statedBytes = bytes.length + 200 * 2 ** 20;
    const { damaged } = await list('bomb.zip', makeZip([{ name: 'IM0', bytes, packed, statedBytes }]));
    expect(damaged).toMatchObject([
      { error: { reason: 'limit', message: expect.stringContaining('header is longer') } },
    ]);
  });

  it('in archives are not opened', async () => {
    const inner = makeZip([{ name: 'IM0', bytes: neighbours[0] }]);
    expect(await list('outer.zip', makeZip([{ name: 'inner.zip', bytes: inner }]))).toMatchObject({
      series: [],
      otherFiles: 1,
    });
  });
});

describe('files', () => {
  it('whose deflated data set is a bomb are listed as damaged', async () => {
    const uid = '1.2.840.10008.1.2.1.99';
    const meta = dicomFile(uid, [], {});
    // (0009,0010) UN of 512 MiB.
    const head = Buffer.from('09001000554e000000000020', 'hex');
    const bytes = Buffer.concat([meta, deflateBomb(head, 300)]);
    const { damaged } = await list('bomb.dcm', bytes);
    expect(damaged).toMatchObject([
      { error: { reason: 'limit', message: expect.stringContaining('unpacks to more') } },
    ]);
  });

  it.each([
    ['1.2.840.10008.1.2.5', /cannot hold|no RLE header/],
    ['1.2.840.10008.1.2.4.70', /no header/],
    ['1.2.840.10008.1.2.4.90', /no header/],
    ['1.2.840.10008.1.2.1', /needs|frames/],
  ])('that promise 64 million pixels and have 100 bytes of them are refused (%s)', async (uid, message) => {
    const frame = new Uint8Array(100);
    frame[0] = 2;
    const { series } = await list('promise.dcm', Buffer.concat([promised(uid), encapsulated([frame])]));
    const before = process.memoryUsage().arrayBuffers;
    await expect(readSeries(series[0])).rejects.toThrow(message);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it('whose volume is larger than allowed are refused', async () => {
    const { series } = await list('slice.dcm', neighbours[0]);
    await expect(readSeries(series[0], { maxBytes: 100 })).rejects.toMatchObject({ code: 'dicom', reason: 'limit' });
    expect((await readSeries(series[0], { maxBytes: 4 * 16 * 12 })).volume.size).toEqual([16, 12, 1]);
  });
});

/** A slice of 8192 × 8192 pixels, up to its pixel data. */
function promised(uid: string): Buffer {
  const elements: SeedElement[] = [
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
    [0x00080060, 'CS', 'CT'],
    [0x00180050, 'DS', '2'],
    [0x00200032, 'DS', '0\\0\\0'],
    [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', [8192]],
    [0x00280011, 'US', [8192]],
    [0x00280030, 'DS', '1\\1'],
    [0x00280100, 'US', [16]],
    [0x00280101, 'US', [12]],
    [0x00280102, 'US', [11]],
    [0x00280103, 'US', [0]],
    [0x00281052, 'DS', '-1024'],
    [0x00281053, 'DS', '1'],
  ];
  return dicomFile(uid, elements);
}
