/**
 * Fig. 1: loss of training and validation over the epochs, mean of the folds with the folds thin behind it.
 *
 * Up to four systems share one chart; more get a chart each, all on one scale. The mean runs only where every fold has
 * a value: a fold that stopped early would bend it.
 */
import { decadeTicks, extent, niceTicks, scaleFor } from '../../report/chart-parts.js';
import { lineChart, palette, type Series } from '../../report/charts.js';
import type { HistoryPoint } from '../../report/report.js';
import { chartGrid } from './figure-parts.js';
import type { ComparedSystem } from '../types.js';

type Points = ReadonlyArray<readonly [number, number]>;

const mostInOneChart = 4;

/** The figure as SVG, or null where no system has a history. */
export function lossFigure(systems: readonly ComparedSystem[]): string | null {
  const trained = systems.filter((system) => system.folds.some((fold) => (fold.history ?? []).length > 0));
  if (trained.length === 0) return null;
  const histories = trained.flatMap((system) => system.folds.map((fold) => fold.history ?? []));
  const byEpoch = histories.every((history) => history.every((point) => point.epoch !== undefined));
  const xLabel = byEpoch ? 'epoch' : 'step';
  const curves = trained.map((system) => ({
    system,
    training: foldPoints(system, byEpoch, (point) => point.loss),
    validation: foldPoints(system, byEpoch, (point) => point.validationLoss),
  }));
  const all = curves.flatMap(({ training, validation }) => [...training, ...validation].flat());
  if (all.length === 0) return null;
  const xRange = extent(all.map((point) => point[0]));
  const [low, high] = extent(all.map((point) => point[1]));
  const yScale = scaleFor(all.map((point) => point[1]));
  const ticks =
    yScale === 'log'
      ? decadeTicks(Math.log10(low), Math.log10(high)).map((exponent) => 10 ** exponent)
      : niceTicks(Math.min(low, 0), high, 4);
  const yRange = [ticks[0], ticks[ticks.length - 1]] as const;
  const scale = { xLabel, yLabel: 'loss', xRange, yRange, yScale };
  if (curves.length <= mostInOneChart) {
    const series = curves.flatMap(({ system, training, validation }, n) => [
      ...linesOf(`${system.id}, training`, training, palette[n % palette.length], false),
      ...linesOf(`${system.id}, validation`, validation, palette[n % palette.length], true),
    ]);
    return lineChart(series, { title: 'Loss of training and validation', ...scale, width: 900, height: 420 });
  }
  const charts = curves.map(({ system, training, validation }) =>
    lineChart(
      [...linesOf('training', training, palette[0], false), ...linesOf('validation', validation, palette[1], true)],
      { title: system.id, ...scale, width: 290, height: 220 },
    ),
  );
  return chartGrid('Loss of training and validation', charts, { columns: 4, width: 290, height: 220 });
}

/** One list of points a fold that has any. */
function foldPoints(
  system: ComparedSystem,
  byEpoch: boolean,
  valueOf: (point: HistoryPoint) => number | null | undefined,
): Points[] {
  return system.folds
    .map(({ history = [] }) =>
      history.flatMap((point, n): (readonly [number, number])[] => {
        const value = valueOf(point);
        return typeof value === 'number' && Number.isFinite(value)
          ? [[(byEpoch ? point.epoch : point.step) ?? n, value]]
          : [];
      }),
    )
    .filter((points) => points.length > 0);
}

/** The folds, faint, and their mean. */
function linesOf(name: string, folds: readonly Points[], color: string, dashed: boolean): Series[] {
  if (folds.length === 0) return [];
  const faint = folds.length > 1 ? folds.map((points): Series => ({ name, points, color, dashed, faint: true })) : [];
  return [...faint, { name, points: meanOf(folds), color, dashed }];
}

function meanOf(folds: readonly Points[]): Points {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const [x, y] of folds.flat()) {
    const entry = sums.get(x) ?? { sum: 0, count: 0 };
    sums.set(x, { sum: entry.sum + y, count: entry.count + 1 });
  }
  return [...sums]
    .filter(([, { count }]) => count === folds.length)
    .sort((a, b) => a[0] - b[0])
    .map(([x, { sum, count }]) => [x, sum / count] as const);
}
