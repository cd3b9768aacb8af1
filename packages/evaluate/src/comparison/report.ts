/**
 * The report of a comparison: tables in the form of the paper's, tests, figures, and what was left out, in one
 * self-contained page, with the numbers as JSON and CSV and the figures as files.
 *
 * Scans are asked for one case at a time, so that a comparison of any size fits in the memory of one case.
 */
import { escapeText } from '../report/html.js';
import { buildPage, section } from '../report/page.js';
import { classLegend } from '../report/report.js';
import { leastPatients, type ResamplingOptions } from '../statistics/statistics.js';
import { plural } from '../report/table.js';
import { boxFigure } from './figures/boxes.js';
import { type ComparisonCsv, comparisonCsv } from './csv.js';
import { lossFigure } from './figures/curves.js';
import { forestFigure } from './figures/forest.js';
import { type CaseImages, caseFigure, chooseCases } from './figures/panels.js';
import { type ComparisonStatistics, comparisonStatistics } from './result.js';
import { caseTable, costTable, paragraph, regionTables, settingsTable, tableTitle } from './tables.js';
import type { Comparison } from './types.js';

export interface ComparisonReportOptions extends ResamplingOptions {
  /** Cases to show beside the best, the median and the worst one. */
  readonly cases?: readonly string[];
  /** Loads a case with the predictions of the systems that evaluated it; without it there are no pictures of scans. */
  readonly caseImages?: (caseName: string, systemIds: readonly string[]) => Promise<CaseImages>;
  readonly onProgress?: (progress: { readonly text: string; readonly done: number; readonly total: number }) => void;
  /** Stops between two cases; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A figure for a paper; names are safe as file names. */
export interface ComparisonFigure {
  readonly name: string;
  /** Plain text. */
  readonly caption: string;
  readonly svg: string;
  /** The same picture, of cases only. */
  readonly png?: Uint8Array;
}

export interface ComparisonReport {
  readonly html: string;
  readonly csv: ComparisonCsv;
  readonly json: ComparisonStatistics;
  readonly figures: readonly ComparisonFigure[];
}

/**
 * Builds the report.
 * @throws EvaluationError where the comparison does not fit together or a named case is not in it; GridMismatchError
 *   for predictions on another grid; what `caseImages` throws.
 */
export async function buildComparisonReport(
  comparison: Comparison,
  options: ComparisonReportOptions = {},
): Promise<ComparisonReport> {
  const statistics = comparisonStatistics(comparison, options);
  const chosen = chooseCases(statistics, options.cases ?? []);
  const evaluated = new Set(statistics.systems.map((system) => system.id));
  const curves = lossFigure(comparison.systems.filter((system) => evaluated.has(system.id)));
  const loss: ComparisonFigure[] =
    curves === null ? [] : [{ name: 'fig-1-loss', caption: `Fig. 1. ${lossCaption}`, svg: curves }];
  const scans: ComparisonFigure[] = [];
  const { caseImages, onProgress, signal } = options;
  for (const [n, { name, why }] of (caseImages === undefined ? [] : chosen).entries()) {
    signal?.throwIfAborted();
    onProgress?.({ text: name, done: n, total: chosen.length });
    const row = statistics.cases.find((entry) => entry.name === name);
    if (caseImages === undefined || row === undefined) continue;
    const ids = statistics.systems
      .map((system) => system.id)
      .filter((id) => Object.hasOwn(row.dice[statistics.focus], id));
    const { svg, png, slice } = caseFigure(await caseImages(name, ids), row, statistics, comparison.classes);
    const mean = row.focusDice === null ? 'undefined' : row.focusDice.toFixed(3);
    scans.push({
      name: `fig-${2 + n}-${fileSafe(why)}-${fileSafe(name)}`,
      caption:
        `Fig. ${2 + n}. ${name} (${why} case; fold ${row.fold}; mean DSC of ${statistics.focus} over the systems ` +
        `${mean}), slice ${slice}. DSC of the whole scan below each prediction.`,
      svg,
      png,
    });
  }
  const plots = plotFigures(statistics, 2 + scans.length);
  onProgress?.({ text: 'report', done: chosen.length, total: chosen.length });
  return {
    html: page(comparison, statistics, { loss, scans, plots }),
    csv: comparisonCsv(comparison, statistics),
    json: statistics,
    figures: [...loss, ...scans, ...plots],
  };
}

const lossCaption =
  'Loss of training (solid) and validation (dashed): mean of the folds, the folds thin behind it. The mean runs where ' +
  'every fold has a value. Losses of systems trained with different losses cannot be compared with each other.';

function plotFigures(statistics: ComparisonStatistics, first: number): ComparisonFigure[] {
  const kinds = [
    {
      kind: 'box',
      draw: boxFigure,
      caption: (region: string) =>
        `DSC of ${region}, every case a point. Box: first to third quartile with the median; whiskers: the furthest ` +
        `values within 1.5 box heights. Orange: ${statistics.reference}.`,
    },
    {
      kind: 'forest',
      draw: forestFigure,
      caption: (region: string) =>
        `Differences to ${statistics.reference} in ${region}: mean over the cases with its 95 % interval. Filled: ` +
        'supported after Holm’s adjustment (p < 0.05); open: not. Intervals are not adjusted. Each metric has its own scale.',
    },
  ];
  return kinds
    .flatMap(({ kind, draw, caption }) =>
      statistics.shownRegions.map((region) => ({ kind, region, caption, svg: draw(statistics, region) })),
    )
    .filter((entry): entry is typeof entry & { svg: string } => entry.svg !== null)
    .map(({ kind, region, caption, svg }, n) => ({
      name: `fig-${first + n}-${kind}-${fileSafe(region)}`,
      caption: `Fig. ${first + n}. ${caption(region)}`,
      svg,
    }));
}

function page(
  comparison: Comparison,
  statistics: ComparisonStatistics,
  figures: Readonly<Record<'loss' | 'scans' | 'plots', readonly ComparisonFigure[]>>,
): string {
  const cases = statistics.cases.length;
  const patients = new Set(statistics.cases.map((row) => row.patient)).size;
  const { resampling } = statistics;
  const facts =
    `${plural(statistics.systems.length, 'system')} on ${plural(cases, 'case')} of ${plural(patients, 'patient')} in ` +
    `${plural(statistics.foldCount, 'fold')} (seed ${statistics.seed}). Every case is predicted by weights that were trained ` +
    'without it, and evaluated on its own grid.';
  const scansIntro =
    "The patient's right is on the left. One slice per case, the same in every panel: the one with the most " +
    `${statistics.focus} in the truth. Best, median and worst are chosen by the mean DSC over all systems.`;
  return buildPage({
    title: comparison.title,
    subtitle: comparison.date,
    sections: [
      section('What was compared', paragraph(facts) + identityTable(statistics)),
      leftOutSection(statistics),
      ...statistics.shownRegions.map((region) =>
        section(escapeText(tableTitle(statistics, region)), regionTables(statistics, region)),
      ),
      figures.loss.length === 0 ? '' : section('Training', figures.loss.map(figureHtml).join('\n')),
      figures.scans.length === 0
        ? ''
        : section(
            'Cases',
            paragraph(scansIntro) + classLegend(comparison.classes) + figures.scans.map(figureHtml).join('\n'),
          ),
      section('Distributions and differences', figures.plots.map(figureHtml).join('\n')),
      section('Cost', costTable(statistics)),
      section('Systems and their settings', settingsTable(statistics)),
      section(
        'Every case',
        statistics.shownRegions.map((region) => caseTable(statistics, region)).join('\n') +
          paragraph('–: undefined, truth and prediction are both empty; left out of every mean.'),
      ),
      section('Methods', methods(resampling)),
    ],
  });
}

function identityTable(statistics: ComparisonStatistics): string {
  const { budget, identity } = statistics;
  const rows = [
    ['budget of each run', budget],
    ['data', identity.data],
    ['numerics', String(identity.numerics)],
    ['compute', identity.compute],
  ];
  const items = rows.map(([name, value]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd>`);
  return `<dl class="facts">${items.join('')}</dl>`;
}

function leftOutSection({ leftOut }: ComparisonStatistics): string {
  const heading = 'What is not in the tables';
  if (leftOut.length === 0) return section(heading, paragraph('Nothing was left out.'));
  const items = leftOut.map(({ id, reason }) => `<li><strong>${escapeText(id)}</strong>: ${escapeText(reason)}</li>`);
  return section(heading, `<ul class="small">${items.join('')}</ul>`);
}

function methods({ draws, seed }: ComparisonStatistics['resampling']): string {
  const items = [
    'DSC 2TP/(2TP+FP+FN), sensitivity TP/(TP+FN), specificity TN/(TN+FP): each class against the rest, on the original ' +
      'grid of each scan. Lungs: mean of left and right.',
    'Undefined values (0/0, such as the DSC of two empty masks) are left out and counted; they are never 0.',
    `95 % intervals: percentile bootstrap over patients, ${draws} draws, seed ${seed}. All cases of a patient are drawn together. ` +
      `None below ${leastPatients} patients, whose values it would only repeat.`,
    'p-values: paired permutation test of the mean difference, two-sided; the differences of one patient change sign ' +
      'together. With few patients the smallest possible p-value is large, and a p-value above 0.05 is no proof of equality.',
    'Holm: step-down adjustment over the family named under each table. JSON and CSV also have every pair of systems, ' +
      'adjusted over all pairs of one region and metric, and the single lungs.',
    'Folds share most of their training cases, so systems are compared on these cases, not on all possible trainings.',
  ];
  return `<ul class="small">${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`;
}

function figureHtml({ svg, caption }: ComparisonFigure): string {
  return `<figure class="chart">${svg}<figcaption>${escapeText(caption)}</figcaption></figure>`;
}

function fileSafe(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9_]+/g, '-');
}
