/**
 * What a model file says about itself beside network and weights: all that `predict` needs to treat a scan as the
 * training cases were treated. It is stored as one JSON text in the .onnx file's metadata.
 *
 * Version 1 had no roles of classes: they are read from the names (`withRoles`), once, when such a file is opened.
 * Before version 3 nothing was said of the training scans.
 */
import { withRoles } from '@quickcolumn/volume';
import { z } from 'zod';
import { type PreparationConfig, preparationSchema } from './config.js';
import { type TrainingScans, trainingScansSchema } from './scan-facts.js';

/** What is written now; the ones before are read, too. */
export const modelMetadataVersion = 3;

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
  /** Of the weights as exported, lower-case hex. */
  readonly weightsSha256: string;
}

/** Far above what any machine trains with; a file that says more is damaged or hostile. */
const mostPatchVoxels = 2 ** 27;

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
