/**
 * Trains, predicts and evaluates every fold of every system, one after the other; what is done is done once.
 *
 * Fold by fold rather than system by system: after each fold all systems can be compared on it. Before any work all
 * folds that are there must have been made with the same data, numerics, configuration and compute as what is to come.
 */
import { join } from 'node:path';
import { exitCodeOf, exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { makeFolder } from '@quickcolumn/io';
import { casesOf, type DatasetCase } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import type { RuntimeChoice, RuntimeName } from '@quickcolumn/runtimes';
import type { JobContext } from '../context.js';
import { defaultCache } from '../folders/cache-folder.js';
import { type ShownNames, shownNames } from '../folders/case-names.js';
import { exists } from '../folders/outputs.js';
import { runFiles } from '../folders/run-folder.js';
import type { Caching, CaseNaming } from '../jobs/parts.js';
import { chooseDevice } from '../runtime/choose-device.js';
import { readResult, removeCheckpoints, removeFold, writeIdentity } from './fold-files.js';
import { followFolds } from './fold-progress.js';
import {
  chooseTasks,
  type FoldChoice,
  type FoldTask,
  precisionOfFolds,
  redoneTasks,
  refuseMixture,
} from './fold-tasks.js';
import { experimentFolds, foldConfig } from './folds.js';
import { computeIdentity, configIdentity, dataIdentity } from './identity.js';
import { numericsVersion } from './numerics.js';

export interface FoldRuns extends FoldChoice, CaseNaming, Caching {
  /** Where a fold of a system lies. */
  readonly folderOf: (id: string, fold: number) => string;
  readonly threads?: number;
  /** Called when everything has been checked, before anything is written into the folds. */
  readonly onStart?: (cases: readonly DatasetCase[]) => Promise<void>;
}

/**
 * A fold that fails while it runs (out of memory, a training that diverged) does not stop the others.
 *
 * @returns what the failed folds said.
 * @throws whatever else the folds' stages have to say; `usage`, `config`, `output`; `interrupted`
 */
export async function runFolds(runs: FoldRuns, context: JobContext): Promise<QuickcolumnError[]> {
  const { experiment, threads, folderOf } = runs;
  const { systems } = experiment;
  const { config } = systems[0];
  const distilled = systems.find((system) => system.config.distill !== undefined);
  if (distilled !== undefined) {
    throw new QuickcolumnError(
      'usage',
      `${distilled.id}: its configuration has distill, and the teachers may have seen the cases that a fold tests on; ` +
        'leave distill out, or train without folds and evaluate on other cases',
    );
  }
  const device = await deviceOfFolds(runs, context);
  const cases = await casesOf(config.data);
  const names = shownNames(cases, runs);
  const splits = experimentFolds(experiment, cases);
  const shared = {
    data: await dataIdentity(cases, context),
    numerics: numericsVersion,
    compute: computeIdentity(device, threads),
  };
  const tasks = splits.flatMap((_, fold) =>
    systems.map((system): FoldTask => {
      const identity = { ...shared, config: configIdentity(experiment, system, fold) };
      return { system, fold, folder: folderOf(system.id, fold), identity };
    }),
  );
  const chosen = chooseTasks(tasks, runs);
  const redone = redoneTasks(chosen, runs);
  await refuseMixture(tasks.filter((task) => !redone.has(task)));
  await runs.onStart?.(cases);
  for (const { folder } of redone) await removeFold(folder);

  const progress = await followFolds(chosen, context);
  const failures: QuickcolumnError[] = [];
  const compute = { ...config.compute, runtime: device.runtime.name as RuntimeName, precision: device.precision };
  for (const task of chosen) {
    if ((await readResult(task.folder)) === undefined) {
      try {
        await runFold(task, { compute, test: splits[task.fold].test, names, runs }, context);
      } catch (error) {
        if (!(error instanceof QuickcolumnError) || exitCodeOf(error.code) !== exitCodes.runtime) throw error;
        context.note(error.message);
        failures.push(error);
        continue;
      }
      await progress.finished(task);
    }
    await removeCheckpoints(task.folder);
  }
  return failures;
}

/** What all folds compute with: as asked, and with precision `auto` as the folds that are there. */
async function deviceOfFolds({ experiment, threads, folderOf }: FoldRuns, context: JobContext): Promise<RuntimeChoice> {
  const { compute } = experiment.systems[0].config;
  const device = await chooseDevice({ ...compute, threads, work: 'training' }, context);
  if (compute.precision !== 'auto') return device;
  const folders = experiment.systems.flatMap(({ id }) =>
    Array.from({ length: experiment.folds }, (_, fold) => folderOf(id, fold)),
  );
  const precision = (await precisionOfFolds(folders, { device, threads })) ?? device.precision;
  if (precision !== device.precision) context.note(`${precision} all the same: folds that are there were made in it`);
  return { ...device, precision };
}

/** Ends a job whose folds failed, after its report. @throws QuickcolumnError `runtime` */
export function throwFailures(failures: readonly QuickcolumnError[]): void {
  if (failures.length === 0) return;
  const texts = failures.map(({ message }) => message).join('\n');
  throw new QuickcolumnError('runtime', `${failures.length} folds failed; run the same again to retry:\n${texts}`, {
    failures: failures.map((failure) => failure.toJSON()),
  });
}

interface FoldWork {
  readonly compute: TrainConfig['compute'];
  /** The held-out cases of the fold. */
  readonly test: readonly DatasetCase[];
  readonly names: ShownNames;
  readonly runs: FoldRuns;
}

async function runFold(
  { system, fold, folder, identity }: FoldTask,
  { compute, test, names, runs }: FoldWork,
  context: JobContext,
): Promise<void> {
  const { experiment, folderOf, cacheDir = defaultCache(), threads } = runs;
  // `fold` counts from 0, as in the folder's name.
  const label = `${system.id}, fold-${fold} (${fold + 1} of ${experiment.folds})`;
  const stage = { folder, config: foldConfig(system.config, test, compute), identity, threads };
  await makeFolder(folder);
  await writeIdentity(folder, identity);
  const trainedIn = system.weightsOf === undefined ? folder : folderOf(system.weightsOf, fold);
  if (system.weightsOf !== undefined && (await readResult(trainedIn)) === undefined) {
    throw new QuickcolumnError('runtime', `${label}: ${system.weightsOf} has no model of this fold`);
  }
  // The report is the last file of a training.
  if (system.weightsOf === undefined && !(await exists(join(folder, runFiles.report)))) {
    context.note(`${label}: training`);
    await context.runStage({ ...stage, kind: 'train-fold', cacheDir, anonymize: names.anonymous }, label);
  }
  context.note(`${label}: prediction and evaluation of ${test.length} held-out cases`);
  const shown = test.map((entry) => names.shown({ name: entry.name, patient: entry.patient }));
  await context.runStage(
    {
      ...stage,
      kind: 'predict-fold',
      trainedIn,
      testTime: system.testTime,
      fold,
      cases: test,
      ...(names.anonymous && { shown }),
    },
    label,
  );
}
