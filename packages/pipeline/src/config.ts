/**
 * The settings of preparation and their validation. They travel in training configurations and in every model file,
 * because a network is only right for scans prepared the way its training cases were.
 */
import { covidClasses, type LabelClass, labelRoles } from '@quickcolumn/volume';
import { z } from 'zod';
import { type LabelMap, labelMapIssues } from './label-map.js';

/**
 * `window`: fixed map of clipHu to 0–255 for HU scans, 0–255 scans untouched. `minmax`: clip, then per-scan 0–255. Both are
 * followed by a z-score per scan, which depends on how much air a scan shows. `fixed`: the map of `window`, then the same mean
 * and standard deviation for every scan, so that a value of HU is always the same number to the network; it refuses scans that
 * are not in HU, because nothing tells how they were windowed.
 */
export type IntensityMode = 'window' | 'minmax' | 'fixed';

export interface PreparationConfig {
  readonly intensity: IntensityMode;
  /** Lowest and highest value kept; the paper's are −1250 and 250 HU. */
  readonly clipHu: readonly [number, number];
  /** Spacing of the prepared grid along L-R, P-A, I-S; the paper's is 1.58 × 1.58 × 2.70 mm. */
  readonly spacingMm: readonly [number, number, number];
  /** One per network output channel; the first is the background, value 0. */
  readonly classes: readonly LabelClass[];
  /**
   * Value in label files of voxels nobody has annotated, e.g. 255: loss and metrics leave them out. Absent: every
   * voxel must have a class. It does not change how a scan is prepared.
   */
  readonly ignoreLabel?: number;
  /**
   * What other values in label files mean, by the names of classes: `{1: lung, 2: lung, 5: null}`, null for the background.
   * Values that are not in it keep their own. Absent: none is mapped. Masks have the classes' own values.
   */
  readonly labels?: LabelMap;
}

/** Tables, pages and pictures repeat it for every case. */
const longestClassName = 200;

const byte = z.int().min(0).max(255);
const spacing = z.number().positive().max(100);

const labelClassSchema: z.ZodType<LabelClass> = z.strictObject({
  value: byte,
  name: z.string().min(1).max(longestClassName),
  color: z.tuple([byte, byte, byte]),
  mirror: byte.optional(),
  role: z.enum(labelRoles).optional(),
});

/** At least the background and one more, in the order of a network's output channels. */
export const labelClassesSchema: z.ZodType<readonly LabelClass[]> = z
  .array(labelClassSchema)
  .min(2)
  .superRefine(checkClasses);

/** Strict: an unknown key is an error, so that a misspelt setting is never silently ignored. */
export const preparationSchema: z.ZodType<PreparationConfig> = z
  .strictObject({
    intensity: z.enum(['window', 'minmax', 'fixed']),
    clipHu: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, { error: 'the first value must be below the second, as in [-1250, 250]' }),
    spacingMm: z.tuple([spacing, spacing, spacing]),
    classes: labelClassesSchema,
    ignoreLabel: byte.min(1).optional(),
    labels: z.record(z.string(), z.string().nullable()).optional(),
  })
  .superRefine((config, context) => {
    const { classes, ignoreLabel } = config;
    const taken = classes.find(({ value }) => value === ignoreLabel);
    if (taken !== undefined) {
      const message = `${ignoreLabel} is the value of class '${taken.name}'; use one that no class has`;
      context.addIssue({ code: 'custom', path: ['ignoreLabel'], message });
    }
    for (const { value, message } of labelMapIssues(config)) {
      context.addIssue({ code: 'custom', path: ['labels', ...(value === undefined ? [] : [value])], message });
    }
  });

/** Spec 3 for COVID-19-CT-Seg, profile `paper`. */
export const paperPreparation: PreparationConfig = {
  intensity: 'window',
  clipHu: [-1250, 250],
  spacingMm: [1.58, 1.58, 2.7],
  classes: covidClasses,
};

function checkClasses(classes: readonly LabelClass[], context: z.RefinementCtx): void {
  const fail = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  if (classes[0]?.value !== 0)
    fail([0, 'value'], `is ${classes[0]?.value}; the first class is the background, value 0`);
  if (classes[0]?.role !== undefined) fail([0, 'role'], `the background has no role; it is '${classes[0].role}' here`);
  classes.forEach(({ value, name, mirror, role }, index) => {
    if (classes.findIndex((other) => other.value === value) !== index) fail([index, 'value'], `${value} is used twice`);
    if (classes.findIndex((other) => other.name === name) !== index) fail([index, 'name'], `'${name}' is used twice`);
    const namesake = role === 'lesion' ? undefined : classes.slice(0, index).find((other) => other.role === role);
    if (role !== undefined && namesake !== undefined)
      fail([index, 'role'], `'${name}' and '${namesake.name}' are both '${role}'; there is one such lung`);
    if (mirror === undefined) return;
    const partner = classes.find((other) => other.value === mirror);
    if (!partner) fail([index, 'mirror'], `${mirror} is no class's value`);
    else if ((partner.mirror ?? partner.value) !== value) {
      fail([index, 'mirror'], `${mirror} ('${partner.name}') must mirror back to ${value}`);
    }
  });
}
