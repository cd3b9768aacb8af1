/**
 * What an earlier version left on disk (v0/, made by make.mjs), copied into a temporary folder beside its data, and the
 * built command line to open it with. Numbers agree to `relative`: ONNX Runtime on another processor adds in another
 * order.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { writePhantomCases } from '@quickcolumn/phantom';
import { openOnnx } from '@quickcolumn/runtimes';
import { expect } from 'vitest';

const program = fileURLToPath(new URL('../../packages/quickcolumn/dist/main.js', import.meta.url));
const fixtures = fileURLToPath(new URL('v0/', import.meta.url));

export interface Losses {
  readonly training: number;
  readonly validation: number;
}

export interface CaseDice {
  readonly name: string;
  /** Of each class but the background. */
  readonly dice: readonly (number | null)[];
}

/** What the earlier version came to where nothing interrupted it. */
interface Expected {
  /** SHA-256 over the uncompressed files of the data. */
  readonly data: string;
  readonly run: {
    readonly losses: readonly Losses[];
    readonly weights: { readonly rms: Readonly<Record<string, number>> };
  };
  readonly prediction: { readonly voxelsSha256: string; readonly cases: readonly CaseDice[] };
  readonly comparison: readonly {
    readonly id: string;
    readonly folds: readonly {
      readonly fold: number;
      readonly cases: readonly CaseDice[];
      readonly losses?: readonly Losses[];
    }[];
  }[];
  readonly crossValidation: {
    readonly losses: readonly (readonly Losses[])[];
    readonly cases: readonly CaseDice[];
  };
  readonly rounds: {
    readonly losses: readonly Losses[];
    readonly corrections: readonly { readonly name: string; readonly changedVoxels: number }[];
  };
  readonly semi: { readonly losses: readonly Losses[] };
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Earlier {
  readonly expected: Expected;
  readonly at: (...path: string[]) => string;
  /** Runs the command line in the folder of the copy. */
  readonly quickcolumn: (...args: string[]) => Promise<Outcome>;
  readonly text: (...path: string[]) => Promise<string>;
  readonly remove: () => Promise<void>;
}

/** Copies `names` of v0/ and writes the data beside them, where the files in them say that they lie. */
export async function openEarlier(names: readonly string[]): Promise<Earlier> {
  const root = await mkdtemp(join(tmpdir(), 'quickcolumn-earlier-'));
  const work = join(root, 'work');
  const at = (...path: string[]): string => join(work, ...path);
  for (const name of names) await cp(join(fixtures, name), at(name), { recursive: true });
  const processor = cpus()[0]?.model.trim() || process.arch;
  const { name, version } = await openOnnx();
  const compute = `${name} ${version}, float32, 1 threads, ${processor}`;
  for (const file of await filesIn(work)) {
    const bytes = await readFile(at(file), 'latin1');
    const here = bytes.replaceAll('@EARLIER@', work).replaceAll('@COMPUTE@', compute);
    if (here !== bytes) await writeFile(at(file), here, 'latin1');
  }
  const expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')) as Expected;
  expect(await writeData(at('data')), 'the phantoms are those of the earlier version').toBe(expected.data);
  return {
    expected,
    at,
    quickcolumn: async (...args) => await run(args, work, join(root, 'cache')),
    text: async (...path) => await readFile(at(...path), 'utf8'),
    remove: async () => await rm(root, { recursive: true, force: true }),
  };
}

/** Uncompressed, as the bytes of gzip are those of a version of zlib. Returns the hash of all. */
async function writeData(folder: string): Promise<string> {
  await writePhantomCases(folder, 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  const hash = createHash('sha256');
  for (const file of await filesIn(folder)) {
    const bytes = gunzipSync(await readFile(join(folder, file)));
    await writeFile(join(folder, file.replace(/\.gz$/, '')), bytes);
    await rm(join(folder, file));
    hash.update(bytes);
  }
  return hash.digest('hex');
}

async function run(args: readonly string[], cwd: string, cache: string): Promise<Outcome> {
  const env = { ...process.env, QUICKCOLUMN_CACHE: cache, NO_COLOR: '1' };
  return await new Promise((done) => {
    execFile(process.execPath, [program, ...args], { cwd, env }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
    });
  });
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length)
        .replace(/^[/\\]/, ''),
    )
    .sort();
}

/** Of all files below a folder, but for those that end in one of `except`. */
export async function hashesIn(folder: string, except: readonly string[] = []): Promise<Record<string, string>> {
  const files = (await filesIn(folder)).filter((file) => !except.some((end) => file.endsWith(end)));
  const hashes = files.map(async (file): Promise<[string, string]> => {
    const bytes = await readFile(join(folder, file));
    return [file, createHash('sha256').update(bytes).digest('hex')];
  });
  return Object.fromEntries(await Promise.all(hashes));
}

export function lossesIn(history: string): Losses[] {
  const lines = history.trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<keyof Losses, { readonly loss: number }>);
  return records.map(({ training, validation }) => ({ training: training.loss, validation: validation.loss }));
}

export function expectLosses(found: readonly Losses[], expected: readonly Losses[], relative: number): void {
  expect(found).toHaveLength(expected.length);
  for (const [epoch, losses] of expected.entries()) {
    expectClose(found[epoch].training, losses.training, relative, `training loss of epoch ${epoch + 1}`);
    expectClose(found[epoch].validation, losses.validation, relative, `validation loss of epoch ${epoch + 1}`);
  }
}

export function expectClose(found: number, expected: number, relative: number, what: string): void {
  const difference = Math.abs(found - expected) / Math.abs(expected);
  expect(difference, `${what}: ${found}, in the earlier version ${expected}`).toBeLessThan(relative);
}

export interface MeasuredCase {
  readonly name: string;
  readonly classes: readonly { readonly metrics: { readonly dice: number | null } }[];
}

/** Dice may differ by some voxels where two classes are nearly as probable. */
export function expectCases(found: readonly MeasuredCase[], expected: readonly CaseDice[]): void {
  expect(found.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  for (const [index, { name, dice }] of expected.entries()) {
    const { classes } = found[index];
    expect(classes).toHaveLength(dice.length);
    for (const [at, value] of dice.entries()) {
      const now = classes[at].metrics.dice;
      if (value === null || now === null) expect(now, name).toBe(value);
      else expect(Math.abs(now - value), `Dice ${at} of ${name}: ${now}, was ${value}`).toBeLessThan(0.002);
    }
  }
}
