/**
 * Paired tests between the systems of a comparison, with Holm's adjustment over two families of p-values.
 *
 * `holm`: all comparisons with the first system in one region, every metric together, that is the p-values which one
 * table shows. `holmAllPairs`: all pairs of systems in one region and metric; it decides whether a system may be
 * called the best. The trap is cases that one of two systems lacks: they are left out of that pair and counted.
 */
import { type Interval, holm, type ResamplingOptions } from '../statistics/statistics.js';
import { compareModels } from '../statistics/summary.js';
import type { CaseMetrics, MetricName } from '../types.js';

/** Metrics of the paper's tables, in their order. */
export const comparedMetrics: readonly ComparedMetric[] = ['dice', 'sensitivity', 'specificity'];

export type ComparedMetric = Extract<MetricName, 'dice' | 'sensitivity' | 'specificity'>;

/** Evaluated cases of one system, all folds together. */
export interface SystemCases {
  readonly id: string;
  readonly cases: readonly CaseMetrics[];
}

/** One system against another: differences are `system` minus `reference`, case by case. */
export interface SystemPair {
  readonly region: string;
  readonly metric: ComparedMetric;
  readonly system: string;
  readonly reference: string;
  /** Cases with a value in both, and the patients they are of. */
  readonly pairs: number;
  readonly patients: number;
  /** Common cases where one of the two values is undefined, and cases that one of the two systems lacks. */
  readonly undefinedPairs: number;
  readonly unpairedCases: number;
  readonly meanDifference: number | null;
  readonly medianDifference: number | null;
  readonly interval95: Interval | null;
  /** Two-sided sign-flip test by patient; null with fewer than two patients. */
  readonly pValue: number | null;
  readonly exact: boolean;
  /** Adjusted over the comparisons with the first system in this region; null for other pairs. */
  readonly holm: number | null;
  /** Adjusted over all pairs in this region and metric. */
  readonly holmAllPairs: number | null;
}

/** A finding counts as supported below this adjusted p-value. */
export const significance = 0.05;

/**
 * Tests every pair of systems in every region; the later system is compared with the earlier one.
 * @throws EvaluationError for an unknown region, or cases with different classes.
 */
export function testPairs(
  systems: readonly SystemCases[],
  regions: readonly string[],
  options: ResamplingOptions = {},
): SystemPair[] {
  return regions.flatMap((region) => {
    const perMetric = comparedMetrics.map((metric) => {
      const pairs = systems.flatMap((system, n) =>
        systems.slice(0, n).map((reference) => testPair(system, reference, region, metric, options)),
      );
      const adjusted = holm(pairs.map((pair) => pair.pValue));
      return pairs.map((pair, n) => ({ ...pair, holmAllPairs: adjusted[n] }));
    });
    const pairs = perMetric.flat();
    const family = pairs.filter((pair) => pair.reference === systems[0].id);
    const adjusted = holm(family.map((pair) => pair.pValue));
    return pairs.map((pair) => ({ ...pair, holm: adjusted[family.indexOf(pair)] ?? null }));
  });
}

function testPair(
  system: SystemCases,
  reference: SystemCases,
  region: string,
  metric: ComparedMetric,
  options: ResamplingOptions,
): SystemPair {
  const names = new Set(reference.cases.map((item) => item.name));
  const own = system.cases.filter((item) => names.has(item.name));
  const common = new Set(own.map((item) => item.name));
  const other = reference.cases.filter((item) => common.has(item.name));
  const about = {
    region,
    metric,
    system: system.id,
    reference: reference.id,
    unpairedCases: system.cases.length + reference.cases.length - own.length - other.length,
    holm: null,
    holmAllPairs: null,
  };
  if (own.length === 0) return { ...about, ...nothing };
  return { ...about, ...compareModels(own, other, region, metric, options), metric };
}

const nothing = {
  pairs: 0,
  patients: 0,
  undefinedPairs: 0,
  meanDifference: null,
  medianDifference: null,
  interval95: null,
  pValue: null,
  exact: true,
};

/**
 * The system that is better than every other one in a region and metric, each difference supported after Holm over all
 * pairs and, against the first system, after Holm over the table too; null where no system is.
 */
export function supportedBest(
  pairs: readonly SystemPair[],
  systemIds: readonly string[],
  region: string,
  metric: ComparedMetric,
): string | null {
  if (systemIds.length < 2) return null;
  const here = pairs.filter((pair) => pair.region === region && pair.metric === metric);
  const beats = (id: string, pair: SystemPair): boolean => {
    const supported = [pair.holmAllPairs, pair.holm ?? pair.holmAllPairs].every((p) => p !== null && p < significance);
    const difference = (pair.meanDifference ?? 0) * (pair.system === id ? 1 : -1);
    return supported && difference > 0;
  };
  const best = systemIds.find((id) => {
    const own = here.filter((pair) => pair.system === id || pair.reference === id);
    return own.length === systemIds.length - 1 && own.every((pair) => beats(id, pair));
  });
  return best ?? null;
}
