/**
 * The numbers of a comparison as plain JSON: what every table, figure and CSV of the report is made of.
 *
 * Systems are compared on the cases of all folds together, each evaluated by the weights that never saw it. A region is
 * a class, or `lungs` (mean of left and right); the single lungs are in the JSON and CSV, not in the tables.
 */
import { EvaluationError } from '../errors.js';
import type { ResamplingOptions } from '../statistics/statistics.js';
import { lungsRegion, regionValue, summarize, type Summary } from '../statistics/summary.js';
import type { LabelClass } from '@quickcolumn/volume';
import type { CaseMetrics } from '../types.js';
import { type CostSummary, summarizeCost } from './cost.js';
import {
  comparedMetrics,
  type ComparedMetric,
  supportedBest,
  type SystemCases,
  type SystemPair,
  testPairs,
} from './pairs.js';
import { type PublishedResult, paperTable, publishedResults } from './published.js';
import type { ComparedSystem, Comparison } from './types.js';

export interface SystemStatistics {
  readonly id: string;
  readonly title: string;
  readonly settings: string;
  readonly parameters: number;
  readonly forwardGflop: number;
  readonly folds: number;
  readonly cost: CostSummary;
  readonly summary: Summary;
}

/** Dice of one case: by region, then by system; null where undefined, absent where the system lacks the case. */
export interface CaseRow {
  readonly name: string;
  readonly patient: string;
  readonly fold: number;
  readonly dice: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  /** Mean Dice of the focus region over the systems that have one. */
  readonly focusDice: number | null;
}

export interface ComparisonStatistics {
  readonly format: 'quickcolumn-comparison';
  readonly version: 1;
  readonly notice: string;
  readonly title: string;
  readonly date: string;
  readonly budget: string;
  readonly identity: Comparison['identity'];
  readonly classes: readonly LabelClass[];
  readonly foldCount: number;
  readonly seed: number;
  readonly leftOut: Comparison['leftOut'];
  readonly resampling: { readonly draws: number; readonly seed: number; readonly over: 'patients' };
  /** The system that the tables test the others against. */
  readonly reference: string;
  readonly regions: readonly string[];
  /** Regions with a table, in the order of the paper's tables. */
  readonly shownRegions: readonly string[];
  /** The region that cases are ordered by: infection or tumour. */
  readonly focus: string;
  readonly systems: readonly SystemStatistics[];
  readonly cases: readonly CaseRow[];
  readonly tests: readonly SystemPair[];
  /** Systems that are better than all others with support; regions and metrics without one are not listed. */
  readonly best: ReadonlyArray<{ readonly region: string; readonly metric: ComparedMetric; readonly system: string }>;
  readonly published: readonly PublishedResult[];
}

/**
 * Computes all statistics; systems without any evaluated case join `leftOut`.
 * @throws EvaluationError when no system has cases, ids repeat, or folds, cases and classes do not fit together.
 */
export function comparisonStatistics(comparison: Comparison, options: ResamplingOptions = {}): ComparisonStatistics {
  const evaluated = comparison.systems.filter((system) => system.folds.some((fold) => fold.cases.length > 0));
  if (evaluated.length === 0) {
    throw new EvaluationError('no system of the comparison has an evaluated case; at least one fold must be finished');
  }
  checkConsistent(evaluated);
  const systems = evaluated.map((system): SystemCases & { system: ComparedSystem } => ({
    id: system.id,
    system,
    cases: system.folds.flatMap((fold) => fold.cases),
  }));
  const [first] = systems[0].cases;
  const regions = [...first.classes.map((entry) => entry.name), ...(first.lungs ? [lungsRegion] : [])];
  const shownRegions = orderRegions(first);
  const focus = shownRegions.find((region) => paperTable(region) !== 'lungs') ?? shownRegions[0];
  const resampling = { draws: options.draws ?? 2000, seed: options.seed ?? 1 };
  const tests = testPairs(systems, regions, resampling);
  const ids = systems.map((system) => system.id);
  const tables = new Set(shownRegions.map(paperTable));
  return {
    format: 'quickcolumn-comparison',
    version: 1,
    notice: 'research use only, not a medical device',
    title: comparison.title,
    date: comparison.date,
    budget: comparison.budget,
    identity: comparison.identity,
    classes: comparison.classes,
    foldCount: comparison.foldCount,
    seed: comparison.seed,
    leftOut: [...comparison.leftOut, ...withoutCases(comparison, ids)],
    resampling: { ...resampling, over: 'patients' },
    reference: ids[0],
    regions,
    shownRegions,
    focus,
    systems: systems.map(({ system, cases }) => ({
      id: system.id,
      title: system.title,
      settings: system.settings,
      parameters: system.parameters,
      forwardGflop: system.forwardGflop,
      folds: system.folds.filter((fold) => fold.cases.length > 0).length,
      cost: summarizeCost(system.folds),
      summary: summarize(cases, resampling),
    })),
    cases: caseRows(evaluated, regions, focus),
    tests,
    best: shownRegions.flatMap((region) =>
      comparedMetrics.flatMap((metric) => {
        const system = supportedBest(tests, ids, region, metric);
        return system === null ? [] : [{ region, metric, system }];
      }),
    ),
    published: publishedResults.filter((row) => tables.has(row.table)),
  };
}

/** Lungs first, then the other classes; the single lungs have no table of their own. */
function orderRegions(item: CaseMetrics): string[] {
  const others = item.classes.filter((entry) => !item.lungClasses?.includes(entry.value)).map((entry) => entry.name);
  return item.lungs ? [lungsRegion, ...others] : others;
}

function withoutCases(comparison: Comparison, ids: readonly string[]): { id: string; reason: string }[] {
  const known = new Set([...ids, ...comparison.leftOut.map((entry) => entry.id)]);
  return comparison.systems
    .filter((system) => !known.has(system.id))
    .map((system) => ({ id: system.id, reason: 'no evaluated case' }));
}

function caseRows(systems: readonly ComparedSystem[], regions: readonly string[], focus: string): CaseRow[] {
  const rows = new Map<string, { item: CaseMetrics; fold: number; bySystem: Map<string, CaseMetrics> }>();
  for (const system of systems) {
    for (const fold of system.folds) {
      for (const item of fold.cases) {
        const row = rows.get(item.name) ?? { item, fold: fold.fold, bySystem: new Map<string, CaseMetrics>() };
        row.bySystem.set(system.id, item);
        rows.set(item.name, row);
      }
    }
  }
  return [...rows.values()]
    .map(({ item, fold, bySystem }) => {
      const dice = (region: string): Record<string, number | null> =>
        Object.fromEntries([...bySystem].map(([id, metrics]) => [id, regionValue(metrics, region, 'dice')]));
      const values = Object.values(dice(focus)).filter((value) => value !== null);
      return {
        name: item.name,
        patient: item.patient,
        fold,
        dice: Object.fromEntries(regions.map((region) => [region, dice(region)])),
        focusDice: values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length,
      };
    })
    .sort((a, b) => a.fold - b.fold || (a.name < b.name ? -1 : 1));
}

function checkConsistent(systems: readonly ComparedSystem[]): void {
  const ids = new Set<string>();
  const foldOf = new Map<string, { fold: number; system: string }>();
  let classes: string | undefined;
  for (const { id, folds } of systems) {
    if (ids.has(id)) throw new EvaluationError(`two systems are called '${id}'; give each system its own id`, { id });
    ids.add(id);
    for (const { fold, cases } of folds) {
      for (const item of cases) {
        const known = foldOf.get(item.name);
        if (known !== undefined && known.fold !== fold) {
          throw new EvaluationError(
            `${item.name} is in fold ${known.fold} of ${known.system} and in fold ${fold} of ${id}; ` +
              'systems are compared on the same folds only',
            { case: item.name },
          );
        }
        foldOf.set(item.name, { fold, system: id });
        const own = item.classes.map((entry) => `${entry.value} ${entry.name}`).join(', ');
        classes ??= own;
        if (own !== classes) {
          throw new EvaluationError(
            `${item.name} of ${id} was evaluated with classes ${own}, others with ${classes}; ` +
              'evaluate all systems with the same classes',
            { case: item.name },
          );
        }
      }
    }
  }
}
