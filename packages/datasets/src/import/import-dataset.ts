/** Importing: which layout a folder or file has, and the cases in it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError, type ListedCase, readCaseList } from '@quickcolumn/cases';
import { isThere } from './is-there.js';
import { importCovid, isCovidLayout } from './import-covid.js';
import { importJson } from './import-json.js';
import type { ImportedDataset } from './imported.js';

/**
 * The dataset in a folder (COVID-19-CT-Seg, MSD, nnU-Net raw) or in a list (CSV, JSON); nothing is copied.
 * @throws DatasetError when the layout is not known, or what every importer throws
 */
export async function importDataset(source: string): Promise<ImportedDataset> {
  const found = await stat(source).catch((cause: unknown) => {
    throw new DatasetError(`${source}: no such file or folder`, { source }, { cause });
  });
  if (!found.isDirectory()) {
    const cases = await readCaseList(source);
    await requireFiles(source, cases);
    return { layout: 'list', title: `the list ${source}`, cases, notes: [] };
  }
  if (await isThere(join(source, 'dataset.json'))) return await importJson(source);
  if (await isCovidLayout(source)) return await importCovid(source);
  throw new DatasetError(
    `${source}: not a layout that is known; expected the folders of COVID-19-CT-Seg (COVID-19-CT-Seg_20cases and masks), ` +
      'a dataset.json (MSD, nnU-Net raw), or a list of image,label,patient as CSV or JSON',
    { source },
  );
}

/** @throws DatasetError naming the files of a list that are not there */
async function requireFiles(list: string, cases: readonly ListedCase[]): Promise<void> {
  const missing: string[] = [];
  for (const { imagePath, labelPath } of cases) {
    for (const path of [imagePath, labelPath]) {
      if (path !== undefined && !(await isThere(path))) missing.push(path);
    }
  }
  if (missing.length === 0) return;
  const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
  throw new DatasetError(`${list}: ${missing.length} of its files are not there: ${shown}`, { list, missing });
}
