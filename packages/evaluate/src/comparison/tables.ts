/**
 * Tables of the comparison report as HTML: the paper's Tables 1 to 3, differences with tests, cases, cost, systems.
 *
 * Nothing is marked as best unless the tests support it (pairs.ts), published values stand apart and in italics, and
 * undefined values are a dash and a count.
 */
import { escapeText, type HtmlCell, htmlTable } from '../report/html.js';
import type { MetricSummary, RegionSummary } from '../statistics/summary.js';
import { fixed, interval, meanSd, plural } from '../report/table.js';
import { comparedMetrics, type ComparedMetric, significance, type SystemPair } from './pairs.js';
import { type PaperTable, paperTable, publishedNote } from './published.js';
import type { ComparisonStatistics, SystemStatistics } from './result.js';

export const metricTitles: Readonly<Record<ComparedMetric, string>> = {
  dice: 'DSC',
  sensitivity: 'Sensitivity',
  specificity: 'Specificity',
};

/** Specificity needs a digit more: lungs and lesions fill little of a scan. */
export const metricDigits: Readonly<Record<ComparedMetric, number>> = { dice: 3, sensitivity: 3, specificity: 4 };

const paperTitles: Readonly<Record<PaperTable, string>> = {
  lungs: 'Table 1. Lungs (mean of left and right)',
  infection: 'Table 2. Infection',
  tumour: 'Table 3. Lung tumour (MSD)',
};

/** Heading of a region's table: the paper's number where it has one. */
export function tableTitle(statistics: ComparisonStatistics, region: string): string {
  const table = paperTable(region);
  if (table !== null) return paperTitles[table];
  const others = statistics.shownRegions.filter((name) => paperTable(name) === null);
  return `Table ${4 + others.indexOf(region)}. ${region.charAt(0).toUpperCase()}${region.slice(1)}`;
}

/** Results of all systems in one region with the published ones below, then the differences to the first system. */
export function regionTables(statistics: ComparisonStatistics, region: string): string {
  const published = statistics.published.filter((row) => row.table === paperTable(region));
  const ours = statistics.systems.map((system): (string | HtmlCell)[] => {
    const { metrics } = regionOf(system, region);
    return [
      { text: system.title, note: system.id === statistics.reference ? `${system.id} (reference)` : system.id },
      ...comparedMetrics.map((metric) => valueCell(statistics, system, region, metric)),
      distinct(comparedMetrics.map((metric) => countText(metrics[metric]))),
    ];
  });
  const theirs = published.map((row): (string | HtmlCell)[] => [
    { text: `published: ${row.system}`, note: row.source },
    row.dice,
    row.sensitivity,
    row.specificity,
    '',
  ]);
  const header = ['system', ...comparedMetrics.map((metric) => metricTitles[metric]), 'n (undefined)'];
  const main = htmlTable([header, ...ours, ...theirs], 1, {
    rowClass: (index) => (index < ours.length ? undefined : index === ours.length ? 'published top' : 'published'),
  });
  return [
    main,
    paragraph(
      'Mean ± standard deviation [95 % interval of the mean]; below it the median [first–third quartile]. ' +
        bestText(statistics, region) +
        unequalText(statistics) +
        (published.length > 0 ? ` ${publishedNote}` : ''),
    ),
    statistics.systems.length > 1 ? differenceTable(statistics, region) : '',
  ].join('\n');
}

function differenceTable(statistics: ComparisonStatistics, region: string): string {
  const [reference, ...others] = statistics.systems;
  const family = statistics.tests.filter((pair) => pair.region === region && pair.reference === reference.id);
  const rows = others.map((system) => {
    const pairs = comparedMetrics.map((metric) =>
      family.find((pair) => pair.system === system.id && pair.metric === metric),
    );
    return [
      { text: system.title, note: system.id },
      ...pairs.flatMap((pair) => (pair === undefined ? ['–', '–', '–'] : pairCells(pair))),
      distinct(pairs.map((pair) => (pair === undefined ? '–' : pairsText(pair)))),
    ];
  });
  const header = [
    'system',
    ...comparedMetrics.flatMap((metric) => [`Δ ${metricTitles[metric]}`, 'p', 'Holm p']),
    'pairs',
  ];
  const tested = family.filter((pair) => pair.pValue !== null);
  const exact = tested.every((pair) => pair.exact)
    ? 'exact, all sign patterns counted'
    : 'signs drawn at random where the patients are too many to count all patterns';
  return (
    htmlTable([header, ...rows], 1, {
      caption: `Differences to ${reference.title}: system minus reference, mean over the cases [95 % interval]`,
    }) +
    paragraph(
      `Two-sided paired permutation test of the mean difference, signs flipped by patient (${exact}). Holm: adjusted over ` +
        `the ${plural(tested.length, 'comparison')} with ${reference.title} that this table shows, all three metrics together; ` +
        `bold where that is below ${significance}. Intervals are not adjusted. ${unpairedText(family)}`,
    )
  );
}

/** DSC of every case and system in one region. */
export function caseTable(statistics: ComparisonStatistics, region: string): string {
  const header = ['case', 'fold', ...statistics.systems.map((system) => system.id)];
  const rows = statistics.cases.map((row) => [
    row.name,
    `${row.fold}`,
    ...statistics.systems.map((system) => {
      const values = row.dice[region];
      return Object.hasOwn(values, system.id) ? fixed(values[system.id], 3) : 'not evaluated';
    }),
  ]);
  return htmlTable([header, ...rows], 1, { caption: `DSC, ${region}`, dense: true });
}

export function costTable(statistics: ComparisonStatistics): string {
  const header: (string | HtmlCell)[] = ['system', 'parameters', { text: 'GFLOP', note: 'per patch' }];
  header.push({ text: 'seconds', note: 'per scan' }, { text: 'memory', note: 'prediction, peak' });
  header.push({ text: 'steps', note: 'per fold' }, { text: 'training', note: 'all folds' });
  header.push({ text: 'memory', note: 'training, peak' });
  const rows = statistics.systems.map(({ title, id, parameters, forwardGflop, folds, cost }) => [
    { text: title, note: id },
    `${(parameters / 1e6).toFixed(2)} M`,
    forwardGflop.toFixed(forwardGflop < 10 ? 1 : 0),
    fixed(cost.secondsPerScan, 1),
    gigabytes(cost.predictionPeakBytes),
    cost.trainingStepsPerFold === null ? 'none' : `${Math.round(cost.trainingStepsPerFold)} × ${folds}`,
    duration(cost.trainingSeconds),
    gigabytes(cost.trainingPeakBytes),
  ]);
  return (
    htmlTable([header, ...rows], 1) +
    paragraph(
      'GFLOP: forward pass of one patch, a multiply-add counted as two. Seconds per scan: mean from file to mask over ' +
        'the held-out scans. Peak memory: highest resident memory of the process in any fold. Wall times depend on the ' +
        'machine and on what ran beside it.',
    )
  );
}

export function settingsTable(statistics: ComparisonStatistics): string {
  const rows = statistics.systems.map(({ id, title, settings, folds, summary }) => [
    id,
    title,
    settings,
    `${folds} of ${statistics.foldCount}`,
    `${summary.cases}`,
    `${summary.patients}`,
  ]);
  return htmlTable([['id', 'system', 'settings', 'folds', 'cases', 'patients'], ...rows], 3, { dense: true });
}

/** A small paragraph of plain text. */
export function paragraph(text: string): string {
  return `<p class="note">${escapeText(text)}</p>`;
}

/** `+0.012`, `−0.034` with a true minus sign. */
export function signed(value: number | null, digits: number): string {
  if (value === null) return '–';
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** `[−0.004, +0.031]`, empty for none. */
export function signedInterval({ interval95 }: SystemPair, digits: number): string {
  return interval95 === null ? '' : `[${signed(interval95[0], digits)}, ${signed(interval95[1], digits)}]`;
}

function valueCell(
  statistics: ComparisonStatistics,
  system: SystemStatistics,
  region: string,
  metric: ComparedMetric,
): HtmlCell {
  const summary = regionOf(system, region).metrics[metric];
  const digits = metricDigits[metric];
  const quartiles = summary.median === null ? '' : interval([summary.q1 ?? 0, summary.q3 ?? 0], digits);
  return {
    text: meanSd(summary, digits) + interval(summary.meanInterval95, digits),
    note: fixed(summary.median, digits) + quartiles,
    strong: statistics.best.some(
      (best) => best.region === region && best.metric === metric && best.system === system.id,
    ),
  };
}

function pairCells(pair: SystemPair): (string | HtmlCell)[] {
  const strong = pair.holm !== null && pair.holm < significance;
  const digits = metricDigits[pair.metric];
  const difference = { text: signed(pair.meanDifference, digits), note: signedInterval(pair, digits) };
  return [difference, pText(pair.pValue), { text: pText(pair.holm), strong }];
}

function bestText(statistics: ComparisonStatistics, region: string): string {
  if (statistics.systems.length < 2) return '';
  const best = statistics.best.filter((entry) => entry.region === region);
  const rule = `after Holm's adjustment over all pairs of systems and over the table below (p < ${significance})`;
  if (best.length === 0) return `No value is marked as best: no system differs from every other one ${rule}.`;
  const names = best.map((entry) => `${metricTitles[entry.metric]} of ${entry.system}`).join(', ');
  return `Bold: better than every other system ${rule}: ${names}.`;
}

/** A mean over other cases is another mean. */
function unequalText({ systems, cases }: ComparisonStatistics): string {
  const lacking = systems.filter((system) => system.summary.cases < cases.length).map((system) => system.id);
  if (lacking.length === 0) return '';
  return (
    ` Not evaluated on every case: ${lacking.join(', ')}; means over different cases cannot be compared, ` +
    'the differences below are over common cases only.'
  );
}

function unpairedText(family: readonly SystemPair[]): string {
  const undefinedPairs = Math.max(0, ...family.map((pair) => pair.undefinedPairs));
  const unpaired = Math.max(0, ...family.map((pair) => pair.unpairedCases));
  const parts = [
    undefinedPairs > 0 ? `up to ${plural(undefinedPairs, 'pair')} with an undefined value are left out` : '',
    unpaired > 0 ? `up to ${plural(unpaired, 'case')} that only one of two systems has are left out` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `Of each comparison ${parts.join(', and ')}.`;
}

function regionOf(system: SystemStatistics, region: string): RegionSummary {
  const found = system.summary.regions.find((entry) => entry.name === region);
  if (found === undefined) throw new RangeError(`${system.id} has no region ${region}`);
  return found;
}

function countText(summary: MetricSummary): string {
  return summary.undefinedCases === 0
    ? `${summary.definedCases}`
    : `${summary.definedCases} (${summary.undefinedCases})`;
}

function pairsText(pair: SystemPair): string {
  return `${pair.pairs}`;
}

/** One text where all are equal, else all of them. */
function distinct(texts: readonly string[]): string {
  return new Set(texts).size === 1 ? texts[0] : texts.join(', ');
}

function pText(p: number | null): string {
  if (p === null) return '–';
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function gigabytes(bytes: number | null): string {
  return bytes === null || bytes === 0 ? '–' : `${(bytes / 1e9).toFixed(2)} GB`;
}

function duration(seconds: number | null): string {
  if (seconds === null) return 'none';
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
