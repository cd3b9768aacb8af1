/**
 * The file beside an ONNX model of another framework, MODEL.onnx.json: all that a model of ours carries in its metadata and
 * such a file does not tell. Every key is checked, none may be left over, and what has no safe default has none.
 *
 * The trap is the order of axes. Everything in millimetres or voxels is along x, y, z: left-right, front-back, feet-head, as
 * everywhere here; `axes` alone says how the model's tensor lies, one letter a spatial axis in the tensor's order, each the
 * direction in which the index grows: `SPL` is [N, C, z, y, x] as SimpleITK reads an axial CT, `RAS` MONAI's [N, C, x, y, z].
 */
import { allAxisCodes, type LabelClass, type LabelRole, labelRoles } from '@quickcolumn/volume';
import { z } from 'zod';
import { labelClassesSchema } from './config.js';
import { foreignIntensitySchema, type ForeignPreparation } from './foreign-intensity.js';
import { mostPatchVoxels } from './model-metadata.js';

export const foreignSettingsVersion = 1;

/** What the output's channels hold. */
export type ForeignOutput =
  /** One channel a class; a softmax over them follows. */
  | { readonly kind: 'logits' }
  /** One channel a class, softmax done. */
  | { readonly kind: 'probabilities' }
  /**
   * One channel a class without the background, each by itself; a sigmoid follows, or was done (`of: probabilities`). A voxel
   * has the class with the largest probability above the threshold, or is background.
   */
  | { readonly kind: 'sigmoid'; readonly of: 'logits' | 'probabilities'; readonly threshold: number };

export interface ForeignSettings {
  readonly format: 'quickcolumn-foreign-model';
  readonly version: 1;
  /** For people. */
  readonly title?: string;
  readonly licence?: string;
  readonly notes?: string;
  /** Needed where the model has several. */
  readonly inputName?: string;
  readonly outputName?: string;
  readonly output: ForeignOutput;
  /** Codes of the tensor's three spatial axes, in its order. */
  readonly axes: string;
  /** `classes` begins with the background, also where the output has no channel for it. */
  readonly preparation: ForeignPreparation;
  /** Window along x, y, z (left-right, front-back, feet-head) in prepared voxels, and the overlap of neighbours. */
  readonly patch: readonly [number, number, number];
  readonly overlap: readonly [number, number, number];
}

const text = z.string().min(1).max(2000);
const three = { error: 'expected three numbers: along left-right, front-back and feet-head' };
const spacing = z.number().positive().max(100);
const byte = z.int().min(0).max(255);

interface ForeignClass {
  readonly value: number;
  readonly name: string;
  readonly color?: readonly [number, number, number] | undefined;
  readonly mirror?: number | undefined;
  readonly role?: LabelRole | undefined;
}

const classSchema: z.ZodType<ForeignClass> = z.strictObject({
  value: byte,
  name: z.string(),
  color: z.tuple([byte, byte, byte]).optional(),
  mirror: byte.optional(),
  role: z.enum(labelRoles).optional(),
});

const output: z.ZodType<ForeignOutput> = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('logits') }),
    z.strictObject({ kind: z.literal('probabilities') }),
    z.strictObject({
      kind: z.literal('sigmoid'),
      of: z.enum(['logits', 'probabilities']),
      threshold: z.number().gt(0).lt(1),
    }),
  ],
  { error: 'expected {"kind": …} of logits, probabilities or sigmoid' },
);

/** Strict, as `preparationSchema`; gives the settings with background and colours filled in. */
export const foreignSettingsSchema: z.ZodType<ForeignSettings> = z
  .strictObject({
    format: z.literal('quickcolumn-foreign-model'),
    version: z.literal(foreignSettingsVersion),
    title: text.max(60).optional(),
    licence: text.optional(),
    notes: text.optional(),
    inputName: text.optional(),
    outputName: text.optional(),
    output,
    axes: z.enum(allAxisCodes, {
      error: 'expected three letters, one each of R/L, A/P and S/I in the order of the tensor, such as SPL or RAS',
    }),
    spacingMm: z.tuple([spacing, spacing, spacing], three).nullable(),
    intensity: foreignIntensitySchema,
    padding: z.number().default(0),
    patch: z
      .tuple([z.int().positive(), z.int().positive(), z.int().positive()], three)
      .refine((patch) => patch[0] * patch[1] * patch[2] <= mostPatchVoxels, {
        error: `expected at most ${mostPatchVoxels} voxels`,
      }),
    overlap: z.tuple([z.int().nonnegative(), z.int().nonnegative(), z.int().nonnegative()], three),
    classes: z.array(classSchema).min(1),
  })
  .superRefine(({ patch, overlap, output: { kind }, classes }, context) => {
    overlap.forEach((o, axis) => {
      if (o < patch[axis]) return;
      const message = `${o} must be less than the patch, ${patch[axis]}`;
      context.addIssue({ code: 'custom', path: ['overlap', axis], message });
    });
    const background = classes.findIndex(({ value }) => value === 0);
    if (kind === 'sigmoid' && background >= 0) {
      const message = 'is 0; channels of a sigmoid are classes, and what none reaches is the background: leave it out';
      context.addIssue({ code: 'custom', path: ['classes', background, 'value'], message });
    }
  })
  .transform((settings, context): ForeignSettings => {
    const { spacingMm, intensity, padding, classes, ...rest } = settings;
    const withoutBackground = rest.output.kind === 'sigmoid';
    const all = withoutBackground ? [{ value: 0, name: 'background' }, ...classes] : classes;
    const filled = labelClassesSchema.safeParse(all.map(withColor));
    if (!filled.success) {
      for (const { path, message } of filled.error.issues) {
        const [index, ...inside] = path;
        const at = typeof index === 'number' ? [index - (withoutBackground ? 1 : 0)] : [];
        context.addIssue({ code: 'custom', path: ['classes', ...at, ...inside], message });
      }
      return z.NEVER;
    }
    return { ...rest, preparation: { spacingMm, intensity, padding, classes: filled.data } };
  });

const colors: readonly LabelClass['color'][] = [
  [70, 130, 220],
  [80, 180, 120],
  [225, 70, 60],
  [235, 165, 50],
  [150, 90, 200],
  [60, 190, 200],
];

function withColor({ color, mirror, role, ...one }: ForeignClass, index: number): LabelClass {
  return {
    ...one,
    color: color ?? (one.value === 0 ? [0, 0, 0] : colors[index % colors.length]),
    ...(mirror === undefined ? {} : { mirror }),
    ...(role === undefined ? {} : { role }),
  };
}
