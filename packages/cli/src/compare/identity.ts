/**
 * What a fold's result depends on. Results are shown in one table only where data, code and compute are the same.
 *
 * `code` covers the packages that decide numbers, as they are built; of `evaluate` only the metrics with what they
 * import, so that tables and pages can change without a new training. Where the files lie is no part of anything.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashFile, volumeFiles } from '@quickcolumn/io';
import type { DatasetCase } from '@quickcolumn/cases';
import type { RuntimeChoice } from '@quickcolumn/runtimes';
import { throwIfInterrupted } from '../interrupt.js';
import { progressLine } from '../terminal.js';
import type { Experiment, ExperimentSystem } from './experiment.js';
import { systemKeys } from './experiment-yaml.js';

export interface FoldIdentity {
  /** SHA-256 over names, patients and contents of all cases. */
  readonly data: string;
  /** SHA-256 over the built files that decide numbers. */
  readonly code: string;
  /** SHA-256 over training configuration, fold and test-time options. */
  readonly config: string;
  /** For people: runtime, version, precision, threads, processor. */
  readonly compute: string;
}

const numberPackages = ['volume', 'io', 'dicom', 'graph', 'runtimes', 'networks', 'pipeline', 'learn', 'predict'];

/** Hashes every file of the cases once. @throws FileError; `interrupted` */
export async function dataIdentity(cases: readonly DatasetCase[]): Promise<string> {
  const line = progressLine('data');
  const hashes = async (path: string): Promise<string[]> => {
    const found: string[] = [];
    for (const file of await volumeFiles(path)) found.push(await hashFile(file));
    return found;
  };
  const entries: unknown[] = [];
  try {
    for (const { name, patient, imagePath, labelPath, role } of cases) {
      throwIfInterrupted();
      line.update(`reading case ${entries.length + 1} of ${cases.length}`, entries.length / cases.length);
      const files = { image: await hashes(imagePath), labels: await hashes(labelPath) };
      entries.push({ name, patient, ...files, ...(role && { role }) });
    }
  } finally {
    line.end();
  }
  return sha256(canonical(entries));
}

/** Of the program as it is installed. */
export async function codeIdentity(): Promise<string> {
  const hash = createHash('sha256');
  const add = async (name: string, path: string): Promise<void> => {
    hash.update(`${name}\0${await hashFile(path)}\n`);
  };
  for (const name of numberPackages) {
    const folder = packageFolder(name);
    for (const file of await builtFiles(folder)) await add(`${name}/${file}`, join(folder, file));
  }
  const evaluate = packageFolder('evaluate');
  for (const file of await importedFrom(evaluate, 'metrics.js')) await add(`evaluate/${file}`, join(evaluate, file));
  return hash.digest('hex');
}

/** Runtime, precision, threads and processor of the folds' processes. */
export function computeIdentity(
  { runtime, precision }: RuntimeChoice,
  threads: number = availableParallelism(),
): string {
  const model = cpus()[0]?.model.trim() || process.arch;
  return `${runtime.name} ${runtime.version}, ${precision}, ${threads} threads, ${model}`;
}

/**
 * Of one fold of one system, from its keys in a complete experiment file; data and compute are parts of their own. Keys
 * as an earlier version wrote them count as they are: a new key with a default does not make its results another's.
 */
export function configIdentity({ seed, folds, systems }: Experiment, system: ExperimentSystem, fold: number): string {
  const { holdOut, split } = system.config.data;
  const lender = systems.find(({ id }) => id === system.weightsOf);
  return sha256(
    canonical({
      seed,
      folds,
      fold,
      holdOut: [...holdOut].sort(),
      split,
      system: system.written ?? systemKeys(system),
      ...(lender && { lender: lender.written ?? systemKeys(lender) }),
    }),
  );
}

function packageFolder(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`@quickcolumn/${name}`)));
}

/** Relative paths with forward slashes, sorted; tests and what only they use is left out. */
async function builtFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js') && !entry.name.includes('.test.'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** A file and all files of the same folder that it imports, directly or not. */
async function importedFrom(folder: string, start: string): Promise<string[]> {
  const found = new Set<string>([start]);
  for (const file of found) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, name] of text.matchAll(/from '\.\/([\w.-]+\.js)'/g)) found.add(name);
  }
  return [...found].sort();
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
