/** The pictures of a comparison: scan, truth and the masks of several systems, read when they are asked for. */
import { join } from 'node:path';
import type { CaseImages } from '@quickcolumn/evaluate';
import { readLabels, readVolume } from '@quickcolumn/io';
import { assumptionsOf, type DatasetCase } from '@quickcolumn/cases';
import type { Volume } from '@quickcolumn/volume';
import { readTruth } from '../evaluate/evaluation.js';
import { InputError } from '../scans/scan-files.js';
import type { Experiment } from './experiment.js';
import { masksFolder, readResult } from './fold-files.js';

export interface CaseImagesOptions {
  readonly folderOf: (id: string, fold: number) => string;
  /** How a case is called in the comparison; default by its own name. */
  readonly shownName?: (entry: DatasetCase) => string;
}

/** Reads by the name of a case and the ids of systems. The promise is rejected with an InputError for others. */
export function caseImages(
  { folds, systems }: Experiment,
  cases: readonly DatasetCase[],
  { folderOf, shownName = ({ name }) => name }: CaseImagesOptions,
): (caseName: string, systemIds: readonly string[]) => Promise<CaseImages> {
  const { preparation, data } = systems[0].config;
  const options = { assume: assumptionsOf(data) };
  const maskPath = async (name: string, id: string): Promise<string> => {
    for (let fold = 0; fold < folds; fold++) {
      const folder = folderOf(id, fold);
      const result = await readResult(folder);
      if (result?.cases.some((entry) => entry.name === name)) return join(folder, masksFolder, `${name}.nii.gz`);
    }
    throw new InputError(`${id} has no finished fold with this case`, { id });
  };
  return async (caseName, systemIds) => {
    const files = cases.find((entry) => shownName(entry) === caseName);
    if (files === undefined) throw new InputError(`${caseName} is no case of the experiment`, { caseName });
    const predictions: { id: string; labels: Volume<Uint8Array> }[] = [];
    for (const id of systemIds) predictions.push({ id, labels: await readLabels(await maskPath(files.name, id)) });
    const image = await readVolume(files.imagePath, options);
    return { image, truth: await readTruth(files.labelPath, { ...preparation, ...options }), predictions };
  };
}
