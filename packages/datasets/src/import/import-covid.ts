/**
 * COVID-19-CT-Seg as unzipped from Zenodo (record 3757476, CC BY-NC-SA 4.0; Ma et al., "COVID-19 CT Lung and Infection
 * Segmentation Dataset", 2020): one folder of 20 scans, and folders of lung, infection and lung-and-infection masks.
 *
 * The joint masks (1 left lung, 2 right lung, 3 infection) are used where they are; else lungs and infection are joined.
 * Trap: copies of the set name the same case in several ways (`coronacases_org_001`,
 * `radiopaedia_org_covid-19-pneumonia-10_85902_1-dcm`), so names are brought to one form before they are matched.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { volumeName } from '@quickcolumn/io';
import { DatasetError, patientOf } from '@quickcolumn/cases';
import { covidClasses } from '@quickcolumn/volume';
import type { ImportedCase, ImportedDataset } from './imported.js';

const folders = {
  images: ['covid-19-ct-seg_20cases', 'ct_scans'],
  lung: ['lung_mask'],
  infection: ['infection_mask'],
  joint: ['lung_and_infection_mask'],
} as const;

type Part = keyof typeof folders;

/** Whether a folder looks like the unzipped record. Throws DatasetError for a folder that cannot be listed. */
export async function isCovidLayout(root: string): Promise<boolean> {
  return (await findFolders(root)).images !== undefined;
}

/** @throws DatasetError when a folder is missing, a scan has no mask, or two files are the same case. */
export async function importCovid(root: string): Promise<ImportedDataset> {
  const found = await findFolders(root);
  if (found.images === undefined) {
    throw new DatasetError(
      `${root}: no folder COVID-19-CT-Seg_20cases here; unzip the files of the record side by side`,
    );
  }
  const none = new Map<string, string>();
  const scans = await volumesIn(found.images);
  const [joint, lung, infection] = await Promise.all(
    (['joint', 'lung', 'infection'] as const).map(async (part) => {
      const folder = found[part];
      return folder === undefined ? none : await volumesIn(folder);
    }),
  );
  if (scans.size === 0) throw new DatasetError(`${found.images}: no scans in this folder`);
  const unmasked: string[] = [];
  const cases = [...scans]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, imagePath]): ImportedCase => {
      const entry = { name, imagePath, patient: patientOf(name), split: 'train' } as const;
      const labelPath = joint.get(name);
      if (labelPath !== undefined) return { ...entry, labelPath };
      const [lungPath, infectionPath] = [lung.get(name), infection.get(name)];
      if (lungPath === undefined || infectionPath === undefined) unmasked.push(name);
      return { ...entry, combine: { lungPath: lungPath ?? '', infectionPath: infectionPath ?? '' } };
    });
  if (unmasked.length > 0) {
    throw new DatasetError(
      `${root}: no masks for ${unmasked.join(', ')}; each scan needs one in Lung_and_Infection_Mask, or one each in ` +
        'Lung_Mask and Infection_Mask',
      { root },
    );
  }
  const joined = cases.filter(({ combine }) => combine !== undefined).length;
  return {
    layout: 'covid19-ct-seg',
    root,
    title: 'COVID-19-CT-Seg (Zenodo 3757476)',
    cases,
    classes: covidClasses,
    notes: [
      'COVID-19-CT-Seg is CC BY-NC-SA 4.0: mind it for what is trained on it.',
      'The radiopaedia scans were windowed to 0–255 by the publisher; they are detected and left as they are.',
      ...(joined > 0 ? [`${joined} label maps are joined from lung and infection masks.`] : []),
    ],
  };
}

/** One name for all spellings of a case. */
export function canonicalName(name: string): string {
  return name
    .replace(/^(coronacases|radiopaedia)_org_/, '$1_')
    .replace(/^radiopaedia_covid-19-pneumonia-/, 'radiopaedia_')
    .replace(/-dcm$/, '');
}

async function findFolders(root: string): Promise<Partial<Record<Part, string>>> {
  const entries = await list(root);
  const result: Partial<Record<Part, string>> = {};
  for (const part of Object.keys(folders) as Part[]) {
    const entry = entries.find(({ name, isFolder }) => isFolder && folders[part].some((n) => n === name.toLowerCase()));
    if (entry !== undefined) result[part] = join(root, entry.name);
  }
  return result;
}

/** Case name → path. Unzipping often makes a folder inside a folder of the same name: it is looked into. */
async function volumesIn(folder: string): Promise<Map<string, string>> {
  const entries = await list(folder);
  const [inner, ...others] = entries.filter(({ isFolder, name }) => isFolder && !name.startsWith('.'));
  const files = entries.filter(({ name, isFolder }) => !isFolder && volumeName(name) !== undefined);
  if (files.length === 0 && inner !== undefined && others.length === 0)
    return await volumesIn(join(folder, inner.name));
  const found = new Map<string, string>();
  for (const { name: file } of files) {
    const name = canonicalName(volumeName(file) ?? file);
    const twin = found.get(name);
    if (twin !== undefined)
      throw new DatasetError(`${folder}: ${twin} and ${file} are the same case; remove one`, { folder });
    found.set(name, join(folder, file));
  }
  return found;
}

async function list(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch (cause) {
    throw new DatasetError(`${folder}: cannot list this folder (${(cause as Error).message})`, { folder }, { cause });
  }
}
