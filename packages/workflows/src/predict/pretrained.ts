/**
 * Models that come along, by name. The weights are a package of their own, under a licence of their own
 * (`@quickcolumn/model-covid19-ct`); its `model.json` tells the checksum that the file is compared with each time it is read.
 *
 * A name is always the model's, never a path: what lies in the working folder changes no result (`./covid19-ct` is a path).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ErrorFields, QuickcolumnError, systemErrorCode } from '@quickcolumn/errors';
import { FileError } from '@quickcolumn/io';
import { factsUrl, modelUrl } from '@quickcolumn/model-covid19-ct';
import { type ModelTerms, modelTermsSchema } from '@quickcolumn/pipeline';
import { type ModelContents, parseModel } from '@quickcolumn/predict';
import { z } from 'zod';

/** Where a package has its model, and what is known of it. */
export interface PretrainedFiles {
  readonly package: string;
  readonly model: URL;
  readonly facts: URL;
}

/** What `predict` takes where no model is named. */
export const defaultModel = 'covid19-ct';

const pretrained: Readonly<Record<string, PretrainedFiles>> = {
  [defaultModel]: { package: '@quickcolumn/model-covid19-ct', model: modelUrl, facts: factsUrl },
};

export const pretrainedNames: readonly string[] = Object.keys(pretrained);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** As far as it is used here; the rest is for the model's card. */
const factsSchema = z.looseObject({
  format: z.literal('quickcolumn-pretrained-model'),
  version: z.literal(1),
  terms: modelTermsSchema,
  file: z.nullable(z.looseObject({ bytes: z.int().positive(), sha256 })),
});
type Facts = z.infer<typeof factsSchema>;

/**
 * Reads a model that comes along.
 * @param files where it is, for tests
 * @throws QuickcolumnError `model` where the weights are missing or not those that the package tells of
 */
export async function readPretrained(name: string, files: PretrainedFiles = pretrained[name]): Promise<ModelContents> {
  const path = fileURLToPath(files.model);
  const { file } = await readFacts(files);
  const bytes = await readWeights(path, { name, files, isMade: file !== null });
  if (file === null) throw unusable(`${path}: ${fileURLToPath(files.facts)} tells no checksum of it`, { path, files });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== file.sha256) {
    const expected = `expected ${file.bytes} bytes with ${file.sha256}`;
    throw unusable(`${path} is damaged: ${bytes.length} bytes with the SHA-256 ${found}, ${expected}`, { path, files });
  }
  return await parseModel(bytes, path);
}

async function readFacts({ facts }: PretrainedFiles): Promise<Facts> {
  const path = fileURLToPath(facts);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new QuickcolumnError('model', `${path}: not JSON`, { path }, { cause });
    throw new FileError(path, 'read', cause);
  }
  const parsed = factsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new QuickcolumnError('model', `${path}: ${issue.path.join('.')}: ${issue.message}`, { path });
}

async function readWeights(
  path: string,
  { name, files, isMade }: { readonly name: string; readonly files: PretrainedFiles; readonly isMade: boolean },
): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') throw new FileError(path, 'read', cause);
    const problem = `${path} is missing, the weights of the pretrained model ${name}`;
    if (isMade) throw unusable(problem, { path, files, cause });
    throw new QuickcolumnError('model', `${problem}, which this version does not have yet`, fieldsOf(path), { cause });
  }
}

function unusable(
  problem: string,
  { path, files, cause }: { readonly path: string; readonly files: PretrainedFiles; readonly cause?: unknown },
): QuickcolumnError {
  return new QuickcolumnError('model', `${problem}; install ${files.package} again`, fieldsOf(path), { cause });
}

const fieldsOf = (path: string): ErrorFields => ({ path, options: { model: 'name a model of your own' } });

/** A model that comes along, for `doctor`. */
export interface PretrainedSurvey {
  readonly name: string;
  readonly terms?: ModelTerms;
  readonly bytes?: number;
  /** Why it cannot be used; absent where it can. */
  readonly problem?: string;
}

/** All of them, each read and checked. */
export async function surveyPretrained(): Promise<readonly PretrainedSurvey[]> {
  return await Promise.all(
    Object.entries(pretrained).map(async ([name, files]): Promise<PretrainedSurvey> => {
      try {
        const { terms, file } = await readFacts(files);
        const known = { name, terms, ...(file && { bytes: file.bytes }) };
        const problem = await readPretrained(name, files).then(
          () => undefined,
          (error: Error) => error.message,
        );
        return { ...known, ...(problem !== undefined && { problem }) };
      } catch (error) {
        return { name, problem: (error as Error).message };
      }
    }),
  );
}
