/**
 * The comparison that a folder of `compare` holds: results that belong together, and what was left out and why.
 *
 * Together belong results of the same data, numerics and compute, with the configuration of the experiment. Of these only
 * folds count that every system has, because a mean over easier scans is not a better system.
 */
import { join } from 'node:path';
import type { CaseMetrics, ComparedFold, ComparedSystem, Comparison } from '@quickcolumn/evaluate';
import { historyFile, readHistory, type TrainConfig } from '@quickcolumn/learn';
import { networkSize } from '@quickcolumn/networks';
import { QuickcolumnError } from '@quickcolumn/errors';
import { historyPoint } from '../evaluate/evaluation.js';
import type { Experiment, ExperimentSystem } from './experiment.js';
import { type FoldResult, readResult } from './fold-files.js';
import { configIdentity, identityDifferences, sameConditions } from './identity.js';

type LeftOut = Comparison['leftOut'][number];

interface Found {
  readonly system: ExperimentSystem;
  readonly folder: string;
  readonly result: FoldResult;
}

export interface ReadOptions {
  readonly folderOf: (id: string, fold: number) => string;
  /** Only these systems; default all. */
  readonly systems?: readonly string[];
  /** Names of cases and patients as they are to be shown; default as they are. */
  readonly shown?: (entry: CaseMetrics) => CaseMetrics;
}

/** @throws QuickcolumnError `input` where no fold is finished; the readers' errors */
export async function readComparison(experiment: Experiment, options: ReadOptions): Promise<Comparison> {
  const { title, folds: foldCount, seed } = experiment;
  const systems = experiment.systems.filter(({ id }) => options.systems?.includes(id) ?? true);
  const leftOut: LeftOut[] = [];
  const found = await findResults(experiment, systems, options, leftOut);
  const [first] = found;
  if (first === undefined) {
    const why = leftOut.slice(0, 5).map(({ id, reason }) => `\n${id}: ${reason}`);
    throw new QuickcolumnError('input', `no fold can be reported yet${why.join('')}`);
  }
  const kept = commonFolds(systems, found, leftOut);
  const { data, numerics, compute } = first.result.identity;
  return {
    title,
    date: new Date().toISOString().slice(0, 10),
    classes: systems[0].config.preparation.classes,
    foldCount,
    seed,
    budget: budgetOf(kept, compute),
    identity: { data, numerics, compute },
    systems: await Promise.all(kept.map(async ([system, results]) => await comparedSystem(system, results, options))),
    leftOut,
  };
}

/** Finished folds that belong together; the largest such group where there are several. */
async function findResults(
  experiment: Experiment,
  systems: readonly ExperimentSystem[],
  { folderOf }: ReadOptions,
  leftOut: LeftOut[],
): Promise<Found[]> {
  const found: Found[] = [];
  for (const system of systems) {
    for (let fold = 0; fold < experiment.folds; fold++) {
      const folder = folderOf(system.id, fold);
      const result = await readResult(folder);
      if (result === undefined) {
        leftOut.push({ id: system.id, reason: `fold-${fold} is not finished` });
      } else if (result.identity.config !== configIdentity(experiment, system, fold)) {
        leftOut.push({
          id: system.id,
          reason: `fold-${fold} was made with another configuration than the experiment's`,
        });
      } else found.push({ system, folder, result });
    }
  }
  const groups = new Map<string, Found[]>();
  for (const one of found) {
    const key = sameConditions(one.result.identity);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const largest = [...groups.values()].reduce<Found[]>((a, b) => (b.length > a.length ? b : a), []);
  for (const { system, result } of found.filter((one) => !largest.includes(one))) {
    const differs = identityDifferences(result.identity, largest[0].result.identity, ['data', 'numerics', 'compute']);
    leftOut.push({ id: system.id, reason: `fold-${result.fold} was made with another ${differs}` });
  }
  return largest;
}

/**
 * The systems that can be compared with one another, as many as share a fold, and the folds that all of them have. Of
 * several such groups the one with more folds, then the one whose systems come first; the order of the systems decides
 * nothing else.
 */
function commonFolds(
  systems: readonly ExperimentSystem[],
  found: readonly Found[],
  leftOut: LeftOut[],
): [ExperimentSystem, Found[]][] {
  const foldsOf = new Map<ExperimentSystem, Set<number>>();
  for (const { system, result } of found) foldsOf.set(system, (foldsOf.get(system) ?? new Set()).add(result.fold));
  const finished = systems.filter((system) => foldsOf.has(system));
  const having = (folds: readonly number[]): ExperimentSystem[] =>
    finished.filter((system) => folds.every((fold) => foldsOf.get(system)?.has(fold)));
  // The largest group shares some fold, so it is the group of all that have that fold.
  const groups = [...new Set(found.map(({ result }) => result.fold))].map((fold) => {
    const group = having([fold]);
    const shared = [...(foldsOf.get(group[0]) ?? [])].filter((one) =>
      group.every((system) => foldsOf.get(system)?.has(one)),
    );
    return { group, folds: shared.sort((x, y) => x - y) };
  });
  const places = ({ group }: (typeof groups)[number]): string =>
    group.map((system) => String(finished.indexOf(system)).padStart(4, '0')).join();
  groups.sort(
    (x, y) => y.group.length - x.group.length || y.folds.length - x.folds.length || (places(x) < places(y) ? -1 : 1),
  );
  const [{ group, folds }] = groups;
  const groupText = `${group.map(({ id }) => id).join(', ')} ${group.length === 1 ? 'has' : 'have in common'}`;
  for (const { id } of finished.filter((system) => !group.includes(system))) {
    const foldsText = folds.map((fold) => `fold-${fold}`).join(', ');
    leftOut.push({ id, reason: `has none of the folds that can be compared: ${groupText} ${foldsText}` });
  }
  return group.map((system) => {
    const own = found.filter((one) => one.system === system);
    const kept = own.filter(({ result }) => folds.includes(result.fold));
    for (const { result } of own.filter((one) => !kept.includes(one))) {
      leftOut.push({ id: system.id, reason: `fold-${result.fold} is finished, but not for every system` });
    }
    return [system, kept];
  });
}

async function comparedSystem(
  system: ExperimentSystem,
  results: readonly Found[],
  { shown = (entry) => entry }: ReadOptions,
): Promise<ComparedSystem> {
  const { id, title, config, weightsOf } = system;
  const { parameters, flop } = networkSize(config.network, config.preparation.classes.length, config.train.patch);
  const folds = results.map(async ({ folder, result }): Promise<ComparedFold> => {
    const { fold, cases, cost } = result;
    const history = weightsOf === undefined ? await readHistory(join(folder, historyFile)) : [];
    return { fold, cases: cases.map(shown), cost, ...(history.length > 0 && { history: history.map(historyPoint) }) };
  });
  return {
    id,
    title,
    parameters,
    forwardGflop: flop / 1e9,
    settings: settingsOf(system),
    folds: await Promise.all(folds),
  };
}

function settingsOf({ config, testTime, weightsOf }: ExperimentSystem): string {
  const { profile, network, loss, optimizer, train } = config;
  const texts =
    weightsOf === undefined
      ? [
          `profile ${profile}`,
          `network ${optionsOf(network)}`,
          `loss ${optionsOf(loss)}`,
          `optimiser ${optionsOf(optimizer)}`,
          `rate ${train.learningRate}`,
          `schedule ${optionsOf(train.schedule)}`,
        ]
      : [`weights of ${weightsOf}`];
  for (const [key, value] of Object.entries(testTime)) texts.push(`${key} ${settingText(value)}`);
  return texts.join('; ');
}

/** `{ name: 'unet3d', rootFilters: 16 }` as `unet3d (rootFilters 16)`. */
function optionsOf(group: TrainConfig['network'] | TrainConfig['loss'] | TrainConfig['optimizer'] | object): string {
  const entries = Object.entries(group).filter(([, value]) => value !== undefined);
  const name = entries.find(([key]) => key === 'name' || key === 'kind');
  const rest = entries.filter((entry) => entry !== name).map(([key, value]) => `${key} ${settingText(value)}`);
  return [name === undefined ? '' : String(name[1]), rest.length > 0 ? `(${rest.join(', ')})` : ''].join(' ').trim();
}

/** Numbers shortened, groups as `a 1, b 2`, switches as on and off. */
function settingText(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(3)));
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.map(settingText).join(' ');
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, entry]) => `${key} ${settingText(entry)}`);
  return `(${entries.join(', ')})`;
}

function budgetOf(kept: readonly [ExperimentSystem, readonly Found[]][], compute: string): string {
  const budgets = new Set(
    kept.map(([{ config }]) => {
      const { epochs, stepsPerEpoch, batch, patch } = config.train;
      return `${epochs} epochs of ${stepsPerEpoch} steps, batch ${batch}, patch ${patch.join('×')}`;
    }),
  );
  return `${[...budgets].join(' or ')}; ${compute}`;
}
