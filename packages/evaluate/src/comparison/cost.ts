/**
 * What a system cost, over its folds: times add up, memory is the highest, seconds per scan the mean over the scans.
 * A system that uses the weights of another one was trained in no step; its training is null, not 0.
 */
import type { ComparedFold } from './types.js';

export interface CostSummary {
  /** Mean over the trained folds. */
  readonly trainingStepsPerFold: number | null;
  /** All folds together. */
  readonly trainingSeconds: number | null;
  readonly secondsPerScan: number | null;
  readonly predictionPeakBytes: number | null;
  readonly trainingPeakBytes: number | null;
}

export function summarizeCost(folds: readonly ComparedFold[]): CostSummary {
  const trained = folds.filter((fold) => fold.cost.trainingSteps > 0);
  const scans = folds.reduce((sum, fold) => sum + fold.cases.length, 0);
  const seconds = folds.reduce((sum, fold) => sum + fold.cost.secondsPerScan * fold.cases.length, 0);
  const highest = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    trainingStepsPerFold:
      trained.length === 0 ? null : sum(trained.map((fold) => fold.cost.trainingSteps)) / trained.length,
    trainingSeconds: trained.length === 0 ? null : sum(trained.map((fold) => fold.cost.trainingSeconds)),
    secondsPerScan: scans === 0 ? null : seconds / scans,
    predictionPeakBytes: highest(folds.map((fold) => fold.cost.predictionPeakBytes)),
    trainingPeakBytes: highest(trained.map((fold) => fold.cost.trainingPeakBytes)),
  };
}
