/** Which labelled cases of a list are validation, decided once: for trainings that follow one another on growing lists. */
import {
  type CaseRole,
  foldCases,
  type ListedCase,
  type Split,
  splitByRole,
  splitCases,
  type TrainConfig,
} from '@quickcolumn/learn';

/** As `train` would divide them. @throws DatasetError with too few patients */
export function divideListed(
  cases: readonly ListedCase[],
  { seed, data }: Pick<TrainConfig, 'seed' | 'data'>,
): Split<ListedCase> {
  const { split } = data;
  const roles = cases.map((entry): ListedCase & { readonly role?: CaseRole } =>
    entry.split === 'validation' || entry.split === 'train-only' ? { ...entry, role: entry.split } : entry,
  );
  return splitByRole(roles, (free) =>
    split.kind === 'folds'
      ? foldCases(free, { seed, folds: split.folds })[split.fold]
      : splitCases(free, { seed, testShare: split.validation }),
  );
}
