/** Descriptions of datasets: lists of cases (CSV, JSON) and `dataset.json`, which name files and so could name any file. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { importDataset } from '@quickcolumn/datasets';
import { readCaseList } from '@quickcolumn/cases';
import type { FuzzReader, FuzzSeed } from './reader.js';
import { varyBytes, varyText } from '../mutation/vary.js';

const vary: FuzzReader['vary'] = ({ bytes }, random, other) =>
  random.next() < 0.8 ? varyText(bytes, random) : varyBytes(bytes, random, other);

function seedsOf(extension: string, texts: readonly string[]): FuzzSeed[] {
  return texts.map((text, i) => ({ name: `made-${i}${extension}`, extension, bytes: Buffer.from(text) }));
}

export const listReader: FuzzReader = {
  name: 'list',
  seeds: async () => [
    ...seedsOf('.csv', [
      'name,image,label,patient,split\na,ct/a.nii.gz,labels/a.nii.gz,p1,train\nb,ct/b.nrrd,,p2,test\n',
      'image,label\n"ct/a, ""b"".mha",x.nii\r\n"two\nlines.nii",y.nii\r\n',
      `image\n${'a'.repeat(5000)}.nii\n`,
      '"'.repeat(3000),
    ]),
    ...seedsOf('.json', [
      '[{"name": "a", "image": "a.nii", "label": "b.nii", "patient": "p"}, {"image": "c.mha", "split": "test"}]',
      '['.repeat(5000),
    ]),
  ],
  vary,
  read: async (path) => {
    const cases = await readCaseList(path);
    for (const { name } of cases) if (/[/\\]/.test(name)) throw new Error(`a case is named ${name}`);
  },
};

const labels = { background: 0, 'left lung': 1, 'right lung': 2 };
const descriptions: readonly object[] = [
  {
    name: 'Lung',
    modality: { 0: 'CT' },
    labels: { 0: 'background', 1: 'cancer' },
    training: [{ image: './imagesTr/a.nii.gz', label: './labelsTr/a.nii.gz' }],
    test: ['./imagesTs/b.nii.gz'],
  },
  { channel_names: { 0: 'CT' }, labels, numTraining: 1, file_ending: '.nii.gz' },
  { channel_names: { 0: 'CT' }, labels: { ...labels, all: [1, 2] }, file_ending: '' },
];

export const datasetJsonReader: FuzzReader = {
  name: 'dataset-json',
  seeds: async () =>
    seedsOf('.json', [...descriptions.map((value) => JSON.stringify(value, null, 1)), '{"labels":'.repeat(3000)]),
  vary,
  read: async (path) => {
    const folder = join(dirname(path), 'set');
    for (const file of ['imagesTr/a.nii.gz', 'labelsTr/a.nii.gz', 'imagesTs/b.nii.gz']) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(join(folder, file), '');
    }
    await copyFile(path, join(folder, 'dataset.json'));
    const { cases } = await importDataset(folder);
    for (const file of cases.flatMap(({ imagePath, labelPath = imagePath }) => [imagePath, labelPath])) {
      if (relative(folder, file).startsWith('..')) throw new Error(`${file} is outside of the dataset`);
    }
  },
};
