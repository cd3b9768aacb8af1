/**
 * Forest plot: mean difference of every system to the first one with its 95 % interval, one column a metric.
 *
 * A filled marker means that the difference is supported after Holm's adjustment (pairs.ts), an open one that it is
 * not. Each metric has a scale of its own, since specificity differs in the fourth decimal.
 */
import { extent, formatTick, niceTicks, round, scaleTo, text, textWidth } from '../../report/chart-parts.js';
import { palette } from '../../report/charts.js';
import { fittingText, frameSvg } from './figure-parts.js';
import { comparedMetrics, type ComparedMetric, significance, type SystemPair } from '../pairs.js';
import type { ComparisonStatistics } from '../result.js';
import { metricDigits, metricTitles, signed, signedInterval } from '../tables.js';

const rowHeight = 24;
const top = 48;
const plotWidth = 190;
const numbersWidth = 168;
const markSize = 9;

/** The figure of one region as SVG, or null with a single system. */
export function forestFigure(statistics: ComparisonStatistics, region: string): string | null {
  const others = statistics.systems.slice(1).map((system) => system.id);
  if (others.length === 0) return null;
  const pairsOf = (metric: ComparedMetric): (SystemPair | undefined)[] =>
    others.map((id) =>
      statistics.tests.find(
        (pair) =>
          pair.region === region &&
          pair.metric === metric &&
          pair.system === id &&
          pair.reference === statistics.reference,
      ),
    );
  const names = Math.min(220, Math.max(...others.map(textWidth)) + 12);
  const bottom = top + others.length * rowHeight;
  const rows = others.map((id, n) => {
    const y = top + (n + 0.5) * rowHeight;
    const band =
      n % 2 === 0
        ? `<rect x="0" y="${y - rowHeight / 2}" width="100%" height="${rowHeight}" fill="currentColor" fill-opacity="0.05"/>`
        : '';
    return band + fittingText(4, y + 4, id, names - 8);
  });
  const columns = comparedMetrics.map((metric, n) =>
    drawColumn(metric, pairsOf(metric), names + n * (plotWidth + numbersWidth + 16), bottom),
  );
  const width = names + comparedMetrics.length * (plotWidth + numbersWidth + 16);
  const title = `Differences to ${statistics.reference}, ${region}`;
  return frameSvg(title, width, bottom + 52, [...rows, ...columns].join('\n'));
}

function drawColumn(
  metric: ComparedMetric,
  pairs: readonly (SystemPair | undefined)[],
  left: number,
  bottom: number,
): string {
  const values = pairs.flatMap((pair) =>
    pair === undefined ? [] : [pair.meanDifference, ...(pair.interval95 ?? [])].filter((value) => value !== null),
  );
  const title = text(left + plotWidth / 2, 18, `Δ ${metricTitles[metric]}`, 'middle', ' font-weight="600"');
  if (values.length === 0) return title + text(left + plotWidth / 2, top + 16, 'no values', 'middle');
  const ticks = niceTicks(...extent([0, ...values]), metric === 'specificity' ? 2 : 4);
  const x = scaleTo(ticks[0], ticks[ticks.length - 1], left + 8, left + plotWidth - 8);
  const grid = ticks.map((tick) => {
    const at = round(x(tick));
    // The line of no difference stands out.
    const opacity = tick === 0 ? 0.7 : 0.13;
    return (
      `<line x1="${at}" x2="${at}" y1="${top - 4}" y2="${bottom + 4}" stroke="currentColor" stroke-opacity="${opacity}"/>` +
      text(at, bottom + 20, formatTick(tick, ticks).replace('-', '−'), 'middle', ' font-size="11"')
    );
  });
  const marks = pairs.map((pair, n) =>
    pair === undefined ? '' : drawMark(pair, x, left, top + (n + 0.5) * rowHeight),
  );
  const sides =
    text(left + 8, bottom + 40, '← lower', 'start', ' font-size="11" fill-opacity="0.7"') +
    text(left + plotWidth - 8, bottom + 40, 'higher →', 'end', ' font-size="11" fill-opacity="0.7"');
  return [title, ...grid, sides, ...marks].join('');
}

function drawMark(pair: SystemPair, x: (value: number) => number, left: number, y: number): string {
  if (pair.meanDifference === null) return text(left + plotWidth / 2, y + 4, 'no common cases', 'middle');
  const [color] = palette;
  const supported = pair.holm !== null && pair.holm < significance;
  const at = x(pair.meanDifference);
  // The interval ends at the marker: an open one has no fill that every program knows as paper.
  const line = (from: number, to: number): string =>
    from < to
      ? `<line x1="${round(from)}" x2="${round(to)}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="1.8"/>`
      : '';
  const [low, high] = (pair.interval95 ?? [pair.meanDifference, pair.meanDifference]).map(x);
  const interval = line(low, at - markSize / 2) + line(at + markSize / 2, high);
  const square =
    `<rect x="${round(at - markSize / 2)}" y="${y - markSize / 2}" width="${markSize}" height="${markSize}" stroke="${color}" ` +
    `stroke-width="1.8" class="${supported ? 'supported' : 'open'}" fill="${supported ? color : 'none'}"/>`;
  const digits = metricDigits[pair.metric];
  const numbers = `${signed(pair.meanDifference, digits)} ${signedInterval(pair, digits)}`;
  return interval + square + text(left + plotWidth + 2, y + 4, numbers, 'start', ' font-size="11"');
}
