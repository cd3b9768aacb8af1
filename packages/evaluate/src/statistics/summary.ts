/**
 * From cases to a summary: per class and metric mean ± sd, median [IQR] and the pooled value, each with a bootstrap
 * 95 % interval over patients; and the paired comparison of two models.
 *
 * Pooled = computed once from the counts of all cases added up, so that a large lesion weighs more than a small one.
 * It does not exist for hd95 (a percentile cannot be added up); for volumes it is the total.
 */
import { EvaluationError } from '../errors.js';
import { overlapMetrics } from '../metrics/metrics.js';
import {
  bootstrapInterval,
  groupBy,
  type Interval,
  mean,
  type PairedResult,
  pairedDifferences,
  quantile,
  type ResamplingOptions,
  standardDeviation,
} from './statistics.js';
import { type CaseMetrics, type ClassMetrics, type MetricName, metricNames } from '../types.js';

export interface MetricSummary {
  /** Cases with a value, and cases without (null). */
  readonly definedCases: number;
  readonly undefinedCases: number;
  readonly mean: number | null;
  readonly sd: number | null;
  readonly meanInterval95: Interval | null;
  readonly median: number | null;
  readonly q1: number | null;
  readonly q3: number | null;
  readonly medianInterval95: Interval | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly pooled: number | null;
  readonly pooledInterval95: Interval | null;
}

export interface RegionSummary {
  /** Class name, or `lungs` for the mean of left and right. */
  readonly name: string;
  /** Class value; null for `lungs`. */
  readonly value: number | null;
  /** Cases where truth and prediction are both empty, only the prediction is, only the truth is; null for `lungs`. */
  readonly bothEmpty: number | null;
  readonly missed: number | null;
  readonly falseAlarms: number | null;
  readonly toleranceMm: number | null;
  readonly metrics: Readonly<Record<MetricName, MetricSummary>>;
}

export interface Summary {
  readonly cases: number;
  readonly patients: number;
  readonly bootstrap: { readonly draws: number; readonly seed: number; readonly over: 'patients' };
  readonly regions: readonly RegionSummary[];
}

/** The contents of `evaluation.json`. */
export interface EvaluationResult {
  readonly format: 'quickcolumn-evaluation';
  readonly version: 1;
  readonly summary: Summary;
  readonly cases: readonly CaseMetrics[];
}

export interface ComparisonResult extends PairedResult {
  readonly region: string;
  readonly metric: MetricName;
  /** Pairs left out because one of the two values is undefined. */
  readonly undefinedPairs: number;
}

/** Name of the region that averages the two lungs. */
export const lungsRegion = 'lungs';

/**
 * Summarises cases evaluated with the same classes.
 * @throws EvaluationError for no cases, two cases with one name, or cases with different classes.
 */
export function summarize(cases: readonly CaseMetrics[], options: ResamplingOptions = {}): Summary {
  requireConsistent(cases);
  const resampling = { draws: options.draws ?? 2000, seed: options.seed ?? 1 };
  const regions = cases[0].classes.map((first, index): RegionSummary => {
    const count = (presence: ClassMetrics['presence']): number =>
      cases.filter((item) => item.classes[index].presence === presence).length;
    return {
      name: first.name,
      value: first.value,
      bothEmpty: count('neither'),
      missed: count('truth-only'),
      falseAlarms: count('prediction-only'),
      toleranceMm: first.toleranceMm,
      metrics: summarizeMetrics(
        cases,
        (item, metric) => item.classes[index].metrics[metric],
        (items, metric) =>
          pooled(
            items.map((item) => item.classes[index]),
            metric,
          ),
        resampling,
      ),
    };
  });
  const lungs = summarizeLungs(cases, resampling);
  return {
    cases: cases.length,
    patients: new Set(cases.map((item) => item.patient)).size,
    bootstrap: { ...resampling, over: 'patients' },
    regions: lungs === null ? regions : [...regions, lungs],
  };
}

/** The JSON document of an evaluation. */
export function evaluationResult(cases: readonly CaseMetrics[], options: ResamplingOptions = {}): EvaluationResult {
  return { format: 'quickcolumn-evaluation', version: 1, summary: summarize(cases, options), cases };
}

/**
 * Compares two models on the same cases, `first` minus `second`, by case name.
 * @param region a class name, or `lungs`
 * @throws EvaluationError when the case names differ or the region is unknown.
 */
export function compareModels(
  first: readonly CaseMetrics[],
  second: readonly CaseMetrics[],
  region: string,
  metric: MetricName,
  options: ResamplingOptions = {},
): ComparisonResult {
  requireConsistent(first);
  requireConsistent(second);
  const partners = new Map(second.map((item) => [item.name, item]));
  const unpaired = [
    ...first.filter((item) => !partners.has(item.name)),
    ...second.filter((item) => !first.some((other) => other.name === item.name)),
  ];
  if (unpaired.length > 0) {
    throw new EvaluationError(
      `cases evaluated for one model only: ${unpaired.map((item) => item.name).join(', ')}; ` +
        'a paired comparison needs the same cases for both',
      { cases: unpaired.map((item) => item.name) },
    );
  }
  const differences: { patient: string; value: number }[] = [];
  for (const item of first) {
    const partner = partners.get(item.name);
    if (partner === undefined) continue;
    const a = regionValue(item, region, metric);
    const b = regionValue(partner, region, metric);
    if (a !== null && b !== null) differences.push({ patient: item.patient, value: a - b });
  }
  const groups = groupBy(differences, (item) => item.patient).map((group) => group.map((item) => item.value));
  return {
    region,
    metric,
    undefinedPairs: first.length - differences.length,
    ...pairedDifferences(groups, options),
  };
}

/** Value of a metric in a class, by name, or in `lungs`. @throws EvaluationError for an unknown region. */
export function regionValue(item: CaseMetrics, region: string, metric: MetricName): number | null {
  const labelClass = item.classes.find((entry) => entry.name === region);
  if (labelClass) return labelClass.metrics[metric];
  if (region === lungsRegion && item.lungs) return item.lungs[metric];
  const known = [...item.classes.map((entry) => entry.name), ...(item.lungs ? [lungsRegion] : [])];
  throw new EvaluationError(`${item.name}: no region '${region}'; known are ${known.join(', ')}`, { region });
}

type ValueOf = (item: CaseMetrics, metric: MetricName) => number | null;
type PoolOf = (items: readonly CaseMetrics[], metric: MetricName) => number | null;

function summarizeLungs(cases: readonly CaseMetrics[], resampling: ResamplingOptions): RegionSummary | null {
  const { lungs, lungClasses } = cases[0];
  if (lungs === null || lungClasses === null) return null;
  const indices = lungClasses.map((value) => cases[0].classes.findIndex((entry) => entry.value === value));
  return {
    name: lungsRegion,
    value: null,
    bothEmpty: null,
    missed: null,
    falseAlarms: null,
    toleranceMm: null,
    metrics: summarizeMetrics(
      cases,
      (item, metric) => item.lungs?.[metric] ?? null,
      (items, metric) => {
        const sides = indices.map((index) =>
          pooled(
            items.map((item) => item.classes[index]),
            metric,
          ),
        );
        const values = sides.filter((value) => value !== null);
        const average = mean(values);
        return average !== null && isVolume(metric) ? average * values.length : average;
      },
      resampling,
    ),
  };
}

function summarizeMetrics(
  cases: readonly CaseMetrics[],
  valueOf: ValueOf,
  poolOf: PoolOf,
  resampling: ResamplingOptions,
): RegionSummary['metrics'] {
  const entries = metricNames.map((metric): [MetricName, MetricSummary] => [
    metric,
    summarizeMetric(cases, metric, valueOf, poolOf, resampling),
  ]);
  return Object.fromEntries(entries) as Record<MetricName, MetricSummary>;
}

function summarizeMetric(
  cases: readonly CaseMetrics[],
  metric: MetricName,
  valueOf: ValueOf,
  poolOf: PoolOf,
  resampling: ResamplingOptions,
): MetricSummary {
  const items = cases.flatMap((item) => {
    const value = valueOf(item, metric);
    return value === null ? [] : [{ patient: item.patient, value }];
  });
  const values = items.map((item) => item.value);
  const groups = groupBy(items, (item) => item.patient).map((group) => group.map((item) => item.value));
  const pooledValue = poolOf(cases, metric);
  const patientCases = groupBy(cases, (item) => item.patient);
  return {
    definedCases: values.length,
    undefinedCases: cases.length - values.length,
    mean: mean(values),
    sd: standardDeviation(values),
    meanInterval95: bootstrapInterval(groups, mean, resampling),
    median: quantile(values, 0.5),
    q1: quantile(values, 0.25),
    q3: quantile(values, 0.75),
    medianInterval95: bootstrapInterval(groups, (drawn) => quantile(drawn, 0.5), resampling),
    minimum: quantile(values, 0),
    maximum: quantile(values, 1),
    pooled: pooledValue,
    pooledInterval95:
      pooledValue === null ? null : bootstrapInterval(patientCases, (drawn) => poolOf(drawn, metric), resampling),
  };
}

/** A metric from the added counts of one class in several cases. */
function pooled(entries: readonly ClassMetrics[], metric: MetricName): number | null {
  if (isVolume(metric)) return entries.reduce((sum, entry) => sum + (entry.metrics[metric] ?? 0), 0);
  if (metric === 'hd95Mm') return null;
  if (metric === 'assdMm' || metric === 'surfaceDice') {
    let within = 0;
    let distanceSumMm = 0;
    let surfaceVoxels = 0;
    for (const { surface } of entries) {
      if (surface === null) continue;
      // A missed or invented object has no finite distance, but its surface counts against the surface Dice.
      if (metric === 'assdMm' && (surface.truthVoxels === 0 || surface.predictionVoxels === 0)) continue;
      within += surface.withinTolerance;
      distanceSumMm += surface.distanceSumMm;
      surfaceVoxels += surface.truthVoxels + surface.predictionVoxels;
    }
    if (surfaceVoxels === 0) return null;
    return (metric === 'assdMm' ? distanceSumMm : within) / surfaceVoxels;
  }
  const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
  for (const entry of entries) {
    counts.truePositives += entry.counts.truePositives;
    counts.falsePositives += entry.counts.falsePositives;
    counts.falseNegatives += entry.counts.falseNegatives;
    counts.trueNegatives += entry.counts.trueNegatives;
  }
  return overlapMetrics(counts)[metric];
}

function isVolume(metric: MetricName): metric is 'truthVolumeMl' | 'predictionVolumeMl' {
  return metric === 'truthVolumeMl' || metric === 'predictionVolumeMl';
}

function requireConsistent(cases: readonly CaseMetrics[]): void {
  if (cases.length === 0) {
    throw new EvaluationError('no cases to summarise; at least one evaluated case is expected');
  }
  const names = new Set<string>();
  const describe = (item: CaseMetrics): string =>
    item.classes.map((entry) => `${entry.value} ${entry.name}`).join(', ');
  for (const item of cases) {
    if (names.has(item.name)) {
      throw new EvaluationError(`two cases are named '${item.name}'; give each case its own name`, { case: item.name });
    }
    names.add(item.name);
    if (describe(item) !== describe(cases[0])) {
      throw new EvaluationError(
        `${item.name} was evaluated with classes ${describe(item)}, ${cases[0].name} with ${describe(cases[0])}; ` +
          'evaluate all cases with the same classes',
        { case: item.name },
      );
    }
  }
}
