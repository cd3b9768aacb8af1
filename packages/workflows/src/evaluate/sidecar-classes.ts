/** What the values of predicted masks mean and which models drew them, as the sidecars beside them say. */
import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '@quickcolumn/errors';
import { volumeBase } from '@quickcolumn/io';
import { modelTermsSchema } from '@quickcolumn/pipeline';
import { modelLine } from '@quickcolumn/predict';
import { type LabelClass, labelRoles, withRoles } from '@quickcolumn/volume';
import { z } from 'zod';
import { InputError } from '../scans/scan-files.js';

const byte = z.int().min(0).max(255);

/** Tables and pages repeat names for every case. */
const longestName = 200;

/** As far as it is used here; sidecars of earlier versions say neither their version nor roles. */
const sidecarSchema = z.looseObject({
  version: z.number().optional(),
  classes: z
    .array(
      z.looseObject({
        value: byte,
        name: z.string().min(1).max(longestName),
        color: z.tuple([byte, byte, byte]),
        role: z.enum(labelRoles).optional(),
      }),
    )
    .min(1)
    .max(256)
    .refine((classes) => new Set(classes.map(({ value }) => value)).size === classes.length, {
      error: 'two classes have the same value',
    }),
});

/**
 * The classes that all sidecars agree on; undefined where no mask has one.
 * @throws InputError for a sidecar that says nothing that can be used, and for two that contradict each other
 */
export async function sidecarClasses(maskPaths: readonly string[]): Promise<readonly LabelClass[] | undefined> {
  let first: { readonly path: string; readonly classes: readonly LabelClass[] } | undefined;
  for (const maskPath of maskPaths) {
    const path = `${volumeBase(maskPath)}.json`;
    const classes = await classesIn(path);
    if (classes === undefined) continue;
    first ??= { path, classes };
    const difference = differenceOf([classes, 'the one'], [first.classes, 'the other']);
    if (difference === undefined) continue;
    throw new InputError(`${path} and ${first.path} contradict each other: ${difference}; evaluate such masks apart`, {
      path,
      options: { classes: 'say what the values mean' },
    });
  }
  return first?.classes;
}

/** @throws InputError where a mask's sidecar says other classes than these; masks without one are taken at their word */
export async function requireSidecarClasses(
  maskPaths: readonly string[],
  classes: readonly LabelClass[],
): Promise<void> {
  const named = await sidecarClasses(maskPaths);
  const difference = named && differenceOf([named, 'their sidecars'], [classes, 'the configuration']);
  if (difference === undefined) return;
  throw new InputError(
    `the masks are not of the configuration's classes: ${difference}; give the one that their model was trained with`,
    {},
  );
}

/** As far as a report tells it; the classes above are what must be right. */
const modelSchema = z.looseObject({
  file: z.string().max(longestName),
  terms: modelTermsSchema.optional(),
  notes: z.string().max(1000).optional(),
});
const drawnBySchema = z.looseObject({ model: modelSchema, ensemble: z.array(modelSchema).optional() });

/** A line for each model that the sidecars name: title, licence, intended use. */
export async function sidecarModels(maskPaths: readonly string[]): Promise<readonly string[]> {
  const lines = new Set<string>();
  for (const maskPath of maskPaths) {
    const sidecar: unknown = await readFile(`${volumeBase(maskPath)}.json`, 'utf8').then(JSON.parse, () => undefined);
    const { data } = drawnBySchema.safeParse(sidecar);
    for (const model of data?.ensemble ?? (data ? [data.model] : [])) lines.add(modelLine(model));
  }
  return [...lines];
}

async function classesIn(path: string): Promise<readonly LabelClass[] | undefined> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  // Other programs write other JSON beside volumes.
  if (typeof value !== 'object' || value === null || !('classes' in value)) return undefined;
  const parsed = sidecarSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unusable(path, `${issue.path.join('.')}: ${issue.message}`, parsed.error);
  }
  const { version, classes } = parsed.data;
  const named = classes.map(({ value: number, name, color, role }) => ({
    value: number,
    name,
    color,
    ...(role && { role }),
  }));
  return version === undefined ? withRoles(named) : named;
}

const unusable = (path: string, problem: string, cause: unknown): InputError =>
  new InputError(
    `${path}: not the sidecar of a mask (${problem}); remove it`,
    { path, options: { classes: 'say what the values mean' } },
    { cause },
  );

/** Classes, and where they stand. */
type Named = readonly [classes: readonly LabelClass[], where: string];

/** `3 is 'infection' in the one, 'lung' in the other`; colours may differ. */
function differenceOf([one, here]: Named, [other, there]: Named): string | undefined {
  const wordsOf = (classes: readonly LabelClass[], value: number): string => {
    const found = classes.find((candidate) => candidate.value === value);
    return found === undefined ? 'no class' : `'${found.name}'${found.role === undefined ? '' : ` (${found.role})`}`;
  };
  const values = [...new Set([...one, ...other].map(({ value }) => value))];
  const different = values.find((value) => wordsOf(one, value) !== wordsOf(other, value));
  if (different === undefined) return undefined;
  return `${different} is ${wordsOf(one, different)} in ${here}, ${wordsOf(other, different)} in ${there}`;
}
