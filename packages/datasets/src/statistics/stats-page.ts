/** Statistics of a dataset as one HTML page: summary, intensity histograms by class, volumes by class, cases. */
import { boxPlot, buildPage, htmlTable, lineChart, section, type Series } from '@quickcolumn/evaluate';
import type { LabelClass } from '@quickcolumn/volume';
import { binCount, type DatasetStats, type Histogram } from './stats.js';
import { statsRows, summaryOf } from './stats-text.js';

/** The page; every text is escaped. `classes` gives the colours. */
export function statsPage(stats: DatasetStats, classes: readonly LabelClass[], title: string): string {
  const figure = (chart: string): string => `<figure class="chart">${chart}</figure>`;
  const charts = stats.histograms.map((histogram) => figure(histogramChart(histogram, classes)));
  const labelled = stats.cases.filter(({ volumeMl }) => volumeMl !== undefined);
  const volumes = classes.slice(1).map(({ name, color }, index) => ({
    name,
    color: `rgb(${color.join(',')})`,
    values: labelled.map(({ volumeMl }) => volumeMl?.[index + 1] ?? 0),
  }));
  if (volumes.length > 0 && labelled.length > 0) {
    charts.push(figure(boxPlot(volumes, { title: 'Volume by class', yLabel: 'ml' })));
  }
  const note =
    '<p class="small">Share of the voxels of each class; the outermost bins also hold what lies beyond. Background is ' +
    'everything outside of the labels, table and air included.</p>';
  return buildPage({
    title,
    subtitle: `${stats.cases.length} cases`,
    sections: [
      section('Summary', htmlTable([['', ''], ...summaryOf(stats)], 2)),
      section('Intensities and volumes', `<div class="charts">${charts.join('\n')}</div>${note}`),
      section('Cases', htmlTable(statsRows(stats), 3)),
    ],
  });
}

function histogramChart({ scale, low, high, counts }: Histogram, classes: readonly LabelClass[]): string {
  const width = (high - low) / binCount;
  const series = counts.flatMap((bins, c): Series[] => {
    const total = bins.reduce((sum, count) => sum + count, 0);
    if (total === 0) return [];
    const { name, color, value } = classes[c];
    const points = bins.map((count, bin) => [low + (bin + 0.5) * width, (100 * count) / total] as const);
    // Black does not show on dark pages.
    return [{ name, points, color: value === 0 ? '#8a8f98' : `rgb(${color.join(',')})` }];
  });
  const unit = scale === 'hu' ? 'HU' : 'value';
  return lineChart(series, {
    title: scale === 'hu' ? 'Intensities of scans in HU' : 'Intensities of scans in 0–255',
    xLabel: unit,
    yLabel: `% of the class per ${width.toFixed(1)} ${unit}`,
  });
}
