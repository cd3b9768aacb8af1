/** The CSV files of a comparison: summary, cases, tests, costs; one row a fact, undefined values as empty cells. */
import { type CsvCell, csvHeader, csvRows, csvText, round } from '../report/table.js';
import { metricNames } from '../types.js';
import type { SystemPair } from './pairs.js';
import type { ComparisonStatistics } from './result.js';
import type { Comparison } from './types.js';

export interface ComparisonCsv {
  /** System × region × metric. */
  readonly summary: string;
  /** System × fold × case × region, with the columns of an evaluation's metrics.csv. */
  readonly cases: string;
  /** Every pair of systems × region × metric. */
  readonly tests: string;
  readonly costs: string;
}

export function comparisonCsv(comparison: Comparison, statistics: ComparisonStatistics): ComparisonCsv {
  const ids = new Set(statistics.systems.map((system) => system.id));
  return {
    summary: csvText([summaryHeader, ...statistics.systems.flatMap(summaryRows)]),
    cases: csvText([
      ['system', 'fold', ...csvHeader],
      ...comparison.systems
        .filter((system) => ids.has(system.id))
        .flatMap((system) =>
          system.folds.flatMap(({ fold, cases }) =>
            cases.flatMap((item) => csvRows(item).map((row): CsvCell[] => [system.id, fold, ...row])),
          ),
        ),
    ]),
    tests: csvText([testsHeader, ...statistics.tests.map(testRow)]),
    costs: csvText([costsHeader, ...statistics.systems.map(costRow)]),
  };
}

const summaryHeader = [
  'system',
  'region',
  'metric',
  'cases',
  'undefinedCases',
  'mean',
  'sd',
  'meanLow95',
  'meanHigh95',
];
summaryHeader.push('median', 'q1', 'q3', 'medianLow95', 'medianHigh95', 'minimum', 'maximum', 'pooled');
summaryHeader.push('pooledLow95', 'pooledHigh95');

function summaryRows({ id, summary }: ComparisonStatistics['systems'][number]): CsvCell[][] {
  return summary.regions.flatMap((region) =>
    metricNames.map((metric): CsvCell[] => {
      const m = region.metrics[metric];
      const numbers = [m.mean, m.sd, ...(m.meanInterval95 ?? [null, null]), m.median, m.q1, m.q3];
      numbers.push(...(m.medianInterval95 ?? [null, null]), m.minimum, m.maximum, m.pooled);
      numbers.push(...(m.pooledInterval95 ?? [null, null]));
      return [id, region.name, metric, m.definedCases, m.undefinedCases, ...numbers.map(round)];
    }),
  );
}

const testsHeader = ['region', 'metric', 'system', 'reference', 'pairs', 'patients', 'undefinedPairs', 'unpairedCases'];
testsHeader.push('meanDifference', 'low95', 'high95', 'medianDifference', 'pValue', 'exact');
testsHeader.push('holmAgainstFirst', 'holmAllPairs');

function testRow(pair: SystemPair): CsvCell[] {
  return [
    pair.region,
    pair.metric,
    pair.system,
    pair.reference,
    pair.pairs,
    pair.patients,
    pair.undefinedPairs,
    pair.unpairedCases,
    round(pair.meanDifference),
    ...(pair.interval95 ?? [null, null]).map(round),
    round(pair.medianDifference),
    // p-values in full: six decimals would make a small one 0.
    pair.pValue,
    String(pair.exact),
    pair.holm,
    pair.holmAllPairs,
  ];
}

const costsHeader = ['system', 'parameters', 'forwardGflop', 'folds', 'trainingStepsPerFold', 'trainingSeconds'];
costsHeader.push('secondsPerScan', 'predictionPeakBytes', 'trainingPeakBytes');

function costRow({ id, parameters, forwardGflop, folds, cost }: ComparisonStatistics['systems'][number]): CsvCell[] {
  return [
    id,
    parameters,
    round(forwardGflop),
    folds,
    cost.trainingStepsPerFold,
    round(cost.trainingSeconds),
    round(cost.secondsPerScan),
    cost.predictionPeakBytes,
    cost.trainingPeakBytes,
  ];
}
