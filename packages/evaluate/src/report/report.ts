/**
 * report.html: one self-contained file (no scripts, no network) with summary, box plot, curves, overlays, cases, the
 * definitions of the metrics and the configuration. Follows the reader's light or dark setting and prints.
 */
import type { LabelClass } from '@quickcolumn/volume';
import { leastPatients } from '../statistics/statistics.js';
import type { Summary } from '../statistics/summary.js';
import type { CaseMetrics } from '../types.js';
import { scaleFor } from './chart-parts.js';
import { boxPlot, lineChart, palette, type Series } from './charts.js';
import { escapeText, htmlTable, pngDataUri } from './html.js';
import { buildPage, section } from './page.js';
import { caseRows, clinicalRows, summaryNotes, summaryRows } from './table.js';

/** One point of a training's history; null or absent values are left out of the curves. */
export interface HistoryPoint {
  readonly epoch?: number;
  readonly step?: number;
  readonly loss: number | null;
  readonly validationLoss?: number | null;
  readonly learningRate?: number | null;
  /** Per class, in the order of the classes, background included. */
  readonly softDice?: readonly number[];
  readonly validationSoftDice?: readonly number[];
}

export interface ReportInput {
  readonly title: string;
  /** One line under the title: model, data, date. */
  readonly subtitle?: string;
  readonly summary: Summary;
  readonly cases: readonly CaseMetrics[];
  /** Names and colours for the curves, the boxes and the legend of the overlays. */
  readonly classes?: readonly LabelClass[];
  readonly history?: readonly HistoryPoint[];
  readonly overlays?: readonly {
    readonly caption: string;
    readonly pngBytes: Uint8Array;
    /** Shown under the picture. */
    readonly doubts?: readonly string[];
  }[];
  /** The configuration as text (YAML), shown as it is. */
  readonly config?: string;
}

/** Builds the page; every text of the input is escaped. */
export function buildReport(input: ReportInput): string {
  return buildPage({
    title: input.title,
    subtitle: input.subtitle,
    sections: [
      ...(input.cases.length === 0 ? [unmeasured] : [summarySection(input)]),
      curvesSection(input.history ?? [], input.classes ?? []),
      ...(input.cases.length === 0 ? [] : caseSections(input)),
      input.config === undefined ? '' : section('Configuration', `<pre>${escapeText(input.config)}</pre>`),
    ],
  });
}

/** In place of tables without rows. */
const unmeasured = section('Summary', '<p>No case was measured for this report.</p>');

const caseSections = (input: ReportInput): string[] => [
  overlaySection(input.overlays ?? [], input.classes ?? []),
  section('Cases', htmlTable(caseRows(input.cases), 2) + doubtList(input.cases)),
  clinicalSection(input.cases),
  section('Definitions', definitions(input.summary)),
];

function summarySection(input: ReportInput): string {
  const { summary, cases } = input;
  const facts = `<p>${summary.cases} case${summary.cases === 1 ? '' : 's'} of ${summary.patients} patient${
    summary.patients === 1 ? '' : 's'
  }, evaluated on each scan's own grid.</p>`;
  const notes = summaryNotes(summary).map((note) => `<li>${escapeText(note)}</li>`);
  const groups = summary.regions.map((region, n) => ({
    name: region.name,
    color: colorOf(input.classes ?? [], region.value, n),
    values: cases.flatMap((item) => {
      const entry = region.value === null ? null : item.classes.find((c) => c.value === region.value);
      const value = region.value === null ? (item.lungs?.dice ?? null) : (entry?.metrics.dice ?? null);
      return value === null ? [] : [value];
    }),
  }));
  const plot = boxPlot(groups, { title: 'Dice by class', yLabel: 'DSC', yRange: [0, 1] });
  const list = notes.length > 0 ? `<ul>${notes.join('')}</ul>` : '';
  return section(
    'Summary',
    `${facts}${htmlTable(summaryRows(summary), 1)}${list}<figure class="chart">${plot}</figure>`,
  );
}

function curvesSection(history: readonly HistoryPoint[], classes: readonly LabelClass[]): string {
  if (history.length === 0) return '';
  const byEpoch = history.every((point) => point.epoch !== undefined);
  const xLabel = byEpoch ? 'epoch' : 'step';
  const series = (name: string, valueOf: (point: HistoryPoint) => number | null | undefined): Series => ({
    name,
    points: history.map(
      (point, n) => [(byEpoch ? point.epoch : point.step) ?? n, valueOf(point) ?? Number.NaN] as const,
    ),
  });
  const isKnown = (item: Series): boolean => item.points.some((point) => Number.isFinite(point[1]));
  const losses = [
    series('training loss', (point) => point.loss),
    { ...series('validation loss', (point) => point.validationLoss), dashed: true },
  ].filter(isKnown);
  const classCount = Math.max(
    0,
    ...history.map((p) => Math.max(p.softDice?.length ?? 0, p.validationSoftDice?.length ?? 0)),
  );
  const dice = Array.from({ length: classCount }, (_, n): Series[] => {
    const name = classes[n]?.name ?? `class ${n}`;
    const color = colorOf(classes, classes[n]?.value ?? null, n);
    return [
      { ...series(name, (point) => point.softDice?.[n]), color },
      { ...series(`${name}, validation`, (point) => point.validationSoftDice?.[n]), color, dashed: true },
    ];
  })
    .flat()
    .filter(isKnown);
  const yScale = scaleFor(losses.flatMap(({ points }) => points.map((point) => point[1])));
  const charts = [lineChart(losses, { title: 'Loss', xLabel, yLabel: 'loss', yScale })];
  if (dice.length > 0)
    charts.push(lineChart(dice, { title: 'Soft Dice', xLabel, yLabel: 'soft Dice', yRange: [0, 1] }));
  const rates = [series('learning rate', (point) => point.learningRate)].filter(isKnown);
  if (rates.length > 0) {
    charts.push(lineChart(rates, { title: 'Learning rate', xLabel, yLabel: 'rate', yScale: 'log', height: 220 }));
  }
  const figures = charts.map((chart) => `<figure class="chart">${chart}</figure>`).join('\n');
  return section('Training', `<div class="charts">${figures}</div>`);
}

function overlaySection(overlays: NonNullable<ReportInput['overlays']>, classes: readonly LabelClass[]): string {
  if (overlays.length === 0) return '';
  const legend = classLegend(classes);
  const figures = overlays.map(
    ({ caption, pngBytes, doubts = [] }) =>
      `<figure><img src="${pngDataUri(pngBytes)}" alt="${escapeText(caption)}"><figcaption>${[
        caption,
        ...doubts.map(warning),
      ]
        .map(escapeText)
        .join('<br>')}</figcaption></figure>`,
  );
  const intro = "<p>Radiological display: the patient's right is on the left of each picture.</p>";
  return section('Overlays', `${intro}${legend}${figures.join('\n')}`);
}

const warning = (doubt: string): string => `Warning: ${doubt}`;

/** Cases whose masks may be wrong, and why; empty where nobody has looked. */
function doubtList(cases: readonly CaseMetrics[]): string {
  if (cases.every(({ doubts }) => doubts === undefined)) return '';
  const items = cases.flatMap(({ name, doubts = [] }) => doubts.map((doubt) => `${name}: ${doubt}`));
  if (items.length === 0) return '<p class="note">No warning was given for any of these masks.</p>';
  const list = items.map((item) => `<li>${escapeText(item)}</li>`).join('');
  return `<p>Warnings that were given with the masks, without knowledge of the truth:</p><ul>${list}</ul>`;
}

/** Names and colours of the classes, background left out; empty without classes. */
export function classLegend(classes: readonly LabelClass[]): string {
  const keys = classes
    .filter((labelClass) => labelClass.value !== 0)
    .map(
      (c) =>
        `<span class="key"><i style="background:rgb(${c.color.map(Number).join(',')})"></i>${escapeText(c.name)}</span>`,
    );
  return keys.length > 0 ? `<p>${keys.join(' ')}</p>` : '';
}

function clinicalSection(cases: readonly CaseMetrics[]): string {
  const rows = clinicalRows(cases);
  const clinical = cases.find((item) => item.clinical !== undefined)?.clinical;
  if (clinical === undefined) return '';
  const note =
    `Lesions: connected parts of the class “${clinical.lesion}”, touching by faces, edges or corners, of at least ` +
    `${clinical.minimumLesionMl} ml; smaller ones count in the volume only. HU: mean over the mask, lungs without their ` +
    'lesions; – without the scan or where it is not in HU (windowed to 0–255).';
  return section('Lesions', `${htmlTable(rows, 2)}<p class="note">${escapeText(note)}</p>`);
}

function definitions(summary: Summary): string {
  const tolerances = summary.regions.filter((region) => region.toleranceMm !== null);
  const nsd = tolerances.map((region) => `${region.name} ${region.toleranceMm} mm`).join(', ');
  const items = [
    'Each class against the rest, on the original grid. DSC 2TP/(2TP+FP+FN), sensitivity TP/(TP+FN), ' +
      'specificity TN/(TN+FP), precision TP/(TP+FP), IoU TP/(TP+FP+FN).',
    'HD95: the larger of the two directed 95th percentiles of surface distance. ASSD: mean distance over both surfaces. ' +
      `NSD: share of both surfaces within the tolerance (${nsd}). A surface voxel has a 6-neighbour outside its mask.`,
    'Lungs: mean of left and right (volumes: sum). Infected share: infection / (lung + infection), each infection ' +
      'voxel counted to the nearer lung of the same label map.',
    'Undefined values (0/0, such as the Dice of two empty masks; distances where one mask is empty) are shown as – and left out. ' +
      'Pooled: from the added counts of all cases.',
    `Brackets: 95 % percentile bootstrap intervals over patients, ${summary.bootstrap.draws} draws, seed ${summary.bootstrap.seed}; ` +
      `none below ${leastPatients} patients. IQR as first–third quartile.`,
  ];
  return `<ul class="small">${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`;
}

/** The colour of a class where it has one that shows on white and on black, else one of the palette. */
function colorOf(classes: readonly LabelClass[], value: number | null, index: number): string {
  if (value === 0) return '#8a8f98';
  const color = classes.find((labelClass) => labelClass.value === value)?.color;
  if (color === undefined) return palette[index % palette.length];
  const luminance = (0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]) / 255;
  return luminance > 0.15 && luminance < 0.75 ? `rgb(${color.map(Number).join(',')})` : palette[index % palette.length];
}
