/** What several jobs have in common, and the schemas of it. Paths are absolute, or relative to the process that runs the job. */
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import { type PrecisionName, precisionNames, type RuntimeName, runtimeNames } from '@quickcolumn/runtimes';
import type { Size3 } from '@quickcolumn/volume';
import { z } from 'zod';

/** What executes the network; `auto` where nothing is said. */
export interface ComputeRequest {
  readonly runtime?: RuntimeName;
  readonly precision?: PrecisionName;
  /** Measures kernels of a graphics card that were not measured before. */
  readonly autotune?: boolean;
}

/** The same with the CPU threads of the network; default all. */
export interface ThreadedCompute extends ComputeRequest {
  readonly threads?: number;
}

/** How cases are called in what a job writes and tells. */
export interface CaseNaming {
  /** Neutral names, case-1, case-2, … and no paths. */
  readonly anonymize?: boolean;
  /** File for the names behind the numbers; implies `anonymize`. */
  readonly anonymizeKey?: string;
}

export { consentShape as consent, type ScanConsent } from '@quickcolumn/cases';

/** Where prepared cases are kept; default the user's cache folder. */
export interface Caching {
  readonly cacheDir?: string;
}

/** Which cases, in place of what a file says. */
export type DataOverride = Pick<TrainConfig['data'], 'list'> & Partial<Pick<TrainConfig['data'], 'images' | 'labels'>>;

export const path: z.ZodType<string> = z.string().min(1);
export const count: z.ZodType<number> = z.int().min(1);
export const flag: z.ZodType<boolean> = z.boolean();
const edge = z.int().min(0);
export const size3: z.ZodType<Size3> = z.tuple([edge, edge, edge]);

interface ComputeShape {
  readonly runtime: z.ZodOptional<z.ZodType<RuntimeName>>;
  readonly precision: z.ZodOptional<z.ZodType<PrecisionName>>;
  readonly autotune: z.ZodOptional<z.ZodType<boolean>>;
}
export const compute: ComputeShape = {
  runtime: z.enum(runtimeNames).optional(),
  precision: z.enum(precisionNames).optional(),
  autotune: flag.optional(),
};

interface NamingShape {
  readonly anonymize: z.ZodOptional<z.ZodType<boolean>>;
  readonly anonymizeKey: z.ZodOptional<z.ZodType<string>>;
}
export const naming: NamingShape = { anonymize: flag.optional(), anonymizeKey: path.optional() };

export const dataOverride: z.ZodType<DataOverride> = z.strictObject({
  list: path.nullable(),
  images: path.optional(),
  labels: path.optional(),
});

/** A configuration, checked and completed as one in a file. */
export const trainConfig: z.ZodType<TrainConfig> = z.unknown().transform((value, context): TrainConfig => {
  try {
    return parseTrainConfig(value, 'config');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});
