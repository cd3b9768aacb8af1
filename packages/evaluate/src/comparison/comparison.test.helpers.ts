/** Comparisons for the tests of this folder. Not exported from index.ts. */
import { msdClasses } from '@quickcolumn/volume';
import { labelMap, lesionOnly } from '../label-maps.test.helpers.js';
import { evaluateCase } from '../metrics/metrics.js';
import type { CaseMetrics, MetricValues } from '../types.js';
import type { Comparison, ComparedSystem, FoldCost } from './types.js';

const map = labelMap([4, 2, 2], [1, 1, 2], (x) => (x < 2 ? 1 : 0));
const template = evaluateCase(map, map, lesionOnly);

/** A case of one class whose Dice, sensitivity and specificity are given; null is undefined. */
export function caseWith(name: string, patient: string, dice: number | null, region = 'tumour'): CaseMetrics {
  const [entry] = template.classes;
  const metrics: MetricValues = { ...entry.metrics, dice, sensitivity: dice, specificity: 0.999 };
  return { ...template, name, patient, classes: [{ ...entry, name: region, metrics }] };
}

const cost: FoldCost = {
  trainingSteps: 100,
  trainingSeconds: 60,
  secondsPerScan: 2,
  predictionPeakBytes: 1e9,
  trainingPeakBytes: 2e9,
};

/** A system of one class with the same folds for everyone: cases in turn to fold 0 and 1. */
export function systemWith(id: string, cases: readonly CaseMetrics[]): ComparedSystem {
  return {
    id,
    title: `System ${id}`,
    parameters: 1_234_567,
    forwardGflop: 12.3,
    settings: 'loss dice',
    folds: [0, 1].map((fold) => ({
      fold,
      cases: cases.filter((_, n) => n % 2 === fold),
      history: [
        { epoch: 1, loss: 2 + fold, validationLoss: 3 },
        { epoch: 2, loss: 1 + fold },
      ],
      cost: { ...cost, secondsPerScan: 2 + fold },
    })),
  };
}

export function comparisonOf(systems: readonly ComparedSystem[], parts: Partial<Comparison> = {}): Comparison {
  return {
    title: 'A comparison',
    date: '2026-01-02',
    classes: msdClasses,
    foldCount: 2,
    seed: 1,
    budget: '100 steps',
    identity: { data: 'd1', numerics: 1, compute: 'm1' },
    systems,
    leftOut: [],
    ...parts,
  };
}
