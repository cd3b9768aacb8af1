/**
 * Options of the prediction alone, as an experiment file writes them: the flags of `predict` by another name. Classes
 * are named by value or by name.
 */
import type { Size3 } from '@quickcolumn/volume';
import { z } from 'zod';
import type { ExtraFlags } from '../prediction-options.js';

const edge = z.int().min(0);

export interface TestTime {
  /** Of neighbouring windows, in place of the model's own. */
  readonly overlap?: Size3;
  readonly gaussian?: boolean;
  readonly mirror?: readonly ('x' | 'y' | 'z')[];
  readonly postProcessing?: {
    /** Class → how many of its components are kept. */
    readonly keepLargest?: Readonly<Record<string, number>>;
    /** Class → ml below which a component is dropped. */
    readonly minimumVolume?: Readonly<Record<string, number>>;
    readonly fillHoles?: readonly (string | number)[];
  };
}

export const testTimeSchema: z.ZodType<TestTime> = z.strictObject({
  overlap: z.tuple([edge, edge, edge]).optional(),
  gaussian: z.boolean().optional(),
  mirror: z.array(z.enum(['x', 'y', 'z'])).optional(),
  postProcessing: z
    .strictObject({
      keepLargest: z.record(z.string(), z.int().min(1)).optional(),
      minimumVolume: z.record(z.string(), z.number().gt(0)).optional(),
      fillHoles: z.array(z.union([z.string(), z.number()])).optional(),
    })
    .optional(),
});

/** The keys that a system with weights of its own has beside those of its training configuration. */
export const testTimeKeys: ReadonlySet<string> = new Set(['gaussian', 'mirror', 'postProcessing']);

/** As flags of `predict`. */
export function testTimeFlags(options: TestTime): ExtraFlags & { readonly overlap?: Size3 } {
  const { overlap, gaussian, mirror, postProcessing: { keepLargest, minimumVolume, fillHoles } = {} } = options;
  const numbered = (classes: Readonly<Record<string, number>>): { name: string; number: number }[] =>
    Object.entries(classes).map(([name, number]) => ({ name, number }));
  return {
    ...(overlap && { overlap }),
    ...(gaussian && { gaussian }),
    ...(mirror && mirror.length > 0 && { mirror }),
    ...(keepLargest && { keepLargest: numbered(keepLargest) }),
    ...(minimumVolume && { minimumVolume: numbered(minimumVolume) }),
    ...(fillHoles && { fillHoles: fillHoles.map((name) => ({ name: String(name) })) }),
  };
}
