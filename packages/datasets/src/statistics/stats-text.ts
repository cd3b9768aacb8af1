/** Statistics of a dataset as rows of text, for tables on the terminal and in the page. */
import type { DatasetStats } from './stats.js';

/** One row a case, the heading first. */
export function statsRows(stats: DatasetStats): string[][] {
  const foreground = stats.classes.map(({ name }, c) => ({ name, c })).slice(1);
  const heading = [
    'case',
    'split',
    'scale',
    'size',
    'spacing mm',
    'after',
    ...foreground.map(({ name }) => `${name} ml`),
  ];
  const rows = stats.cases.map((entry) => [
    entry.name,
    entry.split,
    entry.scale,
    entry.size.join('×'),
    entry.spacingMm.map((mm) => mm.toFixed(2)).join('×'),
    entry.preparedSize.join('×'),
    ...foreground.map(({ c }) => entry.volumeMl?.[c].toFixed(1) ?? '-'),
  ]);
  return [heading, ...rows];
}

/** The summary as name and value; axes in the order left, posterior, superior. */
export function summaryOf(stats: DatasetStats): [string, string][] {
  const millimetres = (values: readonly number[]): string => `${values.map((mm) => mm.toFixed(2)).join('×')} mm`;
  const patients = new Set(stats.cases.map(({ patient }) => patient)).size;
  const scales = stats.histograms.map(
    ({ scale }) => `${stats.cases.filter((entry) => entry.scale === scale).length} in ${scale === 'hu' ? 'HU' : scale}`,
  );
  return [
    ['cases', `${stats.cases.length} of ${patients} patients, ${scales.join(', ')}`],
    ['median shape', `${stats.medianShape.join('×')} at ${millimetres(stats.medianSpacingMm)}`],
    ['median shape after resampling', `${stats.medianShapeAfter.join('×')} at ${millimetres(stats.spacingAfterMm)}`],
    ['suggested patch', stats.suggestedPatch.join('×')],
  ];
}
