/**
 * Who is trained on, validated on, or left out: the one rule that every training follows. It depends on the seed, the
 * configuration and the cases' names, patients and roles alone, so that a resumed run divides as the first one did.
 */
import type { ListedCase } from './case-list.js';
import type { DataConfig } from './data-source.js';
import { foldCases, holdOutCases, type RoleCase, type Split, splitByRole, splitCases } from './split.js';

export interface DivideOptions {
  readonly seed: number;
  readonly data: Pick<DataConfig, 'holdOut' | 'split'>;
}

/**
 * Training cases (`train`) and validation cases (`test`); held-out ones are in neither.
 * @throws DatasetError with too few patients, for unknown names, or where a patient would lie on both sides
 */
export function divideCases<T extends RoleCase>(cases: readonly T[], { seed, data }: DivideOptions): Split<T> {
  const { holdOut, split } = data;
  const rest = holdOut.length === 0 ? cases : holdOutCases(cases, holdOut).train;
  return splitByRole(rest, (free) =>
    split.kind === 'folds'
      ? foldCases(free, { seed, folds: split.folds })[split.fold]
      : splitCases(free, { seed, testShare: split.validation }),
  );
}

/**
 * The labelled cases of a list divided as a training would, once and for all: for trainings that follow one another on
 * growing lists. What is held out must be left out before; `data.holdOut` is not looked at.
 * @throws DatasetError as `divideCases`
 */
export function divideListed(cases: readonly ListedCase[], { seed, data }: DivideOptions): Split<ListedCase> {
  const withRoles = cases.map((entry): ListedCase & RoleCase =>
    entry.split === 'validation' || entry.split === 'train-only' ? { ...entry, role: entry.split } : entry,
  );
  return divideCases(withRoles, { seed, data: { ...data, holdOut: [] } });
}
