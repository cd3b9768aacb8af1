/**
 * Teachers' votes on disk, beside the prepared cases, so that a scan is predicted once and not once a run.
 *
 * KEY.votes.json names KEY.votes.u8 (packed votes, learn's soft-votes.ts) with its checksum. The key is a hash of all that decides
 * the votes. Files are written atomically and the JSON last, so an entry without JSON does not exist; one that does not match its
 * checksum is made again. Like prepared cases, they are patients': readable for their owner alone, and no entry tells a name.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { z } from 'zod';

/** Part of every key: raise it when the same models give other votes. */
const votesVersion = 1;

const entrySchema = z.strictObject({
  format: z.literal('quickcolumn-votes'),
  version: z.literal(votesVersion),
  sha256: z.string().length(64),
});

/** @param parts JSON of all that decides the votes */
export function votesKey(parts: readonly unknown[]): string {
  return sha256(JSON.stringify([votesVersion, ...parts])).slice(0, 32);
}

/**
 * @param bytes how many they must be
 * @param onDamage called with what is wrong with an entry that is there
 * @returns undefined where there is none that is whole
 */
export async function readVotes(
  cacheDir: string,
  key: string,
  { bytes, onDamage }: { readonly bytes: number; readonly onDamage: (problem: string) => void },
): Promise<Uint8Array | undefined> {
  const paths = pathsOf(cacheDir, key);
  const description = await readFile(paths.entry, 'utf8').catch(() => undefined);
  if (description === undefined) return undefined;
  const entry = entrySchema.safeParse(parsedJson(description));
  if (!entry.success) return damaged(`${paths.entry} is damaged`);
  const votes = await readFile(paths.votes).catch(() => undefined);
  if (votes === undefined) return damaged(`${paths.votes} cannot be read`);
  if (votes.length !== bytes) return damaged(`${paths.votes} has ${votes.length} bytes, expected ${bytes}`);
  if (sha256(votes) !== entry.data.sha256) return damaged(`${paths.votes} does not match its checksum`);
  return votes;

  function damaged(problem: string): undefined {
    onDamage(problem);
  }
}

/** Makes `cacheDir` if needed. @throws FileError */
export async function storeVotes(cacheDir: string, key: string, votes: Uint8Array): Promise<void> {
  const paths = pathsOf(cacheDir, key);
  const ours = { private: true };
  await makeFolder(cacheDir, ours).catch((cause: unknown) => {
    throw new FileError(cacheDir, 'write', cause);
  });
  await writeFileAtomic(paths.votes, votes, ours);
  const entry = { format: 'quickcolumn-votes', version: votesVersion, sha256: sha256(votes) };
  await writeFileAtomic(paths.entry, `${JSON.stringify(entry)}\n`, ours);
}

function pathsOf(cacheDir: string, key: string): { readonly entry: string; readonly votes: string } {
  return { entry: join(cacheDir, `${key}.votes.json`), votes: join(cacheDir, `${key}.votes.u8`) };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
