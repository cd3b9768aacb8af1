import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { casesAndScansOf, casesOf, DatasetError, formatCaseList, readCaseList } from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-list-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(text: string, name = 'cases.csv'): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe('readCaseList', () => {
  it('reads CSV: paths relative to the list, names from files, patients from names, quotes, a mark, blank lines', async () => {
    const text =
      '\uFEFFPatient,image,LABEL,extra\r\n,ct/radiopaedia_10_1_1.nii.gz,masks/a.nrrd,x\r\n\r\np 2,"ct/b, ""two"".mha","/abs/b.nii"\r\n';
    expect(await readCaseList(await put(text))).toEqual([
      {
        name: 'b, "two"',
        imagePath: join(folder, 'ct/b, "two".mha'),
        labelPath: '/abs/b.nii',
        patient: 'p 2',
        split: 'train',
      },
      {
        name: 'radiopaedia_10_1_1',
        imagePath: join(folder, 'ct/radiopaedia_10_1_1.nii.gz'),
        labelPath: join(folder, 'masks/a.nrrd'),
        patient: 'radiopaedia_10',
        split: 'train',
      },
    ]);
  });

  it('reads JSON, and what it writes as CSV reads back', async () => {
    const entries = [
      { name: 'a', image: 'x/1.nii', label: 'y/1.nii', patient: 'p,1' },
      { image: 'x/2.nii.gz', split: 'test' },
    ];
    const cases = await readCaseList(await put(JSON.stringify(entries), 'cases.json'));
    expect(cases.map(({ name, split }) => [name, split])).toEqual([
      ['2', 'test'],
      ['a', 'train'],
    ]);
    expect(await readCaseList(await put(formatCaseList(cases, folder)))).toEqual(cases);
  });

  it.each([
    ['no heading', 'a.nii,b.nii\n', /line 1: no column image/],
    ['a column twice', 'image,image\n', /the column image stands twice/],
    ['too many cells', 'image,label\na.nii,b.nii,c\n', /line 2: 3 cells under 2 columns/],
    ['no image', 'image,label\na.nii,\n,b.nii\n', /line 3: image: is empty/],
    ['an image that is none', 'image\na.png\n', /line 2: image: a\.png is no/],
    ['a label that is none', 'image,label\na.nii,a.txt\n', /line 2: label: a\.txt is no/],
    [
      'an unknown split',
      'image,split\na.nii,val\n',
      /split: val is not known; use one of train, train-only, validation, test/,
    ],
    ['a name that is a path', 'image,name\na.nii,../a\n', /name: "\.\.\/a" cannot be part of a file name/],
    ['a name twice', 'image\nx/a.nii\ny/a.nii\n', /line 3: name: a is the name in line 2 too/],
    ['an open quote', 'image\n"a.nii\n', /line 2: a quote that is not closed/],
    ['nothing', 'image\n', /no case in this list/],
  ])('refuses %s', async (_what, text, message) => {
    const path = await put(text);
    const error: unknown = await readCaseList(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatasetError);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(path);
  });

  it('refuses lists that cannot be read, and JSON that is none', async () => {
    await expect(readCaseList(join(folder, 'none.csv'))).rejects.toThrow(/cannot read this list .*columns name, image/);
    await expect(readCaseList(await put('{', 'a.json'))).rejects.toThrow(/not JSON/);
    await expect(readCaseList(await put('{}', 'a.json'))).rejects.toThrow(/expected a list/);
    await expect(readCaseList(await put('[{"image": 3}]', 'a.json'))).rejects.toThrow(
      /entry 1: image: expected a text/,
    );
  });
});

describe('casesOf', () => {
  const data = { images: '', labels: '', patients: {} };

  it('takes the training rows of a list, with the patients of the configuration over those of the list', async () => {
    const list = await put('image,label,patient,split\na.nii,a.nrrd,p1,\nb.nii,b.nrrd,p2,train\nc.nii,,p3,test\n');
    const cases = await casesOf({ ...data, list, patients: { b: 'other' } });
    expect(cases).toEqual([
      { name: 'a', imagePath: join(folder, 'a.nii'), labelPath: join(folder, 'a.nrrd'), patient: 'p1' },
      { name: 'b', imagePath: join(folder, 'b.nii'), labelPath: join(folder, 'b.nrrd'), patient: 'other' },
    ]);
    await expect(casesOf({ ...data, list, patients: { z: 'p' } })).rejects.toThrow(/patients: z is not a case/);
  });

  it('refuses a patient on both sides, rows without labels, and lists of tests alone', async () => {
    const both = await put('image,label,patient,split\na.nii,a.nrrd,p1,train\nb.nii,b.nrrd,p1,test\n');
    await expect(casesOf({ ...data, list: both })).rejects.toThrow(/patient p1 is in train \(a\) and in test/);
    const odd = await put('image,label\nconstructor.nii,a.nrrd\n');
    expect((await casesOf({ ...data, list: odd }))[0].patient).toBe('constructor');
    const bare = await put('image\na.nii\n');
    await expect(casesOf({ ...data, list: bare })).rejects.toThrow(/a has no label/);
    const tests = await put('image,split\na.nii,test\n');
    await expect(casesOf({ ...data, list: tests })).rejects.toThrow(/every case is of the split test/);
  });

  it('says which cases are never validated on, and which always', async () => {
    const list = await put(
      'image,label,split\na.nii,a.nrrd,train\nb.nii,b.nrrd,train-only\nc.nii,c.nrrd,validation\nd.nii,,test\n',
    );
    const cases = await casesOf({ ...data, list });
    expect(cases.map(({ name, role }) => [name, role])).toEqual([
      ['a', undefined],
      ['b', 'train-only'],
      ['c', 'validation'],
    ]);
    expect(formatCaseList(await readCaseList(list), folder)).toMatch(
      /b,b\.nii,b\.nrrd,b,train-only\nc,.*,validation\n/,
    );
    const divided = await put('image,label,patient,split\na.nii,a.nrrd,p,train-only\nb.nii,,p,test\n');
    await expect(casesOf({ ...data, list: divided })).rejects.toThrow(/patient p is in train-only \(a\) and in test/);
  });

  it('takes scans without labels to distill, never to be validated on', async () => {
    const list = await put('image,label,split\na.nii,a.nrrd,\nb.nii,,\nc.nii,c.nrrd,validation\nd.nii,,test\n');
    expect(await casesAndScansOf({ ...data, list })).toEqual([
      { name: 'a', imagePath: join(folder, 'a.nii'), labelPath: join(folder, 'a.nrrd'), patient: 'a' },
      { name: 'b', imagePath: join(folder, 'b.nii'), patient: 'b', role: 'train-only' },
      expect.objectContaining({ name: 'c', role: 'validation' }),
    ]);
    const judge = await put('image,label,split\nb.nii,,validation\n');
    await expect(casesAndScansOf({ ...data, list: judge })).rejects.toThrow(/b is of the split validation and has no/);
    const divided = await put('image,patient,split\na.nii,p,train\nb.nii,p,test\n');
    await expect(casesAndScansOf({ ...data, list: divided })).rejects.toThrow(
      /patient p is in train \(a\) and in test/,
    );
  });

  it('goes by folders where there is no list, with patients', async () => {
    await writeFile(join(folder, 'a.nii'), '');
    const cases = await casesOf({ list: null, images: folder, labels: folder, patients: { a: 'one' } });
    expect(cases.map(({ name, patient }) => [name, patient])).toEqual([['a', 'one']]);
  });
});
