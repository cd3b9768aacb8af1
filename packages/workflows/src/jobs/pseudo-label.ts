/** Labels by a model for scans that have none, and trainings that use them. */
import type { TrainConfig } from '@quickcolumn/learn';
import { z } from 'zod';
import {
  type Caching,
  compute,
  consent,
  count,
  flag,
  path,
  type ScanConsent,
  type ThreadedCompute,
  trainConfig,
} from './parts.js';

/** Which of a model's predictions count as labels. */
interface PseudoLabelLimits {
  /** Voxels keep a class of at least this probability; default 0.9. */
  readonly confidence?: number;
  /** Scans with fewer sure voxels beside the background are left out; default 1. */
  readonly minimumVoxels?: number;
}

export interface PseudoLabelJob extends ThreadedCompute, PseudoLabelLimits, ScanConsent {
  readonly kind: 'pseudo-label';
  readonly model: string | readonly string[];
  readonly out: string;
  /** Scans without labels: a folder, or a list, of which the rows without a label are taken. */
  readonly images?: string;
  readonly list?: string;
  /** List of labelled cases that the new list begins with. */
  readonly with?: string;
  /** Replaces earlier pseudo-labels in `out`. */
  readonly force?: boolean;
}

/** What became of a scan. */
export interface PseudoLabelledScan {
  readonly name: string;
  /** Share of the scan's voxels that keep a class. */
  readonly keptShare: number;
  /** Kept voxels by class name. */
  readonly voxels: Readonly<Record<string, number>>;
  /** Kept voxels of all classes but the background. */
  readonly foreground: number;
  /** Whether it is in the new list. */
  readonly used: boolean;
}

export interface PseudoLabelJobResult {
  readonly scans: readonly PseudoLabelledScan[];
  readonly labelledCases: number;
  readonly ignoreLabel: number;
  /** Paths of the new list and configuration. */
  readonly list: string;
  readonly config: string;
}

export interface SemiSupervisedJob extends Caching, PseudoLabelLimits {
  readonly kind: 'semi-supervised';
  readonly out: string;
  /** With a list of cases; needed to begin, not read to go on. */
  readonly config?: TrainConfig;
  /** Students, one after the other; default 1. */
  readonly rounds?: number;
  readonly threads?: number;
  readonly evaluateValidation?: boolean;
}

export interface SemiSupervisedJobResult {
  /** Of the last student. */
  readonly model: string;
}

const limits = { confidence: z.number().gt(0).max(1).optional(), minimumVoxels: z.int().min(0).optional() };

export const pseudoLabelJob: z.ZodType<PseudoLabelJob> = z.strictObject({
  kind: z.literal('pseudo-label'),
  model: z.union([path, z.array(path).min(1)]),
  out: path,
  images: path.optional(),
  list: path.optional(),
  with: path.optional(),
  force: flag.optional(),
  threads: count.optional(),
  ...limits,
  ...compute,
  ...consent,
});

export const semiSupervisedJob: z.ZodType<SemiSupervisedJob> = z.strictObject({
  kind: z.literal('semi-supervised'),
  out: path,
  config: trainConfig.optional(),
  rounds: count.optional(),
  threads: count.optional(),
  evaluateValidation: flag.optional(),
  cacheDir: path.optional(),
  ...limits,
});
