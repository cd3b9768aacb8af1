/** Whether a dataset can be trained on at all, before anything is planned for it. */
import type { DatasetStats } from '@quickcolumn/datasets';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { TrainConfig } from '@quickcolumn/learn';

/** @throws QuickcolumnError `dataset` for cases without labels, and classes that no case has */
export function requireTrainable({ cases, classes }: DatasetStats, { preparation }: TrainConfig): void {
  const bare = cases.filter(({ volumeMl }) => volumeMl === undefined).map(({ name }) => name);
  if (bare.length > 0) {
    throw new QuickcolumnError(
      'dataset',
      `no labels for ${bare.slice(0, 5).join(', ')}; a training needs a label map for every scan`,
      {
        cases: bare,
      },
    );
  }
  const absent = classes.filter((_, c) => cases.every(({ volumeMl = [] }) => volumeMl[c] === 0));
  if (absent.length === 0) return;
  const named = absent.map(({ name, value }) => `${name} (value ${value})`).join(', ');
  const found = classes.filter((one) => !absent.includes(one)).map(({ name, value }) => `${name} (${value})`);
  throw new QuickcolumnError(
    'dataset',
    `no label map has ${named}, of the ${preparation.classes.length} classes of the configuration; found: ${found.join(', ')}. ` +
      'Say in preparation.classes which classes the labels have',
    { classes: absent.map(({ name }) => name) },
  );
}
