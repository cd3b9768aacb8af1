/**
 * How an experiment divides its cases. The cases of a fold are a test set: they neither train nor choose the
 * checkpoint, so the training of a fold holds them out and divides the rest again, for all systems in the same way.
 */
import { type DatasetCase, foldsByRole, holdOutCases, type Split, splitByRole, splitCases } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { Experiment } from './experiment.js';

/**
 * The folds of the cases that are not held out of everything, grouped by patient; `test` are the fold's cases. Cases that
 * a list calls train-only or validation are in no test.
 * @throws DatasetError where there are too few patients; `usage` for a split of another kind
 */
export function experimentFolds(experiment: Experiment, all: readonly DatasetCase[]): Split<DatasetCase>[] {
  const { seed, folds, systems } = experiment;
  const { holdOut } = systems[0].config.data;
  const rest = holdOut.length === 0 ? all : holdOutCases(all, holdOut).train;
  const made = foldsByRole(rest, { seed, folds });
  // Too few patients for a training show here, not in the last fold.
  for (const { split } of systems.map(({ config }) => config.data)) {
    if (split.kind !== 'fraction') {
      const message = `data.split.kind: ${split.kind} is not for experiments, whose folds are made anew; use fraction or leave it out`;
      throw new QuickcolumnError('config', message);
    }
    for (const { train } of made) splitByRole(train, (free) => splitCases(free, { seed, testShare: split.validation }));
  }
  return made;
}

/** The configuration that a fold is trained with. */
export function foldConfig(
  config: TrainConfig,
  test: readonly DatasetCase[],
  compute: TrainConfig['compute'],
): TrainConfig {
  const holdOut = [...new Set([...config.data.holdOut, ...test.map(({ name }) => name)])].sort();
  return { ...config, compute, data: { ...config.data, holdOut } };
}
