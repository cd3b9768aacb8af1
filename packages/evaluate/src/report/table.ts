/**
 * Cases and summary as CSV (one row a case and region, for programs and spreadsheets) and as an aligned text table
 * (for people). Undefined values are empty cells in the CSV and `–` in the text.
 */
import { csvCell } from '@quickcolumn/io';
import { leastPatients } from '../statistics/statistics.js';
import { lungsRegion, type MetricSummary, type Summary } from '../statistics/summary.js';
import { type CaseMetrics, type ClassMetrics, type MetricName, type MetricValues, metricNames } from '../types.js';

export const csvHeader: readonly string[] = [
  'case',
  'patient',
  'region',
  'value',
  'presence',
  ...metricNames,
  'toleranceMm',
  'truePositives',
  'falsePositives',
  'falseNegatives',
  'trueNegatives',
  'truthInfectedShare',
  'predictionInfectedShare',
  'truthLesions',
  'predictionLesions',
  'truthMeanHu',
  'predictionMeanHu',
];

/** RFC 4180 text with CRLF line ends; numbers with up to 6 significant decimals, counts in full. */
export function toCsv(cases: readonly CaseMetrics[]): string {
  return csvText([csvHeader, ...cases.flatMap(csvRows)]);
}

/** Rows of one case, without the header. */
export function csvRows(item: CaseMetrics): CsvCell[][] {
  return [
    ...item.classes.map((entry) => csvRow(item, entry.name, entry.metrics, entry, involvementSide(item, entry.value))),
    ...(item.lungs ? [csvRow(item, lungsRegion, item.lungs, null, 'both')] : []),
  ];
}

/** RFC 4180 text of any rows, the header first. */
export function csvText(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** null is an empty cell. */
export type CsvCell = string | number | null;

/** Text for a terminal: the summary by region, then Dice and distances by case. */
export function toTable(summary: Summary, cases: readonly CaseMetrics[] = []): string {
  const parts = [
    `${plural(summary.cases, 'case')} of ${plural(summary.patients, 'patient')}; ` +
      `[95 % intervals: ${summary.bootstrap.draws} bootstrap draws over patients, none below ${leastPatients} patients]`,
    alignColumns(summaryRows(summary)),
  ];
  const notes = summaryNotes(summary);
  if (notes.length > 0) parts.push(notes.map(oneLine).join('\n'));
  if (cases.length > 0) parts.push(alignColumns(caseRows(cases)));
  return `${parts.join('\n\n')}\n`;
}

/** Rows of the summary table, the header first. */
export function summaryRows(summary: Summary): string[][] {
  const header = ['region', 'DSC mean ± sd [95 %]', 'DSC median [IQR]', 'DSC pooled [95 %]', 'Sens', 'Spec', 'Prec'];
  header.push('IoU', 'HD95 mm', 'ASSD mm', 'NSD', 'n');
  const rows = summary.regions.map((region) => {
    const { metrics } = region;
    const { dice } = metrics;
    return [
      region.name,
      `${meanSd(dice, 3)}${interval(dice.meanInterval95)}`,
      dice.median === null ? '–' : `${fixed(dice.median, 3)} [${fixed(dice.q1, 3)}–${fixed(dice.q3, 3)}]`,
      `${fixed(dice.pooled, 3)}${interval(dice.pooledInterval95)}`,
      fixed(metrics.sensitivity.mean, 3),
      fixed(metrics.specificity.mean, 4),
      fixed(metrics.precision.mean, 3),
      fixed(metrics.iou.mean, 3),
      fixed(metrics.hd95Mm.mean, 1),
      fixed(metrics.assdMm.mean, 2),
      fixed(metrics.surfaceDice.mean, 3),
      `${dice.definedCases}`,
    ];
  });
  return [header, ...rows];
}

/** Rows of the per-case table, the header first. */
export function caseRows(cases: readonly CaseMetrics[]): string[][] {
  const header = ['case', 'region', 'DSC', 'Sens', 'Spec', 'Prec', 'HD95 mm', 'ASSD mm', 'NSD', 'truth ml', 'pred. ml'];
  header.push('infected truth', 'infected pred.');
  const rows = cases.flatMap((item) =>
    [
      ...item.classes.map((entry) => ({
        name: entry.name,
        metrics: entry.metrics,
        side: involvementSide(item, entry.value),
      })),
      ...(item.lungs ? [{ name: lungsRegion, metrics: item.lungs, side: 'both' as const }] : []),
    ].map(({ name, metrics, side }, index) => [
      index === 0 ? item.name : '',
      name,
      fixed(metrics.dice, 3),
      fixed(metrics.sensitivity, 3),
      fixed(metrics.specificity, 4),
      fixed(metrics.precision, 3),
      fixed(metrics.hd95Mm, 1),
      fixed(metrics.assdMm, 2),
      fixed(metrics.surfaceDice, 3),
      fixed(metrics.truthVolumeMl, 1),
      fixed(metrics.predictionVolumeMl, 1),
      side ? percent(item.involvement.truth?.[side] ?? null) : '',
      side ? percent(item.involvement.prediction?.[side] ?? null) : '',
    ]),
  );
  return [header, ...rows];
}

/** What clinicians read, truth and prediction of each case in two rows; the header first, alone without lesions. */
export function clinicalRows(cases: readonly CaseMetrics[]): string[][] {
  const header = ['case', 'mask', 'lesion ml', 'infected, left lung', 'infected, right lung', 'lesions'];
  header.push('HU in lesions', 'HU in left lung', 'HU in right lung');
  const rows = cases.flatMap(({ name, clinical, involvement }) =>
    clinical === undefined
      ? []
      : (['truth', 'prediction'] as const).map((map) => {
          const quantities = clinical[map];
          return [
            map === 'truth' ? name : '',
            map,
            fixed(quantities.lesionMl, 1),
            percent(involvement[map]?.left ?? null),
            percent(involvement[map]?.right ?? null),
            `${quantities.lesionCount}`,
            ...[quantities.lesionMeanHu, quantities.leftLungMeanHu, quantities.rightLungMeanHu].map((hu) =>
              fixed(hu, 0).replace('-', '−'),
            ),
          ];
        }),
  );
  return [header, ...rows];
}

/** What the summary table cannot show. */
export const summaryNotes = (summary: Summary): string[] => [...undefinedNotes(summary), ...intervalNotes(summary)];

function intervalNotes({ regions }: Summary): string[] {
  const without = regions.filter(({ metrics: { dice } }) => dice.mean !== null && dice.meanInterval95 === null);
  if (without.length === 0) return [];
  const names = without.map(({ name }) => name).join(', ');
  return [
    `no 95 % interval for ${names}: fewer than ${leastPatients} patients have a value, and an interval would only repeat their values`,
  ];
}

/** One sentence a region with cases that have no Dice or lack one of the two masks. */
function undefinedNotes(summary: Summary): string[] {
  return summary.regions.flatMap((region) => {
    const facts = [
      [region.bothEmpty, 'empty in truth and prediction (undefined, left out)'],
      [region.missed, 'missed entirely (DSC 0, distances undefined)'],
      [region.falseAlarms, 'predicted where the truth is empty (DSC 0, distances undefined)'],
    ] as const;
    const texts = facts.flatMap(([count, text]) => (count ? [`${plural(count, 'case')} ${text}`] : []));
    return texts.length > 0 ? [`${region.name}: ${texts.join('; ')}`] : [];
  });
}

/** `0.853 ± 0.031`, `0.853` for one value, `–` for none. */
export function meanSd(summary: MetricSummary, digits: number): string {
  if (summary.mean === null) return '–';
  return fixed(summary.mean, digits) + (summary.sd === null ? '' : ` ± ${fixed(summary.sd, digits)}`);
}

/** Fixed decimals, `–` for null. */
export function fixed(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}

/** Names may hold line breaks, rows of a table may not. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ');

/** Columns padded to equal width, two spaces apart; the first two columns left-aligned where they hold text. */
function alignColumns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(oneLine));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isText = rows[0].map((_, column) => column === 0 || rows.slice(1).some((row) => /^[A-Za-z]/.test(row[column])));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat(widths[column] - cell.length);
        return isText[column] ? cell + padding : padding + cell;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}

type Side = 'left' | 'right' | 'both';

/** Which lung's share belongs beside a class; `both` beside neither lung. */
function involvementSide(item: CaseMetrics, value: number): Side | null {
  if (item.lungClasses === null) return null;
  if (value === item.lungClasses[0]) return 'left';
  return value === item.lungClasses[1] ? 'right' : null;
}

function csvRow(
  item: CaseMetrics,
  region: string,
  metrics: MetricValues,
  entry: ClassMetrics | null,
  side: Side | null,
): CsvCell[] {
  return [
    item.name,
    item.patient,
    region,
    entry?.value ?? null,
    entry?.presence ?? null,
    ...metricNames.map((metric: MetricName) => round(metrics[metric])),
    entry?.toleranceMm ?? null,
    entry?.counts.truePositives ?? null,
    entry?.counts.falsePositives ?? null,
    entry?.counts.falseNegatives ?? null,
    entry?.counts.trueNegatives ?? null,
    side ? round(item.involvement.truth?.[side] ?? null) : null,
    side ? round(item.involvement.prediction?.[side] ?? null) : null,
    ...(['truth', 'prediction'] as const).map((map) =>
      region === item.clinical?.lesion ? item.clinical[map].lesionCount : null,
    ),
    ...(['truth', 'prediction'] as const).map((map) => meanHu(item, region, side, map)),
  ];
}

/** Mean HU of a row's region: lesion, left or right lung. */
function meanHu(item: CaseMetrics, region: string, side: Side | null, map: 'truth' | 'prediction'): number | null {
  if (item.clinical === undefined) return null;
  const quantities = item.clinical[map];
  if (region === item.clinical.lesion) return round(quantities.lesionMeanHu);
  if (side === 'left') return round(quantities.leftLungMeanHu);
  return side === 'right' ? round(quantities.rightLungMeanHu) : null;
}

/** Six decimals, as in the CSV. */
export function round(value: number | null): number | null {
  return value === null ? null : Number(value.toFixed(6));
}

function percent(value: number | null): string {
  return value === null ? '–' : `${(value * 100).toFixed(1)} %`;
}

/** ` [0.660–0.810]`, empty for none. */
export function interval(bounds: readonly [number, number] | null, digits = 3): string {
  return bounds === null ? '' : ` [${fixed(bounds[0], digits)}–${fixed(bounds[1], digits)}]`;
}

/** `1 case`, `3 cases`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
