/**
 * Results in a folder that an earlier version of the program made. Their configuration was hashed as that version wrote it
 * down; before the experiment file is written anew, results that fit it get the identity that they have today. A result
 * that does not fit stays as it is, and is refused or left out like any other of another configuration.
 *
 * Version 1 named the code that made a result by a hash of its built files (`code`), where now a version of the numerics is
 * declared: results of one such code count as numerics 1, those of a second code beside them as 0, so that they never stand
 * in one table.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@quickcolumn/io';
import type { JobContext } from '../context.js';
import { exists } from '../folders/outputs.js';
import { readYaml } from '../folders/yaml.js';
import type { FoldIdentity } from '../jobs/fold.js';
import { experimentVersion, readExperiment } from './experiment.js';
import { identityFiles } from './fold-files.js';
import { configIdentity } from './identity.js';

interface EarlierFile {
  readonly path: string;
  readonly content: Record<string, unknown>;
  readonly identity: Omit<FoldIdentity, 'numerics'> & { readonly code?: string; readonly numerics?: number };
  readonly configNow: string;
  /** Whether the configuration is that of the experiment file. */
  readonly fits: boolean;
}

/**
 * @param file the experiment file of the folder, as the earlier version wrote it
 * @throws the readers' errors
 */
export async function adoptEarlierResults(
  file: string,
  folderOf: (id: string, fold: number) => string,
  context: JobContext,
): Promise<void> {
  if (!(await exists(file)) || (await versionOf(file)) >= experimentVersion) return;
  const asWritten = await readExperiment(file, { asWritten: true });
  const today = await readExperiment(file);
  const found: EarlierFile[] = [];
  for (const [index, system] of asWritten.systems.entries()) {
    for (let fold = 0; fold < asWritten.folds; fold++) {
      const configNow = configIdentity(today, today.systems[index], fold);
      const configThen = configIdentity(asWritten, system, fold);
      for (const name of identityFiles) {
        const path = join(folderOf(system.id, fold), name);
        const earlier = await readEarlier(path);
        if (earlier === undefined) continue;
        found.push({ path, ...earlier, configNow, fits: earlier.identity.config === configThen });
      }
    }
  }
  const usual = mostFrequent(found.flatMap(({ identity }) => identity.code ?? []));
  for (const { path, content, identity, configNow, fits } of found) {
    const { code, numerics = code === usual ? 1 : 0, ...rest } = identity;
    const now = { ...rest, numerics, config: fits ? configNow : identity.config };
    const written = 'identity' in content ? { ...content, identity: now } : now;
    await writeFileAtomic(path, `${JSON.stringify(written, null, 2)}\n`);
  }
  if (found.length > 0) {
    context.note(`${file} was written by an earlier version; its results keep their place beside new ones`);
  }
}

/** Undefined of nothing: where an interrupted run has adopted all of them already. */
function mostFrequent(codes: readonly string[]): string | undefined {
  const times = (code: string): number => codes.filter((other) => other === code).length;
  return [...new Set(codes)].sort((a, b) => times(b) - times(a)).at(0);
}

async function versionOf(file: string): Promise<number> {
  const object = await readYaml(file);
  const version = typeof object === 'object' && object !== null && 'version' in object ? object.version : 1;
  return typeof version === 'number' ? version : 1;
}

/** What the file holds, where that is an identity at all; damaged files are reported by those who need them. */
async function readEarlier(path: string): Promise<Pick<EarlierFile, 'content' | 'identity'> | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const identity = (content['identity'] ?? content) as EarlierFile['identity'];
    return typeof identity.config === 'string' ? { content, identity } : undefined;
  } catch {
    return undefined;
  }
}
