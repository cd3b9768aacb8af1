/** Fills the cache of prepared scans, and the demo, which needs no data. */
import { type PreparationConfig, preparationSchema } from '@quickcolumn/pipeline';
import type { Size3 } from '@quickcolumn/volume';
import { z } from 'zod';
import type { EvaluateJobResult } from './evaluate.js';
import { type Caching, consent, count, flag, path, type ScanConsent } from './parts.js';

/** A scan and, where there is one, its label map. */
export interface ScanFiles {
  readonly name: string;
  readonly imagePath: string;
  readonly labelPath?: string;
}

export interface PrepareJob extends Caching, ScanConsent {
  readonly kind: 'prepare';
  readonly cases: readonly ScanFiles[];
  readonly preparation: PreparationConfig;
}

export interface PreparedCase {
  readonly name: string;
  readonly originalSize: Size3;
  readonly size: Size3;
  readonly scale: 'hu' | '0-255';
  readonly mean: number;
  readonly sd: number;
  /** Share of the voxels by class, in the order of the classes; absent without labels. */
  readonly classShares?: readonly number[];
  /** From the cache, or made now. */
  readonly source: string;
  readonly seconds: number;
}

export interface PrepareJobResult {
  readonly cases: readonly PreparedCase[];
  readonly cacheDir: string;
}

export interface DemoJob {
  readonly kind: 'demo';
  readonly out: string;
  readonly seed?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  readonly force?: boolean;
}

export interface DemoJobResult extends EvaluateJobResult {
  readonly model: string;
}

export const prepareJob: z.ZodType<PrepareJob> = z.strictObject({
  kind: z.literal('prepare'),
  cases: z.array(z.strictObject({ name: path, imagePath: path, labelPath: path.optional() })).min(1),
  preparation: preparationSchema,
  cacheDir: path.optional(),
  ...consent,
});

export const demoJob: z.ZodType<DemoJob> = z.strictObject({
  kind: z.literal('demo'),
  out: path,
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  epochs: count.optional(),
  stepsPerEpoch: count.optional(),
  force: flag.optional(),
});
