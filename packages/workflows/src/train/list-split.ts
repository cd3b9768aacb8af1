/** Which labelled cases of a list are validation, decided once: for trainings that follow one another on growing lists. */
import type { CaseRole, ListedCase, Split, TrainConfig } from '@quickcolumn/learn';
import { divideCases } from './label-indices.js';

/** As `train` would divide them; what is held out must be left out before. @throws DatasetError with too few patients */
export function divideListed(
  cases: readonly ListedCase[],
  { seed, data }: Pick<TrainConfig, 'seed' | 'data'>,
): Split<ListedCase> {
  const roles = cases.map((entry): ListedCase & { readonly role?: CaseRole } =>
    entry.split === 'validation' || entry.split === 'train-only' ? { ...entry, role: entry.split } : entry,
  );
  return divideCases({ seed, data: { ...data, holdOut: [] } }, roles);
}
