/**
 * What a model file says about itself beside network and weights: all that `predict` needs to treat a scan as the
 * training cases were treated. It is stored as one JSON text in the .onnx file's metadata.
 *
 * Version 1 had no roles of classes: they are read from the names (`withRoles`), once, when such a file is opened. Version 2
 * had no terms, all weights in float32, and said nothing of the training scans.
 */
import { withRoles } from '@quickcolumn/volume';
import { z } from 'zod';
import { type PreparationConfig, preparationSchema } from './config.js';
import { type TrainingScans, trainingScansSchema } from './scan-facts.js';

/** What is written now; the ones before are read, too. */
export const modelMetadataVersion = 3;

/** What whoever uses a model, or a mask that it made, must know. */
export interface ModelTerms {
  /** What people call it. */
  readonly title: string;
  readonly licence: { readonly name: string; readonly url: string };
  /** Whom the licence asks to name: data and their authors. */
  readonly attribution: string;
  readonly intendedUse: string;
}

export interface ModelMetadata {
  readonly format: 'quickcolumn-model';
  readonly version: 3;
  /** Name and options of the network; which options there are is the networks' business, not the file's. */
  readonly network: { readonly name: string; readonly [option: string]: unknown };
  readonly preparation: PreparationConfig;
  /** Window of prediction along x, y, z in prepared voxels. */
  readonly patch: readonly [number, number, number];
  /** Overlap of neighbouring windows in voxels, less than the patch. */
  readonly overlap: readonly [number, number, number];
  /** What the training scans were like; a scan that differs is a reason for doubt. Absent where it is not known. */
  readonly trainingScans?: TrainingScans;
  /** Summary for people: steps, minutes, scores, date. */
  readonly training: Readonly<Record<string, string | number>>;
  /** Data and licence notes, intended use. */
  readonly notes: string;
  /** Of a model that is given to others; a model of one's own has notes alone. */
  readonly terms?: ModelTerms;
  /** Of the weights as they are computed with (float32), lower-case hex. */
  readonly weightsSha256: string;
}

/** Far above what any machine trains with; a file that says more is damaged or hostile. */
export const mostPatchVoxels: number = 2 ** 27;

/** Terminals, pages and sidecars show it. */
const line = z.string().min(1).max(1000);

export const modelTermsSchema: z.ZodType<ModelTerms> = z.strictObject({
  title: line,
  licence: z.strictObject({ name: line, url: z.url() }),
  attribution: line,
  intendedUse: line,
});

const positive = z.int().positive();
const whole = z.int().nonnegative();

export const modelMetadataSchema: z.ZodType<ModelMetadata> = z
  .strictObject({
    format: z.literal('quickcolumn-model'),
    version: z.literal([1, 2, 3]),
    network: z.looseObject({ name: z.string().min(1) }),
    preparation: preparationSchema,
    patch: z
      .tuple([positive, positive, positive])
      .refine((patch) => patch[0] * patch[1] * patch[2] <= mostPatchVoxels, {
        error: `expected at most ${mostPatchVoxels} voxels; the paper's patch has 2048000`,
      }),
    overlap: z.tuple([whole, whole, whole]),
    trainingScans: trainingScansSchema.optional(),
    training: z.record(z.string(), z.union([z.string(), z.number()])),
    notes: z.string(),
    terms: modelTermsSchema.optional(),
    weightsSha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected 64 lower-case hexadecimal digits' }),
  })
  .superRefine(({ patch, overlap }, context) => {
    overlap.forEach((o, axis) => {
      if (o < patch[axis]) return;
      const message = `${o} must be less than the patch, ${patch[axis]}`;
      context.addIssue({ code: 'custom', path: ['overlap', axis], message });
    });
  })
  .transform(({ version, preparation, ...rest }): ModelMetadata => {
    const classes = version === 1 ? withRoles(preparation.classes) : preparation.classes;
    return { ...rest, version: 3, preparation: { ...preparation, classes } };
  });
