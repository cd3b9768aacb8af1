/** The cases of a training, from wherever the configuration says they are: a list, or two folders of equal names. */
import { readCaseList, trainingCases } from './case-list.js';
import type { DataConfig } from './config.js';
import { type DatasetCase, listCases } from './dataset.js';

/** Cases that may be trained on, sorted by name; paths of `data` must be absolute or of the working folder. */
export async function casesOf(
  data: Pick<DataConfig, 'list' | 'images' | 'labels' | 'patients'>,
): Promise<DatasetCase[]> {
  const { list, images, labels, patients } = data;
  if (list === null) return await listCases({ images, labels }, { patients });
  const cases = trainingCases(await readCaseList(list, { patients }), list);
  return cases.map(({ name, imagePath, labelPath, patient, split }) => ({
    name,
    imagePath,
    labelPath,
    patient,
    ...((split === 'train-only' || split === 'validation') && { role: split }),
  }));
}
