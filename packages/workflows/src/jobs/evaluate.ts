/** Predicted masks against the truth: tables, report and pictures. */
import type { CaseMetrics, Summary } from '@quickcolumn/evaluate';
import { type PreparationConfig, preparationSchema } from '@quickcolumn/pipeline';
import { z } from 'zod';
import { type CaseNaming, consent, flag, naming, path, type ScanConsent } from './parts.js';

export type ClassSet = 'covid' | 'msd';

export interface EvaluateJob extends CaseNaming, Omit<ScanConsent, 'accept'> {
  readonly kind: 'evaluate';
  /** Folders with files of the same names. */
  readonly truth: string;
  readonly prediction: string;
  /** The scans, for overlay pictures and mean HU. */
  readonly images?: string;
  /** history.jsonl of the training, for its curves. */
  readonly history?: string;
  readonly out: string;
  /** Default: what the masks' sidecars say, else covid. */
  readonly classes?: ClassSet;
  /**
   * Of a training: its classes, what values of the truth are mapped to them (`labels`) and which one is left out
   * (`ignoreLabel`). In place of `classes`.
   */
  readonly preparation?: PreparationConfig;
  /** Voxels with this value in the truth are left out. Default: what `preparation` says. */
  readonly ignoreLabel?: number;
  /** Smallest lesion that is counted. */
  readonly minimumLesionMl?: number;
  readonly force?: boolean;
}

export interface EvaluateJobResult {
  readonly summary: Summary;
  readonly cases: readonly CaseMetrics[];
  readonly report: string;
}

export const evaluateJob: z.ZodType<EvaluateJob> = z.strictObject({
  kind: z.literal('evaluate'),
  truth: path,
  prediction: path,
  images: path.optional(),
  history: path.optional(),
  out: path,
  classes: z.enum(['covid', 'msd']).optional(),
  preparation: preparationSchema.optional(),
  ignoreLabel: z.int().min(1).max(255).optional(),
  minimumLesionMl: z.number().gt(0).optional(),
  force: flag.optional(),
  assumeOrientation: consent.assumeOrientation,
  assumeUnits: consent.assumeUnits,
  ...naming,
});
