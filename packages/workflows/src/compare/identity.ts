/**
 * What a fold's result depends on. Results are shown in one table only where data, numerics and compute are the same. Where
 * the files lie is no part of anything.
 */
import { createHash } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { QuickcolumnError } from '@quickcolumn/errors';
import { hashFile, volumeFiles } from '@quickcolumn/io';
import { assumptionsOf, type DatasetCase } from '@quickcolumn/cases';
import type { RuntimeChoice } from '@quickcolumn/runtimes';
import type { JobContext } from '../context.js';
import type { FoldIdentity } from '../jobs/fold.js';
import type { Experiment, ExperimentSystem } from './experiment.js';
import { systemKeys } from './experiment-yaml.js';
import { numericsVersion } from './numerics.js';

/** Hashes every file of the cases once. @throws FileError; `interrupted` */
export async function dataIdentity(cases: readonly DatasetCase[], context: JobContext): Promise<string> {
  const task = context.begin('read data');
  const hashes = async (path: string): Promise<string[]> => {
    const found: string[] = [];
    for (const file of await volumeFiles(path)) found.push(await hashFile(file));
    return found;
  };
  const entries: unknown[] = [];
  try {
    for (const { name, patient, imagePath, labelPath, role } of cases) {
      context.throwIfInterrupted();
      task.update(`reading case ${entries.length + 1} of ${cases.length}`, entries.length, cases.length);
      const files = { image: await hashes(imagePath), labels: await hashes(labelPath) };
      entries.push({ name, patient, ...files, ...(role && { role }) });
    }
  } finally {
    task.end();
  }
  return sha256(canonical(entries));
}

/** Runtime, precision, threads and processor of the folds' processes. */
export function computeIdentity(
  { runtime, precision }: RuntimeChoice,
  threads: number = availableParallelism(),
): string {
  const model = cpus()[0]?.model.trim() || process.arch;
  return `${runtime.name} ${runtime.version}, ${precision}, ${threads} threads, ${model}`;
}

/** Of one fold of one system, from its keys in a complete experiment file; data and compute are parts of their own. */
export function configIdentity({ seed, folds, systems }: Experiment, system: ExperimentSystem, fold: number): string {
  const { holdOut, split } = system.config.data;
  const assume = assumptionsOf(system.config.data);
  const lender = systems.find(({ id }) => id === system.weightsOf);
  return sha256(
    canonical({
      seed,
      folds,
      fold,
      holdOut: [...holdOut].sort(),
      split,
      // Nothing assumed is nothing said, as in results of earlier versions.
      ...(Object.keys(assume).length > 0 && { assume }),
      system: system.written ?? systemKeys(system),
      ...(lender && { lender: lender.written ?? systemKeys(lender) }),
    }),
  );
}

const words = {
  data: 'data',
  numerics: 'version of the numerics',
  config: 'configuration',
  compute: 'runtime or machine',
} as const;

/** What differs between two identities, in words; empty where they are the same. */
export function identityDifferences(
  was: FoldIdentity,
  now: FoldIdentity,
  keys: readonly (keyof FoldIdentity)[] = ['data', 'numerics', 'config', 'compute'],
): string {
  const short = (value: string | number): string => {
    const text = String(value);
    return /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text;
  };
  return keys
    .filter((key) => was[key] !== now[key])
    .map((key) => `${words[key]} (then ${short(was[key])}, now ${short(now[key])})`)
    .join(', ');
}

/** The same text for results that may stand in one table. */
export function sameConditions({ data, numerics, compute }: FoldIdentity): string {
  return JSON.stringify([data, numerics, compute]);
}

/** In a stage: what it was asked to compute with must be what is installed now. @throws QuickcolumnError `output` */
export function requireSameNumerics({ numerics }: FoldIdentity): void {
  if (numerics === numericsVersion) return;
  throw new QuickcolumnError(
    'output',
    `quickcolumn was updated while it ran (numerics ${numerics}, now ${numericsVersion}); finished folds are kept. Put ` +
      'the version back to go on, or start anew in another folder',
    { numerics, now: numericsVersion },
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with sorted keys: the same for the same content. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
