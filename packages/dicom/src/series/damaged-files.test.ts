/** Damaged files beside good slices: refused, dropped when asked, or told to be another series' business. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ctSlice, memorySource, sourcesOf, writeSlices } from '../dicom.test.helpers.js';
import { tags } from '../data-set/tags.js';
import { element, encodeFile } from '../data-set/write-data-set.js';
import { openSources } from '../sources/sources.js';
import { makeZip } from '../sources/zip.test.helpers.js';
import { type DicomSeries, listSeries } from './list-series.js';
import { readSeries } from './read-series.js';

const good = Array.from({ length: 8 }, (_, i) => ctSlice(i));
const cut = (bytes: Uint8Array, part: number): Uint8Array => bytes.subarray(0, Math.floor(part * bytes.length));
/** The header up to where this element begins, at an element's border. */
function before(bytes: Uint8Array, tag: number): Uint8Array {
  const key = Buffer.from([(tag >>> 16) & 0xff, tag >>> 24, tag & 0xff, (tag >>> 8) & 0xff]);
  return bytes.subarray(0, Buffer.from(bytes).lastIndexOf(key));
}

async function seriesOf(files: readonly Uint8Array[]): Promise<DicomSeries> {
  const { series } = await listSeries(sourcesOf(files));
  expect(series).toHaveLength(1);
  return series[0];
}

describe('a damaged file beside the slices of a series', () => {
  const last = good[7];
  const text = Buffer.from('<html>404 Not Found</html>');
  it.each<[string, Uint8Array, string | RegExp]>([
    ['an empty file', new Uint8Array(0), 'is empty'],
    ['zeros', new Uint8Array(2000), "is not a DICOM file (no 'DICM' at byte 128)"],
    ['a page of a web server', text, "is not a DICOM file (no 'DICM' at byte 128)"],
    ['a file cut inside the preamble', last.subarray(0, 100), "is not a DICOM file (no 'DICM' at byte 128)"],
    ['a file cut before the series UID', before(last, tags.SeriesInstanceUID), 'is an image without pixel data'],
    ['a file cut inside the header', last.subarray(0, 250), /ends inside|promises/],
    ['a file cut before the pixel data', before(last, tags.PixelData), 'is an image without pixel data'],
    ['a file cut inside the pixel data', last.subarray(0, last.length - 10), '50 of 60 bytes of pixels are there'],
    ['an image without pixels', ctSlice(7, { without: [tags.PixelData] }), 'is an image without pixel data'],
    ['an image with empty pixels', ctSlice(7, { values: new Int16Array(0) }), '0 of 60 bytes of pixels are there'],
  ])('%s: the series is refused, and read without it when asked', async (_, bytes, problem) => {
    const series = await seriesOf([...good.slice(0, 7), bytes]);
    expect(series.problems.map(({ kind, repair }) => [kind, repair])).toEqual([['damaged', 'damaged=drop']]);
    expect(series.problems[0].message).toMatch(/^1 of 8 files are damaged: slice-7\.dcm \(.*\)$/);
    expect(series.problems[0].message).toMatch(problem);
    expect(series.grid).toBeUndefined();
    await expect(readSeries(series)).rejects.toMatchObject({
      code: 'dicom',
      reason: 'damaged',
      fields: { options: { 'repair damaged=drop': 'leave them out' } },
    });
    const { volume, notes } = await readSeries(series, { repair: { damaged: 'drop' } });
    expect(volume.size).toEqual([6, 5, 7]);
    expect(notes.join()).toMatch(/1 of 8 files are damaged: slice-7\.dcm .*; left out/);
  });

  it('in the middle leaves a hole, which needs its own repair', async () => {
    const series = await seriesOf([...good.slice(0, 3), cut(good[3], 0.9), ...good.slice(4)]);
    const repair = { damaged: 'drop' } as const;
    await expect(readSeries(series, { repair })).rejects.toThrow('1 slice is missing, between 4.00 and 8.00 mm');
    const { volume } = await readSeries(series, { repair: { ...repair, missing: 'interpolate' } });
    expect(volume.size).toEqual([6, 5, 8]);
  });

  it('of a transfer syntax that is not read', async () => {
    const bytes = Uint8Array.from(last);
    const at = Buffer.from(bytes).indexOf('1.2.840.10008.1.2.1\0');
    bytes.set(Buffer.from('1.2.840.10008.1.2.9\0'), at);
    const series = await seriesOf([...good.slice(0, 7), bytes]);
    expect(series.problems[0].message).toMatch('transfer syntax 1.2.840.10008.1.2.9 is not read');
  });

  it('half of them are named', async () => {
    const series = await seriesOf([...good.slice(0, 4), ...good.slice(4).map(() => new Uint8Array(0))]);
    expect(series.problems[0].message).toBe(
      '4 of 8 files are damaged: slice-4.dcm, slice-5.dcm, slice-6.dcm, slice-7.dcm (is empty)',
    );
  });

  it('whose compressed pixels are broken is found when they are decoded', async () => {
    const rle = good.map((bytes, i) => compressed(bytes, i === 0 || i === 7));
    const series = await seriesOf(rle);
    expect(series.problems).toEqual([]);
    await expect(readSeries(series)).rejects.toMatchObject({ reason: 'damaged' });
    await expect(readSeries(series)).rejects.toThrow(/2 of 8 files are damaged: slice-0\.dcm, slice-7\.dcm \(.*\)$/);
    const { volume, notes } = await readSeries(series, { repair: { damaged: 'drop' } });
    expect(volume.size).toEqual([6, 5, 6]);
    expect(notes.join()).toMatch('2 of 8 files are damaged: slice-0.dcm, slice-7.dcm');
  });
});

/** The slice in RLE; broken: its first segment is left out. */
function compressed(bytes: Uint8Array, broken: boolean): Uint8Array {
  const buffer = Buffer.from(bytes);
  const pixels = buffer.subarray(buffer.length - 60);
  const segments = [1, 0].map((odd) => [29, ...Array.from({ length: 30 }, (_, i) => pixels[2 * i + odd]), 128]);
  const frame = Buffer.alloc(64 + 64);
  frame.writeUInt32LE(broken ? 1 : 2, 0);
  frame.writeUInt32LE(64, 4);
  frame.writeUInt32LE(96, 8);
  segments.forEach((segment, i) => frame.set(segment, 64 + 32 * i));
  const item = (content: Buffer): Buffer => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, content.length, 0, 0, 0]);
    return Buffer.concat([head, content]);
  };
  const start = Buffer.from(buffer.subarray(0, buffer.length - 60 - 12));
  start.set(Buffer.from('1.2.840.10008.1.2.5\0'), start.indexOf('1.2.840.10008.1.2.1\0'));
  return Buffer.concat([
    start,
    Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    item(Buffer.alloc(0)),
    item(frame),
    Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
  ]);
}

it.each(['IM7.gz', 'IM7.zip', 'IM7.part', 'other.dcm.gz', 'IM7.crdownload'])('%s is a lost slice', async (name) => {
  const files = good.slice(0, 7).map((bytes, i) => memorySource(`scan/IM${i}`, bytes));
  const packed = memorySource(`scan/${name}`, Uint8Array.from([0x1f, 0x8b, 8, 0]));
  const { series } = await listSeries([...files, packed]);
  expect(series[0].problems.map(({ kind }) => kind)).toEqual(['damaged']);
});

describe('a damaged file is not counted', () => {
  it.each(['', 'scan/'])('when it is the index of a medium: %sDICOMDIR', async (folder) => {
    const index = encodeFile(
      [element(0x00041130, 'CS', 'DISK'), element(0x00041220, 'SQ', [[element(0x00041430, 'CS', 'PATIENT')]])],
      { classUid: '1.2.840.10008.1.3.10', instanceUid: '1.2.3' },
    );
    const files = good.map((bytes, i) => memorySource(`scan/IM${i}`, bytes));
    const { series, damaged } = await listSeries([memorySource(`${folder}DICOMDIR`, cut(index, 0.97)), ...files]);
    expect(damaged).toHaveLength(1);
    expect(series[0].problems).toEqual([]);
  });

  it('when it is another series, as far as it can be read', async () => {
    const other = cut(ctSlice(7, { seriesUid: '2' }), 0.95);
    const { series, damaged } = await listSeries(sourcesOf([...good, other]));
    expect(damaged).toHaveLength(1);
    expect(series[0].problems).toEqual([]);
    expect(series[0].notes).toEqual(['files that cannot be used, of other series or none: slice-8.dcm']);
  });

  it('when it is of another modality, or no image', async () => {
    const mr = cut(ctSlice(7, { more: [element(tags.Modality, 'CS', 'MR')] }), 0.95);
    const report = cut(ctSlice(7, { more: [element(tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.88.11')] }), 0.95);
    const { series } = await listSeries(sourcesOf([...good, mr, report]));
    expect(series[0].problems).toEqual([]);
  });

  it('when it lies in the folder of another series and hides its own', async () => {
    const own = good.map((bytes, i) => memorySource(`a/IM${i}`, bytes));
    const others = [0, 1, 2].map((i) => memorySource(`b/IM${i}`, ctSlice(i, { seriesUid: '2' })));
    const empty = memorySource('b/IM3', new Uint8Array(0));
    const { series } = await listSeries([...own, ...others, empty]);
    expect(series.map(({ problems }) => problems.map(({ kind }) => kind))).toEqual([[], ['damaged']]);
  });

  it.each(['readme.txt', 'LICENSE', 'notes.md', 'scan.json', 'Thumbs.db', 'preview.png', 'all.zip', 'all.tar.gz'])(
    'when it is %s beside files without extension',
    async (name) => {
      const bytes = name === 'LICENSE' || name.endsWith('md') ? Buffer.from('Text.\n') : Buffer.from([1, 0, 2, 0]);
      const named = good.map((slice, i) => memorySource(`scan/IM${i}`, slice));
      const { series, otherFiles } = await listSeries([...named, memorySource(`scan/${name}`, bytes)]);
      expect(series[0].problems).toEqual([]);
      expect(otherFiles).toBe(1);
    },
  );
});

describe('files that cannot be reached', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-damaged-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function seriesIn(path: string): Promise<DicomSeries> {
    const opened = await openSources([path]);
    const { series } = await listSeries(opened.sources);
    opened.close();
    return series[0];
  }

  it('links inside the folder are followed, once', async () => {
    const scan = join(folder, 'linked');
    await writeSlices(join(scan, '.store'), good.slice(6));
    await writeSlices(scan, good.slice(0, 6));
    await symlink('.store/IM0001', join(scan, 'IM0007'));
    await symlink(join(scan, '.store', 'IM0002'), join(scan, 'IM0008'));
    await symlink('IM0001', join(scan, 'again'));
    await symlink('.', join(scan, 'circle'));
    const series = await seriesIn(scan);
    expect(series.problems).toEqual([]);
    expect(series.grid?.size[2]).toBe(8);
  });

  it('a link to a folder inside is followed', async () => {
    const scan = join(folder, 'linked-folder');
    await writeSlices(join(scan, '.hidden', 'deep'), good);
    await symlink('.hidden/deep', join(scan, 'series'));
    // A folder whose name begins with a dot is looked into as well; its files count once.
    expect((await seriesIn(scan)).grid?.size[2]).toBe(8);
  });

  it.each([
    ['out of the folder', '../outside', 'IM0008 (is a symbolic link that leads out of the folder'],
    ['nowhere', 'nothing-here', 'IM0008 (is a symbolic link to a file that is not there'],
  ])('a link %s is a lost slice', async (name, target, message) => {
    await writeFile(join(folder, 'outside'), good[7]);
    const scan = join(folder, name);
    await writeSlices(scan, good.slice(0, 7));
    await symlink(target, join(scan, 'IM0008'));
    const { problems } = await seriesIn(scan);
    expect(problems.map(({ kind }) => kind)).toEqual(['damaged']);
    expect(problems[0].message).toMatch(message);
  });

  it('a link of another name that leads out is noted', async () => {
    const scan = join(folder, 'noted');
    await writeSlices(scan, good);
    await mkdir(join(folder, 'elsewhere'));
    await symlink('../elsewhere', join(scan, 'latest.old'));
    const { problems, notes } = await seriesIn(scan);
    expect(problems).toEqual([]);
    expect(notes).toEqual(['files that cannot be used, of other series or none: latest.old']);
  });

  it.each([
    ['damage in a packed entry', 'packed'],
    ['damage in a stored entry, which only its checksum shows', 'stored'],
  ] as const)('%s of an archive', async (_, kind) => {
    const method = kind === 'stored' ? 0 : 8;
    const entries = good.map((bytes, i) => ({ name: `scan/IM${i}`, bytes, method, damaged: i === 7 }) as const);
    const path = join(folder, `${kind}.zip`);
    await writeFile(path, makeZip(entries));
    const opened = await openSources([path]);
    const { series } = await listSeries(opened.sources);
    await expect(readSeries(series[0])).rejects.toThrow(/1 of 8 files are damaged: IM7 /);
    const { volume } = await readSeries(series[0], { repair: { damaged: 'drop' } });
    expect(volume.size[2]).toBe(7);
    opened.close();
  });
});
