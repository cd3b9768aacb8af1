/**
 * Trains, predicts and evaluates every fold of every system, one after the other; what is done is done once.
 *
 * Fold by fold rather than system by system: after each fold all systems can be compared on it. Before any work all
 * folds that are there must have been made with the same data, code, configuration and compute as what is to come.
 */
import { join } from 'node:path';
import { makeFolder } from '@quickcolumn/io';
import { casesOf, type DatasetCase } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import type { RuntimeName } from '@quickcolumn/runtimes';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type AnonymousFlags, type ShownNames, shownNames } from '../anonymous.js';
import { chooseDevice } from '../device.js';
import { exitCodeOf, exitCodes } from '@quickcolumn/errors';
import { exists } from '../outputs.js';
import { runFiles } from '../run-folder.js';
import { formatSeconds, note, secondsSince } from '../terminal.js';
import { runInChild } from './child.js';
import type { Experiment, ExperimentSystem } from './experiment.js';
import { readIdentity, readResult, removeCheckpoints, removeFold, writeIdentity } from './fold-files.js';
import { experimentFolds, foldConfig } from './folds.js';
import { codeIdentity, computeIdentity, configIdentity, dataIdentity, type FoldIdentity } from './identity.js';

export interface FoldRuns {
  readonly experiment: Experiment;
  /** Where a fold of a system lies. */
  readonly folderOf: (id: string, fold: number) => string;
  readonly cacheDir: string;
  readonly threads?: number;
  readonly anonymous: AnonymousFlags;
  /** Ids; default all. The systems whose weights they use come along. */
  readonly systems?: readonly string[];
  /** From 0; default all. */
  readonly folds?: readonly number[];
  /** Ids of systems to be trained anew; `all` for all. */
  readonly redo: readonly string[];
  /** Called when everything has been checked, before anything is written into the folds. */
  readonly onStart?: (cases: readonly DatasetCase[]) => Promise<void>;
}

interface Task {
  readonly system: ExperimentSystem;
  readonly fold: number;
  readonly folder: string;
  readonly identity: FoldIdentity;
}

/**
 * A fold that fails while it runs (out of memory, a training that diverged) does not stop the others.
 *
 * @returns what the failed folds said.
 * @throws whatever else the folds' stages have to say; `usage`, `config`, `output`; `interrupted` after Ctrl-C
 */
export async function runFolds(runs: FoldRuns): Promise<QuickcolumnError[]> {
  const { experiment, threads, folderOf } = runs;
  const { systems } = experiment;
  const { config } = systems[0];
  const device = await chooseDevice(config.compute);
  const cases = await casesOf(config.data);
  const names = shownNames(cases, runs.anonymous);
  const splits = experimentFolds(experiment, cases);
  const shared = {
    data: await dataIdentity(cases),
    code: await codeIdentity(),
    compute: computeIdentity(device, threads),
  };
  const tasks = splits.flatMap((_, fold) =>
    systems.map((system): Task => {
      const identity = { ...shared, config: configIdentity(experiment, system, fold) };
      return { system, fold, folder: folderOf(system.id, fold), identity };
    }),
  );
  const chosen = chooseTasks(tasks, runs);
  const redone = redoneTasks(chosen, runs);
  await refuseMixture(tasks.filter((task) => !redone.has(task)));
  await runs.onStart?.(cases);
  for (const { folder } of redone) await removeFold(folder);

  const progress = await createOverall(chosen);
  const failures: QuickcolumnError[] = [];
  const compute = { ...config.compute, runtime: device.runtime.name as RuntimeName, precision: device.precision };
  for (const task of chosen) {
    if ((await readResult(task.folder)) === undefined) {
      await refuseOtherCode(shared.code);
      try {
        await runFold(task, { compute, test: splits[task.fold].test, names, runs });
      } catch (error) {
        if (!(error instanceof QuickcolumnError) || exitCodeOf(error.code) !== exitCodes.runtime) throw error;
        note(error.message);
        failures.push(error);
        continue;
      }
      await progress.finished(task);
    }
    await removeCheckpoints(task.folder);
  }
  return failures;
}

/** Ends a command whose folds failed, after its report. */
export function throwFailures(failures: readonly QuickcolumnError[]): void {
  if (failures.length === 0) return;
  const texts = failures.map(({ message }) => message).join('\n');
  throw new QuickcolumnError(
    'runtime',
    `${failures.length} folds failed; run the same command to try again:\n${texts}`,
  );
}

async function runFold(
  { system, fold, folder, identity }: Task,
  about: { compute: TrainConfig['compute']; test: readonly DatasetCase[]; names: ShownNames; runs: FoldRuns },
): Promise<void> {
  const { compute, test, names, runs } = about;
  const { experiment, folderOf, cacheDir, threads, anonymous } = runs;
  const label = foldLabel(system.id, fold, experiment.folds);
  const stage = { label, folder, config: foldConfig(system.config, test, compute), threads };
  await makeFolder(folder);
  await writeIdentity(folder, identity);
  const trainedIn = system.weightsOf === undefined ? folder : folderOf(system.weightsOf, fold);
  if (system.weightsOf !== undefined && (await readResult(trainedIn)) === undefined) {
    throw new QuickcolumnError('runtime', `${label}: ${system.weightsOf} has no model of this fold`);
  }
  // The report is the last file of a training.
  if (system.weightsOf === undefined && !(await exists(join(folder, runFiles.report)))) {
    note(`${label}: training`);
    await runInChild({ ...stage, kind: 'train', cacheDir, anonymous });
  }
  note(`${label}: prediction and evaluation of ${test.length} held-out cases`);
  await runInChild({
    ...stage,
    kind: 'predict',
    trainedIn,
    testTime: system.testTime,
    identity,
    fold,
    cases: test,
    ...(names.anonymous && { shown: test.map((entry) => names.shown({ name: entry.name, patient: entry.patient })) }),
  });
}

/** What a fold is called on the terminal and in errors; `fold` counts from 0, as in the folder's name. */
function foldLabel(id: string, fold: number, folds: number): string {
  return `${id}, fold-${fold} (${fold + 1} of ${folds})`;
}

function chooseTasks(tasks: readonly Task[], { systems, folds, experiment }: FoldRuns): Task[] {
  requireKnown(
    '--systems',
    systems ?? [],
    experiment.systems.map(({ id }) => id),
  );
  requireKnown(
    '--folds',
    (folds ?? []).map(String),
    Array.from({ length: experiment.folds }, (_, fold) => String(fold)),
  );
  const wanted = new Set(systems ?? experiment.systems.map(({ id }) => id));
  for (const { id, weightsOf } of experiment.systems) {
    if (wanted.has(id) && weightsOf !== undefined) wanted.add(weightsOf);
  }
  return tasks.filter(({ system, fold }) => wanted.has(system.id) && (folds === undefined || folds.includes(fold)));
}

/** Those to be done anew: of the systems that are named, and of those that use their weights. */
function redoneTasks(chosen: readonly Task[], { redo, experiment }: FoldRuns): Set<Task> {
  requireKnown('--redo', redo, ['all', ...experiment.systems.map(({ id }) => id)]);
  const isRedone = ({ id, weightsOf = id }: ExperimentSystem): boolean =>
    redo.includes('all') || redo.includes(id) || redo.includes(weightsOf);
  return new Set(chosen.filter(({ system }) => isRedone(system)));
}

function requireKnown(flag: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new QuickcolumnError('usage', `${flag}: ${unknown.join(', ')} is not known; use ${known.join(', ')}`);
}

const parts = { data: 'data', code: 'code', config: 'configuration', compute: 'runtime or machine' } as const;

/** What differs between two identities, in words; empty where they are the same. */
export function identityDifferences(
  was: FoldIdentity,
  now: FoldIdentity,
  keys: readonly (keyof FoldIdentity)[] = ['data', 'code', 'config', 'compute'],
): string {
  const short = (text: string): string => (/^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text);
  return keys
    .filter((key) => was[key] !== now[key])
    .map((key) => `${parts[key]} (then ${short(was[key])}, now ${short(now[key])})`)
    .join(', ');
}

/** Begun folds count too: half a training by other code is a mixture as well. */
async function refuseMixture(tasks: readonly Task[]): Promise<void> {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const { system, fold, folder, identity } of tasks) {
    for (const was of [await readIdentity(folder), (await readResult(folder))?.identity]) {
      const differs = was === undefined ? '' : identityDifferences(was, identity);
      if (differs === '') continue;
      problems.push(`${system.id}, fold-${fold} (${folder}): made with another ${differs}`);
      ids.add(system.weightsOf ?? system.id);
      break;
    }
  }
  if (problems.length === 0) return;
  const shown = problems.slice(0, 5);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  throw new QuickcolumnError(
    'output',
    `${shown.join('\n')}\nResults that differ in this are never put in one table. Put it back as it was, or do these ` +
      `anew with --redo ${[...ids].join(',')}, or choose another --out, or write the report of those that belong ` +
      'together with --report-only',
  );
}

/** The stages run what is installed at their time: an update in the middle would go unseen. */
async function refuseOtherCode(atStart: string): Promise<void> {
  if ((await codeIdentity()) === atStart) return;
  throw new QuickcolumnError(
    'output',
    'quickcolumn was changed or built anew while it ran; the finished folds are kept. Put it back as it was and run ' +
      'the same command again, or start anew in another --out',
  );
}

/** Folds done of all, time and what is left of it, after every fold. */
async function createOverall(tasks: readonly Task[]): Promise<{ finished: (task: Task) => Promise<void> }> {
  const start = performance.now();
  const seconds = new Map<Task, number>();
  const measure = async (task: Task): Promise<boolean> => {
    const result = await readResult(task.folder);
    if (result === undefined) return false;
    const { trainingSeconds, secondsPerScan } = result.cost;
    const training = task.system.weightsOf === undefined ? trainingSeconds : 0;
    seconds.set(task, training + secondsPerScan * result.cases.length);
    return true;
  };
  for (const task of tasks) await measure(task);
  note(`${seconds.size} of ${tasks.length} folds done`);
  const meanOf = (some: readonly Task[]): number | undefined => {
    const known = some.map((task) => seconds.get(task)).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const expected = ({ system }: Task): number =>
    meanOf(tasks.filter((other) => other.system === system)) ??
    meanOf(tasks.filter((other) => (other.system.weightsOf === undefined) === (system.weightsOf === undefined))) ??
    0;
  return {
    finished: async (task) => {
      await measure(task);
      const left = tasks.filter((other) => !seconds.has(other)).reduce((sum, other) => sum + expected(other), 0);
      const elapsed = formatSeconds(secondsSince(start));
      note(`${seconds.size} of ${tasks.length} folds done, ${elapsed} so far, about ${formatSeconds(left)} left`);
    },
  };
}
