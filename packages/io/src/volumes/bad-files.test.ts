/** Damaged, unsupported and hostile NRRD and MetaImage files: each gives a typed error that names the file and the field. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MetaImageError, NrrdError, readLabels, readVolume, volumeFiles, writeVolume } from '../index.js';
import { readNiftiFile } from '../nifti/nifti.test.helpers.js';

const voxels = Buffer.alloc(2 * 4 * 3 * 2, 7);

const nrrdFields: Readonly<Record<string, string>> = {
  type: 'short',
  dimension: '3',
  space: 'left-posterior-superior',
  sizes: '4 3 2',
  'space directions': '(1,0,0) (0,1,0) (0,0,2)',
  kinds: 'domain domain domain',
  endian: 'little',
  encoding: 'raw',
};
const metaFields: Readonly<Record<string, string>> = {
  ObjectType: 'Image',
  NDims: '3',
  TransformMatrix: '1 0 0 0 1 0 0 0 1',
  ElementSpacing: '1 1 2',
  DimSize: '4 3 2',
  ElementType: 'MET_SHORT',
  ElementDataFile: 'LOCAL',
};

type Changes = Readonly<Record<string, string | undefined>>;

function lines(fields: Readonly<Record<string, string>>, changes: Changes, separator: string): string {
  // ElementDataFile ends a MetaImage header wherever it stands.
  const { ElementDataFile, ...rest } = { ...fields, ...changes };
  return Object.entries({ ...rest, ElementDataFile })
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}${separator}${value}\n`]))
    .join('');
}

function nrrd(changes: Changes = {}, data: Uint8Array = voxels): Buffer {
  return Buffer.concat([Buffer.from(`NRRD0004\n${lines(nrrdFields, changes, ': ')}\n`), data]);
}

function meta(changes: Changes = {}, data: Uint8Array = voxels): Buffer {
  return Buffer.concat([Buffer.from(lines(metaFields, changes, ' = ')), data]);
}

const zipped = gzipSync(voxels);
const cases: readonly (readonly [title: string, file: string, field: string, bytes: Uint8Array])[] = [
  ['empty', 'a.nrrd', 'file', Buffer.alloc(0)],
  ['not NRRD', 'a.nrrd', 'magic', Buffer.from('P5 3 3\n')],
  ['header cut after two fields', 'a.nrrd', 'sizes', Buffer.from('NRRD0004\ntype: short\ndimension: 3\n')],
  ['header cut', 'a.nrrd', 'header', nrrd().subarray(0, nrrd().length - voxels.length - 1)],
  ['a line that is no field', 'a.nrrd', 'header', nrrd({ 'content\nnonsense\nx': '1' })],
  ['a field twice', 'a.nrrd', 'type', nrrd({ 'sample units: x\ntype': 'short' })],
  ['no type', 'a.nrrd', 'type', nrrd({ type: undefined })],
  ['block type', 'a.nrrd', 'type', nrrd({ type: 'block' })],
  ['no dimension', 'a.nrrd', 'dimension', nrrd({ dimension: undefined })],
  ['17 axes', 'a.nrrd', 'dimension', nrrd({ dimension: '17' })],
  [
    '2D',
    'a.nrrd',
    'dimension',
    nrrd({ dimension: '2', sizes: '4 3', kinds: undefined, 'space directions': '(1,0,0) (0,1,0)' }),
  ],
  ['no sizes', 'a.nrrd', 'sizes', nrrd({ sizes: undefined })],
  ['two sizes', 'a.nrrd', 'sizes', nrrd({ sizes: '4 3' })],
  ['size 0', 'a.nrrd', 'sizes', nrrd({ sizes: '4 0 2' })],
  ['absurd size', 'a.nrrd', 'sizes', nrrd({ sizes: '100000 100000 100000' })],
  ['absurd size, gzip', 'a.nrrd', 'sizes', nrrd({ sizes: '1e15 2 2', encoding: 'gzip' }, zipped)],
  ['more than the file', 'a.nrrd', 'voxels', nrrd({ sizes: '4 3 3' })],
  ['more than gzip can hold', 'a.nrrd', 'voxels', nrrd({ sizes: '1000 1000 500', encoding: 'gzip' }, zipped)],
  ['short, gzip', 'a.nrrd', 'voxels', nrrd({ sizes: '4 3 3', encoding: 'gzip' }, zipped)],
  ['gzip cut', 'a.nrrd', 'voxels', nrrd({ encoding: 'gzip' }, zipped.subarray(0, -6))],
  ['gzip damaged', 'a.nrrd', 'voxels', nrrd({ encoding: 'gzip' }, voxels)],
  ['bzip2', 'a.nrrd', 'encoding', nrrd({ encoding: 'bzip2' })],
  ['unknown encoding', 'a.nrrd', 'encoding', nrrd({ encoding: 'zstd' })],
  ['no encoding', 'a.nrrd', 'encoding', nrrd({ encoding: undefined })],
  ['no endian', 'a.nrrd', 'endian', nrrd({ endian: undefined })],
  ['middle endian', 'a.nrrd', 'endian', nrrd({ endian: 'middle' })],
  ['text that is none', 'a.nrrd', 'voxels', nrrd({ encoding: 'text' }, Buffer.from('1 2 x'.padEnd(60, ' 1')))],
  ['text out of range', 'a.nrrd', 'voxels', nrrd({ encoding: 'text' }, Buffer.from('70000'.padEnd(60, ' 1')))],
  ['too little text', 'a.nrrd', 'voxels', nrrd({ encoding: 'text' }, Buffer.from('1 2 3'.padEnd(60, ' ')))],
  ['hex that is none', 'a.nrrd', 'voxels', nrrd({ encoding: 'hex' }, Buffer.alloc(200, 'g'))],
  [
    '4D',
    'a.nrrd',
    'kinds',
    nrrd({
      dimension: '4',
      sizes: '4 3 2 5',
      kinds: 'domain domain domain time',
      'space directions': '(1,0,0) (0,1,0) (0,0,1) none',
    }),
  ],
  [
    'colour',
    'a.nrrd',
    'kinds',
    nrrd({
      dimension: '4',
      sizes: '3 4 3 2',
      kinds: 'RGB-color domain domain domain',
      'space directions': 'none (1,0,0) (0,1,0) (0,0,1)',
    }),
  ],
  [
    'colour without kinds',
    'a.nrrd',
    'space directions',
    nrrd({ dimension: '4', sizes: '3 4 3 2', kinds: undefined, 'space directions': 'none (1,0,0) (0,1,0) (0,0,1)' }),
  ],
  [
    '4D without directions',
    'a.nrrd',
    'dimension',
    nrrd({
      dimension: '4',
      sizes: '4 3 2 5',
      kinds: undefined,
      'space directions': undefined,
      spacings: '1 1 1 1',
      space: undefined,
    }),
  ],
  ['directions without a space', 'a.nrrd', 'space', nrrd({ space: undefined })],
  ['a space without anatomy', 'a.nrrd', 'space', nrrd({ space: 'scanner-xyz' })],
  ['a space named like an object’s own', 'a.nrrd', 'space', nrrd({ space: 'constructor' })],
  [
    'a unit named like an object’s own',
    'a.nrrd',
    'space units',
    nrrd({ 'space units': '"toString" "toString" "toString"' }),
  ],
  [
    'space dimension alone',
    'a.nrrd',
    'space dimension',
    nrrd({ space: undefined, 'space dimension': '3', 'space directions': undefined, spacings: '1 1 1' }),
  ],
  ['no spacing at all', 'a.nrrd', 'space directions', nrrd({ 'space directions': undefined })],
  ['spacing NaN', 'a.nrrd', 'spacings', nrrd({ 'space directions': undefined, spacings: '1 1 nan' })],
  ['two directions', 'a.nrrd', 'space directions', nrrd({ 'space directions': '(1,0,0) (0,1,0)' })],
  ['direction of two numbers', 'a.nrrd', 'space directions', nrrd({ 'space directions': '(1,0) (0,1,0) (0,0,1)' })],
  ['no vectors', 'a.nrrd', 'space directions', nrrd({ 'space directions': '1 0 0' })],
  ['singular', 'a.nrrd', 'space directions', nrrd({ 'space directions': '(1,0,0) (1,0,0) (0,0,1)' })],
  ['origin of text', 'a.nrrd', 'space origin', nrrd({ 'space origin': '(a,b,c)' })],
  ['centimetres, which ITK takes for millimetres', 'a.nrrd', 'space units', nrrd({ 'space units': '"cm" "cm" "cm"' })],
  [
    'axis mins',
    'a.nrrd',
    'axis mins',
    nrrd({ space: undefined, 'space directions': undefined, spacings: '1 1 1', 'axis mins': '0 0 5' }),
  ],
  ['negative line skip', 'a.nrrd', 'line skip', nrrd({ 'line skip': '-3' })],
  ['byte skip of text', 'a.nrrd', 'byte skip', nrrd({ encoding: 'text', 'byte skip': '3' })],
  ['byte skip past the end', 'a.nrrd', 'voxels', nrrd({ 'byte skip': '1000' })],
  [
    'byte skip far past the end, gzip',
    'a.nrrd',
    'voxels',
    nrrd({ encoding: 'gzip', 'byte skip': '9007199254740000' }, zipped),
  ],
  ['data above the folder', 'a.nhdr', 'data file', nrrd({ 'data file': '../secret.raw' })],
  ['data above the folder, inside out', 'a.nhdr', 'data file', nrrd({ 'data file': 'sub/../../secret.raw' })],
  ['data above the folder, Windows', 'a.nhdr', 'data file', nrrd({ 'data file': '..\\secret.raw' })],
  ['absolute data', 'a.nhdr', 'data file', nrrd({ 'data file': '/etc/passwd' })],
  ['absolute data, Windows', 'a.nhdr', 'data file', nrrd({ 'data file': 'C:\\secret.raw' })],
  ['data behind a link', 'a.nhdr', 'data file', nrrd({ 'data file': 'link.raw' })],
  ['data in a folder behind a link', 'a.nhdr', 'data file', nrrd({ 'data file': 'up/secret.raw' })],
  ['missing data', 'a.nhdr', 'data file', nrrd({ 'data file': 'none.raw' })],
  ['data that is a folder', 'a.nhdr', 'file', nrrd({ 'data file': 'sub' })],
  ['a series of millions', 'a.nhdr', 'data file', nrrd({ 'data file': 's%d.raw 1 90000000 1' })],
  ['a series without an end', 'a.nhdr', 'data file', nrrd({ 'data file': 's%d.raw 1 9 0' })],
  ['a series of two places', 'a.nhdr', 'data file', nrrd({ 'data file': '%d%d.raw 1 9 1' })],
  ['an empty list', 'a.nhdr', 'data file', nrrd({ 'data file': 'LIST' }, Buffer.alloc(0))],
  [
    'a list that does not divide',
    'a.nhdr',
    'data file',
    nrrd({ 'data file': 'LIST' }, Buffer.from('part-1.raw\npart-2.raw\npart-3.raw\npart-4.raw\npart-5.raw\n')),
  ],

  ['empty', 'a.mha', 'file', Buffer.alloc(0)],
  ['not MetaImage', 'a.mha', 'header', Buffer.from('hello\nworld\n')],
  ['no data file', 'a.mha', 'ElementDataFile', meta({ ElementDataFile: undefined }, Buffer.alloc(0))],
  ['a mesh', 'a.mha', 'ObjectType', meta({ ObjectType: 'Mesh' })],
  ['no axes', 'a.mha', 'NDims', meta({ NDims: undefined })],
  ['2D', 'a.mha', 'NDims', meta({ NDims: '2', DimSize: '4 3', ElementSpacing: '1 1' })],
  ['4D', 'a.mha', 'NDims', meta({ NDims: '4', DimSize: '4 3 2 5', ElementSpacing: '1 1 1 1' })],
  ['colour', 'a.mha', 'ElementNumberOfChannels', meta({ ElementNumberOfChannels: '3' })],
  ['vector type', 'a.mha', 'ElementType', meta({ ElementType: 'MET_FLOAT_ARRAY' })],
  ['a type named like an object’s own', 'a.mha', 'ElementType', meta({ ElementType: 'constructor' })],
  ['scaled', 'a.mha', 'ElementToIntensityFunctionSlope', meta({ ElementToIntensityFunctionSlope: '2' })],
  ['no size', 'a.mha', 'DimSize', meta({ DimSize: undefined })],
  ['size of text', 'a.mha', 'DimSize', meta({ DimSize: '4 x 2' })],
  ['absurd size', 'a.mha', 'DimSize', meta({ DimSize: '1000000 1000000 10' })],
  ['more than the file', 'a.mha', 'voxels', meta({ DimSize: '4 3 3' })],
  [
    'more than zlib can hold',
    'a.mha',
    'voxels',
    meta({ DimSize: '900 900 500', CompressedData: 'True' }, deflateSync(voxels)),
  ],
  ['short, compressed', 'a.mha', 'voxels', meta({ DimSize: '4 3 3', CompressedData: 'True' }, deflateSync(voxels))],
  ['not compressed', 'a.mha', 'voxels', meta({ CompressedData: 'True' })],
  [
    'compressed size beyond reason',
    'a.mha',
    'CompressedDataSize',
    meta({ CompressedData: 'True', CompressedDataSize: '-4' }),
  ],
  ['a flag of text', 'a.mha', 'compresseddata', meta({ CompressedData: 'maybe' })],
  ['compressed text', 'a.mha', 'CompressedData', meta({ BinaryData: 'False', CompressedData: 'True' })],
  ['no spacing', 'a.mha', 'ElementSpacing', meta({ ElementSpacing: undefined })],
  ['spacing 0', 'a.mha', 'ElementSpacing', meta({ ElementSpacing: '1 1 0' })],
  ['singular', 'a.mha', 'TransformMatrix', meta({ TransformMatrix: '1 0 0 1 0 0 0 0 1' })],
  ['matrix of 8', 'a.mha', 'TransformMatrix', meta({ TransformMatrix: '1 0 0 0 1 0 0 0' })],
  ['offset infinite', 'a.mha', 'Offset', meta({ Offset: '0 0 Infinity' })],
  ['centimetres, which ITK takes for millimetres', 'a.mha', 'DistanceUnits', meta({ DistanceUnits: 'cm' })],
  ['long of four bytes', 'a.mha', 'voxels', meta({ ElementType: 'MET_LONG' }, Buffer.alloc(96))],
  ['skip inside the file', 'a.mha', 'HeaderSize', meta({ HeaderSize: '12' })],
  ['data above the folder', 'a.mhd', 'ElementDataFile', meta({ ElementDataFile: '../secret.raw' })],
  ['absolute data', 'a.mhd', 'ElementDataFile', meta({ ElementDataFile: '/etc/passwd' })],
  ['data behind a link', 'a.mhd', 'ElementDataFile', meta({ ElementDataFile: 'link.raw' })],
  [
    'a list with a way out',
    'a.mhd',
    'ElementDataFile',
    meta({ ElementDataFile: 'LIST' }, Buffer.from('../secret.raw\n')),
  ],
  ['a series of millions', 'a.mhd', 'ElementDataFile', meta({ ElementDataFile: 's%d.raw 1 90000000 1' })],
];

let folder = '';
beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
  folder = join(root, 'data');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(root, 'secret.raw'), voxels);
  symlinkSync(join(root, 'secret.raw'), join(folder, 'link.raw'));
  symlinkSync(root, join(folder, 'up'));
  for (let part = 1; part <= 5; part++) writeFileSync(join(folder, `part-${part}.raw`), voxels);
});
afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

async function failure(path: string): Promise<unknown> {
  return await readVolume(path).catch((error: unknown) => error);
}

describe('bad files', () => {
  it.each(cases)('%s: %s', async (_title, file, field, bytes) => {
    const path = join(folder, file);
    writeFileSync(path, bytes);
    const before = process.memoryUsage().arrayBuffers;
    const error = await failure(path);
    expect(error).toBeInstanceOf(file.startsWith('a.m') ? MetaImageError : NrrdError);
    expect(error).toMatchObject({ code: file.startsWith('a.m') ? 'metaimage' : 'nrrd', field });
    expect((error as Error).message).toContain(`: ${field}: `);
    expect((error as Error).message).toContain(folder);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32e6);
  });

  it('the untouched files are good', async () => {
    writeFileSync(join(folder, 'good.nrrd'), nrrd());
    writeFileSync(join(folder, 'good.mha'), meta());
    const affine = [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1];
    for (const name of ['good.nrrd', 'good.mha']) {
      const volume = await readVolume(join(folder, name));
      expect(volume).toMatchObject({ voxels: new Int16Array(24).fill(0x0707), size: [4, 3, 2], affine });
    }
  });
});

describe('files that would take for ever', () => {
  const many = 4_000_000;
  /** May meet a long text: none can begin to match at many places and fail only far behind each. */
  const linearPatterns = new Set([
    /^\s*ElementDataFile\s*[=:]\s*(LIST\b)?/.source,
    /^LIST(\s|$)/.source,
    /: ?|:=/.source,
    /\r?\n\r?\n/.source,
    /\([^()]*\)|none/.source,
    /[^\s,]+/.source,
  ]);
  it.each([
    ['blank lines before a field', 'a.mha', Buffer.alloc(many, '\n')],
    ['blanks in a line', 'a.mha', Buffer.from(`NDims${' '.repeat(many)}`)],
    ['blanks in the name of a data file', 'a.nrrd', nrrd({ 'data file': `a%d${' '.repeat(many)}b` })],
    ['brackets', 'a.nrrd', nrrd({ 'space directions': '('.repeat(many) })],
    ['a number of a million digits', 'a.nrrd', nrrd({ encoding: 'text' }, Buffer.from(`${'1'.repeat(1_000_000)}x`))],
    ['lines without end', 'a.nrrd', Buffer.from(`NRRD0004\n${'a: b\n'.repeat(500_000)}`)],
    ['a list of a million files', 'a.nhdr', nrrd({ 'data file': 'LIST' }, Buffer.from('a.raw\n'.repeat(600_000)))],
  ])('%s: %s', async (_title, file, bytes) => {
    const path = join(folder, file);
    writeFileSync(path, bytes);
    const { steps, patternsOnLongTexts } = await countSteps(async () =>
      expect(await failure(path)).toHaveProperty('code'),
    );
    expect(steps).toBeLessThan(20 * bytes.length);
    expect(patternsOnLongTexts.filter((pattern) => !linearPatterns.has(pattern))).toEqual([]);
  });

  it('one file named twice is refused: it could be a bomb, decompressed as often', async () => {
    writeFileSync(join(folder, 'twice.raw'), voxels.subarray(0, 24));
    const list = Buffer.from('twice.raw\n./twice.raw\n');
    writeFileSync(join(folder, 'twice.nhdr'), nrrd({ 'data file': 'LIST' }, list));
    expect(await failure(join(folder, 'twice.nhdr'))).toMatchObject({ field: 'data file' });
  });
});

describe('odd but good files', () => {
  it('axes of size 1 that are not of space are left out', async () => {
    writeFileSync(
      join(folder, 'odd.nrrd'),
      nrrd({
        dimension: '4',
        sizes: '1 4 3 2',
        kinds: 'list domain domain domain',
        'space directions': 'none (1,0,0) (0,1,0) (0,0,2)',
      }),
    );
    expect((await readVolume(join(folder, 'odd.nrrd'))).size).toEqual([4, 3, 2]);
    writeFileSync(
      join(folder, 'odd.mha'),
      meta({
        NDims: '4',
        DimSize: '4 3 2 1',
        TransformMatrix: '1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1',
        ElementSpacing: '1 1 2 1',
        Offset: '1 2 3 0',
      }),
    );
    expect((await readVolume(join(folder, 'odd.mha'))).affine[3]).toBe(-1);
  });

  it('millimetres may be said', async () => {
    writeFileSync(join(folder, 'mm.nrrd'), nrrd({ 'space units': '"mm" "mm" "mm"', 'space origin': '(0,0,3)' }));
    expect((await readVolume(join(folder, 'mm.nrrd'))).affine.slice(8, 12)).toEqual([0, 0, 2, 3]);
    writeFileSync(join(folder, 'mm.mha'), meta({ DistanceUnits: 'mm', Offset: '0 0 3' }));
    expect((await readVolume(join(folder, 'mm.mha'))).affine.slice(8, 12)).toEqual([0, 0, 2, 3]);
  });

  it('a long has eight bytes', async () => {
    const data = new BigInt64Array(24).fill(-(2n ** 40n));
    writeFileSync(join(folder, 'long.mha'), meta({ ElementType: 'MET_LONG' }, new Uint8Array(data.buffer)));
    expect((await readVolume(join(folder, 'long.mha'))).voxels).toEqual(new Float64Array(24).fill(-(2 ** 40)));
  });

  it('detached data count as files of the volume', async () => {
    writeFileSync(join(folder, 'd.raw'), voxels);
    writeFileSync(join(folder, 'd.nhdr'), nrrd({ 'data file': 'd.raw' }, Buffer.alloc(0)));
    writeFileSync(join(folder, 'd.mhd'), meta({ ElementDataFile: 'sub\\d.raw' }, Buffer.alloc(0)));
    writeFileSync(join(folder, 'sub', 'd.raw'), voxels);
    expect(await volumeFiles(join(folder, 'd.nhdr'))).toEqual([join(folder, 'd.nhdr'), join(folder, 'd.raw')]);
    expect(await volumeFiles(join(folder, 'd.mhd'))).toEqual([join(folder, 'd.mhd'), join(folder, 'sub', 'd.raw')]);
    expect((await readVolume(join(folder, 'd.mhd'))).size).toEqual([4, 3, 2]);
  });

  it('labels that are none are refused by the format’s own error', async () => {
    writeFileSync(join(folder, 'labels.nrrd'), nrrd());
    await expect(readLabels(join(folder, 'labels.nrrd'))).rejects.toThrow(NrrdError);
    writeFileSync(join(folder, 'labels.mha'), meta({}, Buffer.alloc(48)));
    expect((await readLabels(join(folder, 'labels.mha'))).voxels).toEqual(new Uint8Array(24));
  });

  it('what is made of such a scan is written as NIfTI in the same place', async () => {
    writeFileSync(
      join(folder, 'scan.nrrd'),
      nrrd({ 'space directions': '(0.6,0.45,0) (-0.48,0.64,0) (0,0,-2.5)', 'space origin': '(-101.5,82.25,-340.125)' }),
    );
    const { size, affine, properties } = await readVolume(join(folder, 'scan.nrrd'));
    const path = join(folder, 'mask.nii.gz');
    await writeVolume(path, { voxels: new Uint8Array(24), size, affine }, { like: properties });
    const mask = await readNiftiFile(path);
    expect(mask.volume.size).toEqual(size);
    for (const [i, value] of affine.entries()) expect(Math.abs(mask.volume.affine[i] - value)).toBeLessThan(1e-5);
    expect(mask.header).toMatchObject({ affineSource: 'sform', qformCode: 1, sformCode: 1 });
  });
});
