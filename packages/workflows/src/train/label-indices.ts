/** Placeholder until the cases package is merged. */
import {
  foldCases,
  holdOutCases,
  noClass,
  type RoleCase,
  type Split,
  splitByRole,
  splitCases,
  type TrainConfig,
} from '@quickcolumn/learn';
import type { LabelClass, PreparationConfig } from '@quickcolumn/pipeline';

/** Training and validation cases (`test`); held-out ones are in neither. */
export function divideCases<T extends RoleCase>(
  config: Pick<TrainConfig, 'seed' | 'data'>,
  all: readonly T[],
): Split<T> {
  const { holdOut, split } = config.data;
  const rest = holdOut.length === 0 ? all : holdOutCases(all, holdOut).train;
  return splitByRole(rest, (free) =>
    split.kind === 'folds'
      ? foldCases(free, { seed: config.seed, folds: split.folds })[split.fold]
      : splitCases(free, { seed: config.seed, testShare: split.validation }),
  );
}
/** Networks count classes from 0; label files may use any values. */
export function toIndices(labels: Uint8Array, { classes, ignoreLabel = noClass }: PreparationConfig): Uint8Array {
  if (classes.every(({ value }, index) => value === index) && ignoreLabel === noClass) return labels;
  const indexOf = new Uint8Array(256);
  indexOf[ignoreLabel] = noClass;
  classes.forEach(({ value }, index) => {
    indexOf[value] = index;
  });
  return labels.map((value) => indexOf[value]);
}
export function mirrorIndex(classes: readonly LabelClass[], { mirror }: LabelClass): number | undefined {
  return mirror === undefined ? undefined : classes.findIndex(({ value }) => value === mirror);
}
