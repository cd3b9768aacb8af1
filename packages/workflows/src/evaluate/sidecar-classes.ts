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
    const difference = differenceOf(first.classes, classes);
    if (difference === undefined) continue;
    throw new InputError(`${path} and ${first.path} contradict each other: ${difference}; evaluate such masks apart`, {
      path,
      options: { classes: 'say what the values mean' },
    });
  }
  return first?.classes;
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

/** `3 is 'infection' in one and 'lung' in the other`; colours may differ. */
function differenceOf(one: readonly LabelClass[], other: readonly LabelClass[]): string | undefined {
  const wordsOf = (classes: readonly LabelClass[], value: number): string => {
    const found = classes.find((candidate) => candidate.value === value);
    return found === undefined ? 'no class' : `'${found.name}'${found.role === undefined ? '' : ` (${found.role})`}`;
  };
  const values = [...new Set([...one, ...other].map(({ value }) => value))];
  const different = values.find((value) => wordsOf(one, value) !== wordsOf(other, value));
  if (different === undefined) return undefined;
  return `${different} is ${wordsOf(other, different)} in the one, ${wordsOf(one, different)} in the other`;
}
