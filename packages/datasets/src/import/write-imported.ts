/**
 * An imported dataset on disk: `cases.csv`, and beside it only what has to be made (joined label maps) or what was asked
 * for (copies). Originals are never changed; no links are made, and none is followed out of the dataset.
 */
import { copyFile, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import {
  type FormatProperties,
  labelsDescription,
  makeFolder,
  readLabels,
  readVolume,
  volumeFiles,
  volumeName,
  writeFileAtomic,
  writeVolume,
} from '@quickcolumn/io';
import { DatasetError, formatCaseList, type ListedCase } from '@quickcolumn/cases';
import { compareGrids, type Volume } from '@quickcolumn/volume';
import { isThere } from './is-there.js';
import type { ImportedCase, ImportedDataset } from './imported.js';

export interface WriteImportedOptions {
  /** Copy scans and labels below the folder, so that the source can be removed. */
  readonly copy?: boolean;
  /** Replace files of an earlier import. */
  readonly force?: boolean;
  /** Copy also what links lead to that leave the dataset's folder. */
  readonly followLinks?: boolean;
  /** Called before each case. */
  readonly onCase?: (name: string, index: number) => void;
}

/** Writes the list into `folder` and returns its cases; its path is `folder`/cases.csv. */
export async function writeImported(
  dataset: ImportedDataset,
  folder: string,
  options: WriteImportedOptions = {},
): Promise<ListedCase[]> {
  const root = resolve(folder);
  await makeFolder(root);
  const cases: ListedCase[] = [];
  for (const [index, entry] of dataset.cases.entries()) {
    options.onCase?.(entry.name, index);
    if (dataset.root !== undefined && options.followLinks !== true) await requireInside(entry, dataset.root, options);
    cases.push(await writeCase(entry, root, options));
  }
  await writeFileAtomic(join(root, 'cases.csv'), formatCaseList(cases, root));
  return cases;
}

/** @throws DatasetError for a file that would be copied, or joined, from outside of the dataset */
async function requireInside(
  { imagePath, labelPath, combine }: ImportedCase,
  root: string,
  { copy = false }: WriteImportedOptions,
): Promise<void> {
  const named = [...(copy ? [imagePath, labelPath] : []), combine?.lungPath, combine?.infectionPath];
  const folder = await realpath(root);
  for (const path of named.filter((each) => each !== undefined)) {
    for (const file of await volumeFiles(path)) {
      const place = await realpath(file);
      if (place.startsWith(folder + sep)) continue;
      throw new DatasetError(`${file} is a link out of the dataset, to ${place}; put the file in its place`, {
        file,
        options: { 'follow-links': 'copy what it leads to' },
      });
    }
  }
}

async function writeCase(entry: ImportedCase, root: string, options: WriteImportedOptions): Promise<ListedCase> {
  const { combine, ...listed } = entry;
  const { name } = listed;
  let { imagePath, labelPath } = listed;
  if (combine !== undefined) {
    labelPath = join(root, 'labels', `${name}.nii.gz`);
    await makeFolder(join(root, 'labels'));
    const { labels, properties } = await joinMasks(combine);
    await writeVolume(labelPath, labels, { like: properties, force: options.force, description: labelsDescription });
  } else if (options.copy === true && labelPath !== undefined) {
    labelPath = await copyVolume(labelPath, join(root, 'labels'), name, options.force);
  }
  if (options.copy === true) imagePath = await copyVolume(imagePath, join(root, 'ct'), name, options.force);
  return { ...listed, imagePath, ...(labelPath !== undefined && { labelPath }) };
}

/**
 * One label map (1 left lung, 2 right lung, 3 infection) of a lung and an infection mask.
 * @throws DatasetError when the masks are of different grids or have other values
 */
async function joinMasks(paths: {
  readonly lungPath: string;
  readonly infectionPath: string;
}): Promise<{ labels: Volume<Uint8Array>; properties: FormatProperties }> {
  const { properties, ...lung } = await readLabels(paths.lungPath);
  const infection = await readLabels(paths.infectionPath);
  const { same, reason = '' } = compareGrids(lung, infection, 0.1);
  if (!same) {
    throw new DatasetError(`${paths.infectionPath} and ${paths.lungPath} are not on one grid: ${reason}`, { ...paths });
  }
  const voxels = new Uint8Array(lung.voxels.length);
  for (let i = 0; i < voxels.length; i++) {
    const [side, ill] = [lung.voxels[i], infection.voxels[i]];
    if (side > 2)
      throw new DatasetError(`${paths.lungPath}: value ${side}; expected 1 (left) and 2 (right)`, { ...paths });
    if (ill > 1) throw new DatasetError(`${paths.infectionPath}: value ${ill}; expected 1 alone`, { ...paths });
    voxels[i] = ill === 1 ? 3 : side;
  }
  return { labels: { voxels, size: lung.size, affine: lung.affine }, properties };
}

/** A copy under the case's name. Volumes of several files would lose each other by it: they become NIfTI. */
async function copyVolume(path: string, folder: string, name: string, force: boolean = false): Promise<string> {
  await makeFolder(folder);
  const own = volumeName(path) ?? '';
  const extension = path.slice(path.lastIndexOf(own) + own.length);
  if ((await volumeFiles(path)).length === 1) {
    const target = join(folder, name + extension);
    if (!force && (await isThere(target))) {
      throw new DatasetError(`${target} exists; choose another folder`, { target });
    }
    await writeFileAtomic(target, async (temporary) => await copyFile(path, temporary));
    return target;
  }
  const target = join(folder, `${name}.nii.gz`);
  const volume = await readVolume(path);
  await writeVolume(target, volume, { like: volume.properties, force });
  return target;
}
