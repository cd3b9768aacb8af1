import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listCases } from './dataset.js';
import { DatasetError } from './dataset-error.js';
import { patientOf } from './patient.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-dataset-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function layout(
  images: readonly string[],
  labels: readonly string[],
): Promise<{ images: string; labels: string }> {
  for (const [name, files] of [
    ['images', images],
    ['labels', labels],
  ] as const) {
    await mkdir(join(folder, name));
    for (const file of files) await writeFile(join(folder, name, file), '');
  }
  return { images: join(folder, 'images'), labels: join(folder, 'labels') };
}

describe('listCases', () => {
  it('pairs .nii and .nii.gz by name, sorted, and ignores other files', async () => {
    const folders = await layout(['b.nii.gz', 'a.nii', 'notes.txt', '._a.nii'], ['a.nii.gz', 'b.nii.gz']);
    expect(await listCases(folders)).toEqual([
      {
        name: 'a',
        imagePath: join(folders.images, 'a.nii'),
        labelPath: join(folders.labels, 'a.nii.gz'),
        patient: 'a',
      },
      {
        name: 'b',
        imagePath: join(folders.images, 'b.nii.gz'),
        labelPath: join(folders.labels, 'b.nii.gz'),
        patient: 'b',
      },
    ]);
  });

  it('names every unmatched file on both sides', async () => {
    const folders = await layout(['a.nii', 'b.nii', 'c.nii'], ['c.nii', 'd.nii.gz']);
    const error = await listCases(folders).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DatasetError);
    expect(error).toMatchObject({ code: 'dataset' });
    expect(String(error)).toMatch(/no label in .*labels for a\.nii, b\.nii; no image in .*images for d\.nii\.gz/);
  });

  it('refuses duplicates, empty and missing folders, and patients of unknown cases', async () => {
    const folders = await layout(['a.nii', 'a.nii.gz'], []);
    await expect(listCases(folders)).rejects.toThrow(/a\.nii and a\.nii\.gz are the same case/);
    await rm(join(folders.images, 'a.nii'));
    await rm(join(folders.images, 'a.nii.gz'));
    await expect(listCases(folders)).rejects.toThrow(/no \.nii\.gz, .* file in this folder/);
    await expect(listCases({ ...folders, labels: join(folder, 'absent') })).rejects.toThrow(/absent: cannot list/);
    await writeFile(join(folders.images, 'a.nii'), '');
    await writeFile(join(folders.labels, 'a.nii'), '');
    await expect(listCases(folders, { patients: { z: 'one' } })).rejects.toThrow(/patients: z is not a case/);
    expect((await listCases(folders, { patients: { a: 'one' } }))[0].patient).toBe('one');
  });
});

describe('patientOf', () => {
  it('groups Radiopaedia studies and series of one case, and nothing else', () => {
    expect(patientOf('radiopaedia_10_85902_1')).toBe(patientOf('radiopaedia_10_85902_3'));
    expect(patientOf('radiopaedia_29_86490_1')).toBe(patientOf('radiopaedia_29_86491_1'));
    expect(patientOf('radiopaedia_4_85506_1')).not.toBe(patientOf('radiopaedia_40_86625_0'));
    expect(patientOf('coronacases_001')).not.toBe(patientOf('coronacases_002'));
    expect(patientOf('lung_003')).toBe('lung_003');
    expect(patientOf('lung_003', { lung_003: 'p7' })).toBe('p7');
  });
});
