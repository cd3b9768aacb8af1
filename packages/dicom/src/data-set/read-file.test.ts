/** The parser on every encoding, and on files made to break it: always a DicomError, soon, and with little memory. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import { Buffer } from 'node:buffer';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimals, items, text } from './data-set.js';
import { DicomError } from '../dicom-error.js';
import { ctSlice, memorySource } from '../dicom.test.helpers.js';
import { listSeries } from '../series/list-series.js';
import { parseDataSet } from './parse-data-set.js';
import { parseFile, readFile, readHeader } from './read-file.js';
import { readSeries } from '../series/read-series.js';
import { tags } from './tags.js';
import { element, encodeDataSet, encodeFile } from './write-data-set.js';

const explicit = { path: 'x.dcm', implicit: false, bigEndian: false };
const sequence = (length: number): Buffer => {
  const bytes = Buffer.from([0x08, 0x00, 0x40, 0x11, 0x53, 0x51, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32LE(length, 8);
  return bytes;
};
const itemStart = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]);
const itemEnd = Buffer.from([0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]);
const sequenceEnd = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);

describe('data sets', () => {
  it('come back as they were written', async () => {
    const bytes = encodeFile(
      [
        element(tags.PixelSpacing, 'DS', '0.5\\0.25'),
        element(tags.PatientName, 'PN', 'Doe^Jane'),
        element(tags.SegmentSequence, 'SQ', [[element(tags.SegmentLabel, 'LO', 'lung')], []]),
      ],
      { classUid: '1.2', instanceUid: '1.2.3' },
    );
    const { dataSet, syntax } = await readFile(memorySource('x.dcm', bytes));
    expect(syntax.uid).toBe('1.2.840.10008.1.2.1');
    expect(decimals(dataSet, tags.PixelSpacing, 2)).toEqual([0.5, 0.25]);
    expect(text(dataSet, tags.PatientName)).toBe('Doe^Jane');
    expect(items(dataSet, tags.SegmentSequence).map((item) => text(item, tags.SegmentLabel))).toEqual([
      'lung',
      undefined,
    ]);
  });

  it('may have sequences and items of undefined length', () => {
    const inner = encodeDataSet([element(tags.SegmentLabel, 'LO', 'ab')]);
    const bytes = Buffer.concat([sequence(0xffffffff), itemStart, inner, itemEnd, sequenceEnd]);
    const set = parseDataSet(bytes, 0, explicit);
    expect(items(set, 0x00081140).map((item) => text(item, tags.SegmentLabel))).toEqual(['ab']);
  });

  it('may be deflated', async () => {
    const plain = ctSlice(1);
    const start = parseDataSet(plain, 132, { ...explicit, group: 2 }).end;
    const meta = Buffer.from(plain.subarray(0, start)).toString('latin1');
    const head = Buffer.from(meta.replace('1.2.840.10008.1.2.1\0', '1.2.840.10008.1.2.1.99'), 'latin1');
    const at = head.indexOf('1.2.840.10008.1.2.1.99');
    head.writeUInt16LE(22, at - 2);
    const bytes = Buffer.concat([head, deflateRawSync(plain.subarray(start))]);
    const { dataSet } = await readHeader(memorySource('x.dcm', bytes));
    expect(text(dataSet, tags.StudyInstanceUID)).toBe('1.2.3.4');
    const bomb = Buffer.concat([head, deflateRawSync(Buffer.alloc(600_000_000))]);
    await expect(readHeader(memorySource('bomb.dcm', bomb))).rejects.toMatchObject({ reason: 'limit' });
  });

  it('may lack preamble and meta information', async () => {
    const plain = ctSlice(1);
    const start = parseDataSet(plain, 132, { ...explicit, group: 2 }).end;
    const { dataSet } = await readFile(memorySource('old.ima', plain.subarray(start)));
    expect(text(dataSet, tags.Modality)).toBe('CT');
  });
});

describe('hostile files', () => {
  it.each([
    [
      'sequences nested 100 000 deep',
      Buffer.concat(Array.from({ length: 100_000 }, () => Buffer.concat([sequence(0xffffffff), itemStart]))),
      'limit',
    ],
    ['a length beyond the file', Buffer.concat([sequence(1_000_000), itemStart]), 'truncated'],
    [
      'an item longer than its sequence',
      Buffer.concat([sequence(8), Buffer.from([0xfe, 0xff, 0, 0xe0, 9, 0, 0, 0]), Buffer.alloc(40)]),
      'damaged',
    ],
    ['a delimiter without a beginning', Buffer.concat([itemEnd, itemEnd]), 'damaged'],
    ['a value representation that is none', Buffer.from([8, 0, 5, 0, 1, 2, 0, 0, 0, 0]), 'damaged'],
  ])('%s', (_, bytes, reason) => {
    expect(() => parseDataSet(bytes, 0, explicit)).toThrow(expect.objectContaining({ code: 'dicom', reason }) as Error);
  });

  it('with a million elements end at a limit, after few steps each', async () => {
    const bytes = Buffer.alloc(8 * 1_200_000);
    for (let i = 0; i < 1_200_000; i++) {
      bytes.writeUInt16LE(0x11 + 2 * (i >> 16), 8 * i);
      bytes.writeUInt16LE(i & 0xffff, 8 * i + 2);
      bytes.write('US', 8 * i + 4);
    }
    const { steps } = await countSteps(() =>
      expect(() => parseDataSet(bytes, 0, explicit)).toThrow(/more than 1000000 elements/),
    );
    expect(steps).toBeLessThan(30 * 1_000_000);
  });

  it('made by changing bytes of a good one give a volume or a DicomError', async () => {
    const good = [ctSlice(0), ctSlice(1)];
    const edits = fc.array(fc.tuple(fc.nat(good[0].length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(edits, fc.nat(good[0].length), async (changes, length) => {
        const bad = good[0].slice(0, length % 3 === 0 ? length : undefined);
        for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
        const { series, damaged } = await listSeries([memorySource('bad', bad), memorySource('good', good[1])]);
        expect(damaged.every(({ error }) => error instanceof DicomError)).toBe(true);
        for (const found of series) {
          if (found.grid !== undefined && found.grid.size[0] * found.grid.size[1] > 1e6) continue;
          await readSeries(found).catch((error: unknown) => expect(error).toBeInstanceOf(DicomError));
        }
      }),
      { numRuns: 1500, seed: 11 },
    );
  });
});

it('other files are told apart without parsing', () => {
  expect(() => parseFile(memorySource('a.txt', Buffer.from('hello')), Buffer.from('hello'), false)).toThrow(
    "a.txt: is not a DICOM file (no 'DICM' at byte 128)",
  );
});
