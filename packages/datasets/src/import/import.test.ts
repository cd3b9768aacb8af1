import { mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readLabels, readVolume } from '@quickcolumn/io';
import { casesOf, DatasetError, readCaseList } from '@quickcolumn/cases';
import { covidClasses } from '@quickcolumn/volume';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putLabels, putScan, putText } from '../datasets.test.helpers.js';
import { canonicalName } from './import-covid.js';
import { importDataset, writeImported } from '../index.js';
import { classesFromNames } from './label-classes.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-import-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const refusal = async (source: string): Promise<string> => {
  const error: unknown = await importDataset(source).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DatasetError);
  return (error as Error).message;
};

describe('COVID-19-CT-Seg', () => {
  it('takes joint masks, joins lung and infection where there is none, and matches all spellings of a name', async () => {
    await putScan(join(root, 'COVID-19-CT-Seg_20cases/coronacases_001.nii.gz'), 1);
    // Unzipped into a folder of the same name, with the names of a copy of the set.
    await putScan(join(root, 'COVID-19-CT-Seg_20cases/radiopaedia_org_covid-19-pneumonia-10_85902_1-dcm.nii.gz'), 2);
    await putLabels(join(root, 'Lung_and_Infection_Mask/Lung_and_Infection_Mask/coronacases_001.nii.gz'), [1, 2, 3]);
    await putLabels(join(root, 'Lung_Mask/radiopaedia_10_85902_1.nii.gz'), [1, 2, 2]);
    await putLabels(join(root, 'Infection_Mask/radiopaedia_10_85902_1.nii.gz'), [0, 0, 1]);
    const dataset = await importDataset(root);
    expect(dataset).toMatchObject({ layout: 'covid19-ct-seg', classes: covidClasses });
    expect(dataset.notes.join(' ')).toMatch(/CC BY-NC-SA.*1 label maps are joined/);

    const out = join(root, 'out');
    const written = await writeImported(dataset, out);
    expect(await readCaseList(join(out, 'cases.csv'))).toEqual(written);
    expect(written.map(({ name, patient }) => [name, patient])).toEqual([
      ['coronacases_001', 'coronacases_001'],
      ['radiopaedia_10_85902_1', 'radiopaedia_10'],
    ]);
    const joined = await readLabels(join(out, 'labels/radiopaedia_10_85902_1.nii.gz'));
    const count = (value: number): number => joined.voxels.filter((label) => label === value).length;
    expect([1, 2, 3].map(count)).toEqual([100, 100, 100]);
    expect(written[0].labelPath).toContain('Lung_and_Infection_Mask');
    expect(await readFile(join(out, 'cases.csv'), 'utf8')).toContain(
      '../COVID-19-CT-Seg_20cases/coronacases_001.nii.gz',
    );
    expect(await casesOf({ list: join(out, 'cases.csv'), images: '', labels: '', patients: {} })).toHaveLength(2);
    await expect(writeImported(dataset, out)).rejects.toThrow(/exists/);
    await writeImported(dataset, out, { force: true });
  });

  it('copies on request, so that the source can go', async () => {
    await putScan(join(root, 'set/COVID-19-CT-Seg_20cases/coronacases_org_002.nii.gz'), 1);
    await putLabels(join(root, 'set/Lung_and_Infection_Mask/coronacases_002.nii.gz'), [1]);
    const scan = await readVolume(join(root, 'set/COVID-19-CT-Seg_20cases/coronacases_org_002.nii.gz'));
    const out = join(root, 'out');
    const [entry] = await writeImported(await importDataset(join(root, 'set')), out, { copy: true });
    await rm(join(root, 'set'), { recursive: true });
    expect(entry.imagePath).toBe(join(out, 'ct/coronacases_002.nii.gz'));
    expect((await readVolume(entry.imagePath)).voxels).toEqual(scan.voxels);
    expect((await readLabels(entry.labelPath ?? '')).voxels[0]).toBe(1);
  });

  it('refuses scans without masks, masks on other grids and with other values', async () => {
    await putScan(join(root, 'ct_scans/coronacases_003.nii.gz'), 1);
    expect(await refusal(root)).toMatch(/no masks for coronacases_003/);
    await putLabels(join(root, 'Lung_Mask/coronacases_003.nii.gz'), [1, 2]);
    await putLabels(join(root, 'Infection_Mask/coronacases_003.nii.gz'), [1], { size: [12, 10, 7] });
    const write = async (): Promise<unknown> => await writeImported(await importDataset(root), join(root, 'out'));
    await expect(write()).rejects.toThrow(/not on one grid: sizes differ/);
    await putLabels(join(root, 'Infection_Mask/coronacases_003.nii.gz'), [2]);
    await expect(write()).rejects.toThrow(/value 2; expected 1 alone/);
  });

  it.each([
    ['coronacases_org_001', 'coronacases_001'],
    ['radiopaedia_org_covid-19-pneumonia-14_85914_0-dcm', 'radiopaedia_14_85914_0'],
    ['radiopaedia_14_85914_0', 'radiopaedia_14_85914_0'],
  ])('%s is %s', (given, wanted) => expect(canonicalName(given)).toBe(wanted));
});

describe('dataset.json', () => {
  const description = (changes: object): string =>
    JSON.stringify({
      name: 'Lung',
      licence: 'CC-BY-SA 4.0',
      modality: { 0: 'CT' },
      labels: { 0: 'background', 1: 'cancer' },
      training: [{ image: './imagesTr/lung_001.nii.gz', label: './labelsTr/lung_001.nii.gz' }],
      test: ['./imagesTs/lung_002.nii.gz'],
      ...changes,
    });

  async function putMsd(changes: object = {}): Promise<void> {
    await putText(join(root, 'dataset.json'), description(changes));
    await putScan(join(root, 'imagesTr/lung_001.nii.gz'), 1);
    await putLabels(join(root, 'labelsTr/lung_001.nii.gz'), [1]);
    await putScan(join(root, 'imagesTs/lung_002.nii.gz'), 2);
  }

  it('reads the Decathlon: cases, classes, test images without labels', async () => {
    await putMsd();
    const dataset = await importDataset(root);
    expect(dataset).toMatchObject({ layout: 'msd', title: 'Lung (Medical Segmentation Decathlon)' });
    expect(dataset.classes?.map(({ value, name }) => [value, name])).toEqual([
      [0, 'background'],
      [1, 'cancer'],
    ]);
    expect(dataset.cases.map(({ name, split, labelPath }) => [name, split, labelPath !== undefined])).toEqual([
      ['lung_001', 'train', true],
      ['lung_002', 'test', false],
    ]);
    expect(dataset.notes.join(' ')).toMatch(/CC-BY-SA 4.0.*1 test images/);
  });

  it('tells test images that are not there', async () => {
    await putMsd({ test: ['./imagesTs/lung_002.nii.gz', './imagesTs/lung_003.nii.gz'] });
    const { cases, notes } = await importDataset(root);
    expect(cases.map(({ name }) => name)).toEqual(['lung_001', 'lung_002']);
    const gone = join('imagesTs', 'lung_003.nii.gz');
    expect(notes).toContain(`1 test images that dataset.json names are not there: ${gone}; left out.`);
  });

  it('copies no file that a link out of the dataset leads to, unless that is asked for', async () => {
    await putMsd();
    const elsewhere = await putScan(join(root, '..', `${basename(root)}-elsewhere.nii.gz`), 9);
    try {
      await rm(join(root, 'imagesTr/lung_001.nii.gz'));
      await symlink(elsewhere, join(root, 'imagesTr/lung_001.nii.gz'));
      // Within the dataset links are followed, as git-annex and DVC make them.
      await rename(join(root, 'labelsTr/lung_001.nii.gz'), join(root, 'object'));
      await symlink(join(root, 'object'), join(root, 'labelsTr/lung_001.nii.gz'));
      const dataset = await importDataset(root);
      const copying = writeImported(dataset, join(root, 'out'), { copy: true });
      await expect(copying).rejects.toMatchObject({
        code: 'dataset',
        fields: { options: { 'follow-links': 'copy what it leads to' } },
      });
      await expect(copying).rejects.toThrow(/lung_001\.nii\.gz is a link out of the dataset, to .*-elsewhere\.nii\.gz/);
      await expect(readFile(join(root, 'out/ct/lung_001.nii.gz'))).rejects.toThrow('ENOENT');
      const [entry] = await writeImported(dataset, join(root, 'out'), { copy: true, followLinks: true });
      expect(await readFile(entry.imagePath)).toEqual(await readFile(elsewhere));
    } finally {
      await rm(elsewhere);
    }
  });

  it('reads nnU-Net 1: the list names files without the channel', async () => {
    await putMsd();
    await rm(join(root, 'imagesTr/lung_001.nii.gz'));
    await putScan(join(root, 'imagesTr/lung_001_0000.nii.gz'), 1);
    const dataset = await importDataset(root);
    expect(dataset.layout).toBe('nnunet');
    expect(dataset.cases[0]).toMatchObject({
      name: 'lung_001',
      imagePath: join(root, 'imagesTr/lung_001_0000.nii.gz'),
      labelPath: join(root, 'labelsTr/lung_001.nii.gz'),
    });
  });

  it('reads nnU-Net 2: names by file ending, labels turned round, mirror partners by name', async () => {
    await putText(
      join(root, 'dataset.json'),
      JSON.stringify({
        channel_names: { 0: 'CT' },
        labels: { background: 0, 'left lung': '1', 'Right Lung': 2 },
        numTraining: 1,
        file_ending: '.nii',
      }),
    );
    await putScan(join(root, 'imagesTr/a_0000.nii'), 1);
    await putScan(join(root, 'imagesTs/b_0000.nii'), 2);
    await putLabels(join(root, 'labelsTr/a.nii'), [1]);
    const dataset = await importDataset(root);
    expect(dataset.layout).toBe('nnunet');
    expect(dataset.cases.map(({ name, split }) => [name, split])).toEqual([
      ['a', 'train'],
      ['b', 'test'],
    ]);
    expect(dataset.classes?.map(({ mirror }) => mirror)).toEqual([undefined, 2, 1]);
    await putScan(join(root, 'imagesTr/c_0000.nii'), 3);
    expect(await refusal(root)).toMatch(/no label in labelsTr for c_0000/);
    await putLabels(join(root, 'labelsTr/c.nii'), [1]);
    await putScan(join(root, 'imagesTr/c_0001.nii'), 3);
    expect(await refusal(root)).toMatch(/c has more than one channel/);
  });

  it.each([
    ['two modalities', { modality: { 0: 'CT', 1: 'PET' } }, /2 channels \(CT, PET\)/],
    ['regions', { labels: { background: 0, all: [1, 2] } }, /labels\.all: a region of several values/],
    ['an ignore label', { labels: { background: 0, lung: 1, ignore: 2 } }, /value 2 is 'ignore'/],
    ['no background', { labels: { 1: 'a', 2: 'b' } }, /expected a background of value 0/],
    ['a label that is no byte', { labels: { 0: 'background', 300: 'b' } }, /300 \(b\)/],
    ['no labels', { labels: undefined }, /dataset\.json: labels/],
    ['no cases', { training: [] }, /lists no training case/],
    ['a way out', { training: [{ image: '../x.nii', label: 'l.nii' }] }, /outside of the folder|no such file/],
    [
      'a way out by the label',
      { training: [{ image: 'x.nii', label: '/etc/passwd' }] },
      /"\/etc\/passwd", which is outside/,
    ],
    [
      'a missing file',
      { training: [{ image: 'x.nii', label: 'x.nii' }] },
      /no such file, though dataset\.json names it/,
    ],
  ])('refuses %s', async (_what, changes, message) => {
    await putMsd(changes);
    expect(await refusal(root)).toMatch(message);
  });

  it('refuses what is not JSON', async () => {
    await putText(join(root, 'dataset.json'), '{');
    expect(await refusal(root)).toMatch(/dataset\.json: cannot read it as JSON/);
  });
});

describe('other sources', () => {
  it('a list is taken as it is; unknown layouts are refused with what is known', async () => {
    const list = await putText(join(root, 'cases.csv'), 'image,label\na.nii,b.nii\n');
    expect(await refusal(list)).toBe(
      `${list}: 2 of its files are not there: ${join(root, 'a.nii')}, ${join(root, 'b.nii')}`,
    );
    await putScan(join(root, 'a.nii'), 1);
    await putLabels(join(root, 'b.nii'), [1]);
    expect(await importDataset(list)).toMatchObject({ layout: 'list', cases: [{ name: 'a' }] });
    expect(await refusal(root)).toMatch(/not a layout that is known; expected the folders of COVID-19-CT-Seg/);
    expect(await refusal(join(root, 'none'))).toMatch(/no such file or folder/);
  });

  it('classes get colours that differ', () => {
    const classes = classesFromNames(
      [2, 0, 1].map((value) => [value, `c${value}`] as const),
      'x',
    );
    expect(classes.map(({ value }) => value)).toEqual([0, 1, 2]);
    expect(new Set(classes.map(({ color }) => color.join())).size).toBe(3);
  });
});
