/**
 * Settings that come in kinds (losses, optimisers, schedules): each kind is one file that says what its settings are and
 * what they do, and one line in a list. A list is a module of `export … from` lines, imported as a namespace, so that
 * both its values and the union of their types follow from it.
 */
import { z } from 'zod';

export interface Variant {
  readonly kind: string;
  /** Strict, with `kind` as a literal. */
  readonly schema: z.ZodObject;
}

/** The settings of any variant of a list, told apart by `kind`. */
export function schemaOfVariants<Config>(variants: Readonly<Record<string, Variant>>): z.ZodType<Config> {
  const [first, ...rest] = Object.values(variants).map(({ schema }) => schema);
  return z.discriminatedUnion('kind', [first, ...rest]) as unknown as z.ZodType<Config>;
}

/** The variant of a kind that a schema has accepted. */
export function variantOf<V extends Variant>(variants: Readonly<Record<string, V>>, kind: string): V {
  const found = Object.values(variants).find((variant) => variant.kind === kind);
  if (found === undefined) throw new RangeError(`no variant of kind ${kind}`);
  return found;
}
