/**
 * What a comparison holds: systems that were trained and evaluated on the same folds of the same cases. All plain JSON
 * but the pictures, which are asked for.
 */
import type { HistoryPoint } from '../report/report.js';
import type { LabelClass } from '@quickcolumn/volume';
import type { CaseMetrics } from '../types.js';

/** One fold of one system: trained without `cases`, evaluated on them. */
export interface ComparedFold {
  /** From 0. */
  readonly fold: number;
  readonly cases: readonly CaseMetrics[];
  /** Curves of the training; absent where a system uses the weights of another one. */
  readonly history?: readonly HistoryPoint[];
  readonly cost: FoldCost;
}

export interface FoldCost {
  readonly trainingSteps: number;
  readonly trainingSeconds: number;
  /** Mean wall time from file to mask of the held-out scans. */
  readonly secondsPerScan: number;
  /** Highest resident memory of the process that predicted. */
  readonly predictionPeakBytes: number;
  readonly trainingPeakBytes: number;
}

export interface ComparedSystem {
  /** Key in the experiment file, e.g. `no-quick`. */
  readonly id: string;
  /** For people, e.g. `QC-HC U-Net without quick connections`. */
  readonly title: string;
  readonly parameters: number;
  /** Forward pass of one patch, 10⁹ operations. */
  readonly forwardGflop: number;
  /** How this system differs, for people: network options, loss, optimiser, test-time options. */
  readonly settings: string;
  readonly folds: readonly ComparedFold[];
}

export interface Comparison {
  readonly title: string;
  readonly date: string;
  readonly classes: readonly LabelClass[];
  readonly foldCount: number;
  readonly seed: number;
  /** What was spent, for people: steps, batch, patch, runtime, precision, machine. */
  readonly budget: string;
  /** What all runs in the tables share. */
  readonly identity: { readonly data: string; readonly numerics: number; readonly compute: string };
  /** In the order of the experiment file; the first is the one that others are tested against. */
  readonly systems: readonly ComparedSystem[];
  /** Systems or folds that are not in the tables, and why (unfinished, other data, other code, other compute). */
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[];
}
