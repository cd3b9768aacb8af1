/** The stages of a fold, each run by the host in a process of its own: memory is measured by process. */
import type { DatasetCase } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import { z } from 'zod';
import { count, flag, path, trainConfig } from './parts.js';
import { type TestTimeOptions, testTimeShape } from './predict.js';

/** What a result depends on; see compare/identity.ts. */
export interface FoldIdentity {
  /** SHA-256 over names, patients and contents of all cases. */
  readonly data: string;
  /** Version of the code that decides numbers; see compare/numerics.ts. */
  readonly numerics: number;
  /** SHA-256 over training configuration, fold and test-time options. */
  readonly config: string;
  /** For people: runtime, version, precision, threads, processor. */
  readonly compute: string;
}

interface FoldStage {
  /** Of the fold. */
  readonly folder: string;
  /** Of this fold, with the runtime by its name. */
  readonly config: TrainConfig;
  readonly identity: FoldIdentity;
  readonly threads?: number;
}

export interface TrainFoldJob extends FoldStage {
  readonly kind: 'train-fold';
  readonly cacheDir?: string;
  readonly anonymize?: boolean;
}

export interface PredictFoldJob extends FoldStage {
  readonly kind: 'predict-fold';
  /** Where the model is: `folder`, or that of the system whose weights are used. */
  readonly trainedIn: string;
  readonly testTime: TestTimeOptions;
  readonly fold: number;
  /** The held-out cases. */
  readonly cases: readonly DatasetCase[];
  /** Their names as they are told, where not their own. */
  readonly shown?: readonly { readonly name: string; readonly patient: string }[];
}

/** Results of earlier versions name a hash of the code in place of `numerics`; see compare/earlier-results.ts. */
const numbered = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'code' in value && !('numerics' in value)
    ? { ...value, numerics: 1 }
    : value;

export const foldIdentity: z.ZodType<FoldIdentity> = z.preprocess(
  numbered,
  z.object({ data: z.string(), numerics: z.int().min(0), config: z.string(), compute: z.string() }),
);

const datasetCase: z.ZodType<DatasetCase> = z.object({
  name: path,
  imagePath: path,
  labelPath: path,
  patient: path,
  role: z.enum(['validation', 'train-only']).optional(),
});

const stage = { folder: path, config: trainConfig, identity: foldIdentity, threads: count.optional() };

export const trainFoldJob: z.ZodType<TrainFoldJob> = z.strictObject({
  kind: z.literal('train-fold'),
  cacheDir: path.optional(),
  anonymize: flag.optional(),
  ...stage,
});

export const predictFoldJob: z.ZodType<PredictFoldJob> = z.strictObject({
  kind: z.literal('predict-fold'),
  trainedIn: path,
  testTime: z.strictObject(testTimeShape),
  fold: z.int().min(0),
  cases: z.array(datasetCase).min(1),
  shown: z.array(z.object({ name: path, patient: path })).optional(),
  ...stage,
});
