/** Decoders against raw references of other projects, against dcmtk, and on damaged frames. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { has, needs, pathOf } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DicomError } from '../dicom-error.js';
import { memorySource } from '../dicom.test.helpers.js';
import { decodeFrame, type StoredValues } from './pixels.js';
import { parseDataSet } from '../data-set/parse-data-set.js';
import { readFile } from '../data-set/read-file.js';
import { sliceHeaders } from '../series/slice-header.js';
import { tags } from '../data-set/tags.js';
import { element, encodeDataSet } from '../data-set/write-data-set.js';
import type { FrameShape } from './codec-types.js';
import { decodeJpeg } from './jpeg.js';
import { decodeRle } from './rle.js';
import { decodeWasm } from './wasm.js';

const formats = join(pathOf('shared'), 'formats');
const fixtures = join(formats, 'cornerstonejs_codecs/packages');
const images = join(formats, 'cornerstonejs_cornerstone3D/packages/dicomImageLoader/testImages');
const ct: FrameShape = { path: 'frame', rows: 512, columns: 512, samples: 1, bitsAllocated: 16 };

describe('RLE', () => {
  const shape = { path: 'frame', rows: 2, columns: 3, samples: 1, bitsAllocated: 16 };
  const frame = (...segments: number[][]): Uint8Array => {
    const header = new Uint8Array(64);
    const view = new DataView(header.buffer);
    view.setUint32(0, segments.length, true);
    let at = 64;
    segments.forEach((segment, i) => {
      view.setUint32(4 + 4 * i, at, true);
      at += segment.length;
    });
    return Uint8Array.from([...header, ...segments.flat()]);
  };

  it('joins the bytes of a sample, the upper first', () => {
    // Six times 1; then 2, 3 literally and four times 4.
    const bytes = frame([251, 1], [1, 2, 3, 253, 4]);
    expect(Array.from(decodeRle(bytes, shape))).toEqual([258, 259, 260, 260, 260, 260]);
  });

  it.each([
    ['one segment for two bytes', frame([251, 1])],
    ['too few bytes', frame([251, 1], [253, 1])],
    ['no header', new Uint8Array(10)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeRle(bytes, shape)).toThrow(DicomError);
  });
});

describe('raw references of other projects', needs('shared'), () => {
  it.each([
    ['htj2k', 'openjphjs/test/fixtures/j2c/CT1.j2c', 'openjphjs/test/fixtures/raw/CT1.RAW'],
    ['htj2k', 'openjphjs/test/fixtures/j2c/CT2.j2c', 'openjphjs/test/fixtures/raw/CT2.RAW'],
    ['jpeg-2000', 'openjpeg/test/fixtures/j2k/CT1.j2k', 'openjpeg/test/fixtures/raw/CT1.RAW'],
    ['jpeg-2000', 'openjpeg/test/fixtures/j2k/CT1-0decomp.j2k', 'openjpeg/test/fixtures/raw/CT1.RAW'],
    ['jpeg-2000', 'openjpeg/test/fixtures/j2k/CT2.j2k', 'openjpeg/test/fixtures/raw/CT2.RAW'],
  ] as const)('%s %s', async (codec, name, rawName) => {
    const decoded = await decodeWasm(codec, readFileSync(join(fixtures, name)), ct);
    const raw = readFileSync(join(fixtures, rawName));
    const expected = new Uint16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    expect(decoded.length).toBe(expected.length);
    let different = 0;
    for (let i = 0; i < expected.length; i++) if (decoded[i] !== expected[i]) different++;
    expect(different).toBe(0);
  });

  it('HTJ2K frames in a file', async () => {
    const path = join(images, 'CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm');
    const original = await readFile(memorySource(path, readFileSync(path)));
    const { bytes, elements } = original.dataSet;
    const meta = parseDataSet(bytes, 132, { path, implicit: false, bigEndian: false, group: 2 });
    const frame = readFileSync(join(fixtures, 'openjphjs/test/fixtures/j2c/CT1.j2c'));
    const item = (content: Uint8Array): Buffer => {
      const even = Buffer.alloc(content.length + (content.length % 2));
      even.set(content);
      const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
      head.writeUInt32LE(even.length, 4);
      return Buffer.concat([head, even]);
    };
    const file = Buffer.concat([
      bytes.subarray(0, 132),
      encodeDataSet([element(0x00020010, 'UI', '1.2.840.10008.1.2.4.201')]),
      bytes.subarray(meta.end, (elements.get(tags.PixelData)?.offset ?? 0) - 12),
      Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
      item(new Uint8Array(0)),
      item(frame),
      Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
    ]);
    const parsed = await readFile(memorySource('htj2k.dcm', file));
    const [slice] = sliceHeaders(parsed) ?? [];
    const values = await decodeFrame(parsed, slice.format, 0);
    const raw = readFileSync(join(fixtures, 'openjphjs/test/fixtures/raw/CT1.RAW'));
    expect(values).toEqual(new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length)));
  });

  it('refuses a code stream of another size than the header before it decodes', async () => {
    const bytes = readFileSync(join(fixtures, 'openjphjs/test/fixtures/j2c/CT1.j2c'));
    await expect(decodeWasm('htj2k', bytes, { ...ct, rows: 256 })).rejects.toThrow(
      'frame: the htj2k frame is 512×512, 1 samples of 16 bits; the header says 512×256, 1 of 16',
    );
  });
});

async function lastFrame(path: string): Promise<StoredValues> {
  const file = await readFile(memorySource(path, readFileSync(path)));
  const slices = sliceHeaders(file) ?? [];
  const { format, frame } = slices[slices.length - 1];
  return await decodeFrame(file, format, frame);
}

const lossyJpegs = has('shared') ? readdirSync(images).filter((name) => /\.5[0135]\.dcm$/.test(name)) : [];

describe('lossy JPEG against dcmtk', needs('shared', 'dcmtk'), () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-jpeg-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it.each(lossyJpegs)('%s differs by rounding only', async (name) => {
    const plain = join(folder, 'plain.dcm');
    expect(spawnSync(pathOf('dcmtk'), [join(images, name), plain]).status).toBe(0);
    const [ours, theirs] = [await lastFrame(join(images, name)), await lastFrame(plain)];
    expect(ours.length).toBe(theirs.length);
    let worst = 0;
    for (let i = 0; i < ours.length; i++) worst = Math.max(worst, Math.abs(ours[i] - theirs[i]));
    expect(worst).toBeLessThanOrEqual(1);
  });
});

/** The only frame of a shared file, with the shape that its header states. */
async function frameOf(syntax: string): Promise<{ frame: Uint8Array; shape: FrameShape }> {
  const name = readdirSync(images).find((file) => file.endsWith(`1.2.840.10008.1.2.${syntax}.dcm`)) ?? '';
  const { dataSet } = await readFile(memorySource(name, readFileSync(join(images, name))));
  const { offset, length } = dataSet.elements.get(tags.PixelData)?.fragments?.[1] ?? { offset: 0, length: 0 };
  return {
    frame: Uint8Array.from(dataSet.bytes.subarray(offset, offset + length)),
    shape: { ...ct, bitsAllocated: syntax === '4.50' ? 8 : 16 },
  };
}

describe('frames that other encoders write', needs('shared'), () => {
  it.each([
    ['FF, as the reference images of NEMA have it', [0xff]],
    ['several FF', [0xff, 0xff, 0xff]],
    ['zero', [0]],
    ['FF and zero', [0xff, 0]],
  ])('JPEG-LS padded behind its end with %s', async (_, padding) => {
    const { frame, shape } = await frameOf('4.80');
    const end = Buffer.from(frame).lastIndexOf(Buffer.from([0xff, 0xd9])) + 2;
    const bare = frame.subarray(0, end);
    const padded = Uint8Array.from([...bare, ...padding]);
    expect(await decodeWasm('jpeg-ls', padded, shape)).toEqual(await decodeWasm('jpeg-ls', bare, shape));
    await expect(decodeWasm('jpeg-ls', padded.subarray(0, end - 2), shape)).rejects.toThrow('is cut short');
  });

  it.each(['4.50', '4.51'])(
    'JPEG %s whose scan states Se = 0 is read as it must be meant, with a note',
    async (syntax) => {
      const { frame, shape } = await frameOf(syntax);
      const at = Buffer.from(frame).indexOf(Buffer.from([0xff, 0xda]));
      expect(Array.from(frame.subarray(at + 7, at + 10))).toEqual([0, 63, 0]);
      const odd = Uint8Array.from(frame);
      odd[at + 8] = 0;
      const notes: string[] = [];
      const onNote = (text: string): number => notes.push(text);
      expect(decodeJpeg(odd, { ...shape, onNote })).toEqual(decodeJpeg(frame, { ...shape, onNote }));
      expect(notes).toEqual(['JPEG frames state the band 0 to 0; read as 0 to 63, as sequential ones must be']);
    },
  );
});

describe('8-bit samples in words, explicit big endian', () => {
  const samples = Uint8Array.from({ length: 15 }, (_, i) => 3 * i + 1);
  /** Two frames of 3 × 5 pixels: the second begins inside a word. */
  function bigEndianFile(vr: 'OW' | 'OB'): Uint8Array {
    const part = (tag: number, type: string, value: Uint8Array): Buffer => {
      const head = Buffer.alloc(type.startsWith('O') ? 12 : 8);
      head.writeUInt16BE(tag >>> 16, 0);
      head.writeUInt16BE(tag & 0xffff, 2);
      head.write(type, 4, 'latin1');
      if (head.length === 12) head.writeUInt32BE(value.length, 8);
      else head.writeUInt16BE(value.length, 6);
      return Buffer.concat([head, value]);
    };
    const us = (tag: number, value: number): Buffer => part(tag, 'US', Uint8Array.from([value >> 8, value & 255]));
    const text = (tag: number, type: string, value: string): Buffer => part(tag, type, Buffer.from(value));
    const pixels = Buffer.from([...samples, ...samples.map((value) => value + 100)]);
    const meta = encodeDataSet([element(0x00020010, 'UI', '1.2.840.10008.1.2.2')]);
    const start = Buffer.alloc(132);
    start.write('DICM', 128, 'latin1');
    return Buffer.concat([
      start,
      encodeDataSet([element(0x00020000, 'UL', [meta.length])]),
      meta,
      text(tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.7.2\0'),
      text(tags.SOPInstanceUID, 'UI', '1.2.3.4.77'),
      us(tags.SamplesPerPixel, 1),
      text(tags.PhotometricInterpretation, 'CS', 'MONOCHROME2 '),
      text(tags.NumberOfFrames, 'IS', '2 '),
      us(tags.Rows, 3),
      us(tags.Columns, 5),
      us(tags.BitsAllocated, 8),
      us(tags.BitsStored, 8),
      us(tags.HighBit, 7),
      us(tags.PixelRepresentation, 0),
      part(tags.PixelData, vr, vr === 'OW' ? Buffer.from(pixels).swap16() : pixels),
    ]);
  }

  async function frames(bytes: Uint8Array): Promise<StoredValues[]> {
    const file = await readFile(memorySource('words.dcm', bytes));
    const [{ format }] = sliceHeaders(file) ?? [];
    return [await decodeFrame(file, format, 0), await decodeFrame(file, format, 1)];
  }

  it.each(['OW', 'OB'] as const)('%s', async (vr) => {
    expect(await frames(bigEndianFile(vr))).toEqual([samples, samples.map((value) => value + 100)]);
  });

  it('as dcmtk reads them', needs('dcmtk'), async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-words-'));
    const [there, back] = [join(folder, 'big.dcm'), join(folder, 'little.dcm')];
    await writeFile(there, bigEndianFile('OW'));
    expect(spawnSync(pathOf('dcmtk'), [there, back]).status).toBe(0);
    expect(await frames(readFileSync(back))).toEqual(await frames(bigEndianFile('OW')));
    await rm(folder, { recursive: true, force: true });
  });
});

describe('damaged frames', needs('shared'), () => {
  it.each(['4.50', '4.51', '4.53', '4.57', '4.70', '4.80', '4.90', '5'])(
    '%s: an image or a DicomError, after a limited number of steps',
    async (syntax) => {
      const { frame: good, shape } = await frameOf(syntax);
      const decode = async (bytes: Uint8Array): Promise<unknown> => {
        if (syntax === '5') return decodeRle(bytes, shape);
        if (syntax === '4.80') return await decodeWasm('jpeg-ls', bytes, shape);
        return syntax === '4.90' ? await decodeWasm('jpeg-2000', bytes, shape) : decodeJpeg(bytes, shape);
      };
      const edit = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
      const edits = fc.array(fc.oneof(edit, fc.tuple(fc.nat(300), fc.nat(255))), { minLength: 1, maxLength: 4 });
      // Of JavaScript; what the decoders in WebAssembly do is watched by the fuzzer.
      let most = 0;
      await fc.assert(
        fc.asyncProperty(edits, fc.integer({ min: 0, max: 4 * good.length }), async (changes, end) => {
          const bad = good.slice(0, end);
          for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
          const { steps } = await countSteps(async () => {
            await decode(bad).catch((error: unknown) => expect(error).toBeInstanceOf(DicomError));
          });
          most = Math.max(most, steps);
        }),
        { numRuns: 40, seed: 3 },
      );
      expect(most).toBeLessThan(100 * 512 * 512);
      // The decoder is whole again afterwards.
      expect(await decode(good)).toHaveLength(262_144);
    },
  );
});
