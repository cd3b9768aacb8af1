/**
 * Charts as SVG text: lines (loss, Dice, learning rate) and box plots (Dice per class).
 *
 * Text and axes use `currentColor`, series colours are mid-tones, there is no background: inlined in a page, a chart
 * reads on light and on dark. Everything that comes from outside is escaped.
 */
import {
  axisLabels,
  type ChartOptions,
  decadeTicks,
  emptyNote,
  extent,
  type Frame,
  formatPower,
  formatTick,
  makeFrame,
  niceTicks,
  round,
  scaleTo,
  type Scales,
  svg,
  text,
  textWidth,
  xAxis,
  yAxis,
} from './chart-parts.js';
import { escapeText } from './html.js';
import { quantileOfSorted } from '../statistics/statistics.js';

export interface Series {
  readonly name: string;
  /** [x, y] with x ascending; a point that is not finite breaks the line. */
  readonly points: ReadonlyArray<readonly [number, number]>;
  /** CSS colour; default from the palette. */
  readonly color?: string;
  readonly dashed?: boolean;
  /** One of many lines behind a main one: thin, pale and without a place in the legend. */
  readonly faint?: boolean;
}

export interface BoxGroup {
  readonly name: string;
  readonly values: readonly number[];
  readonly color?: string;
}

/** Series colours, distinguishable for the common colour-vision deficiencies, readable on white and on near-black. */
export const palette: readonly string[] = ['#3b82c4', '#e0812b', '#2e9e6b', '#c8508f', '#8a6fd1', '#b08a1e', '#2aa3b0'];

/** Slope of names under a crowded box plot. */
const nameDegrees = 30;

/** Points kept a series: longer histories are averaged in equal buckets. */
const maximumPoints = 500;

/** Line chart with axes, ticks, grid and, for more than one series, a legend. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const log = options.yScale === 'log';
  const usable = series
    .map((item, n) => ({
      ...item,
      color: item.color ?? palette[n % palette.length],
      points: thin(item.points.map(([x, y]) => [x, log ? (y > 0 ? Math.log10(y) : Number.NaN) : y] as const)),
    }))
    .filter((item) => item.points.some(isFinitePoint));
  const finite = usable.flatMap((item) => item.points.filter(isFinitePoint));
  const named = options.legend !== false && usable.length > 1 ? usable.filter((item) => !item.faint) : [];
  const frame = makeFrame(
    options,
    named.map((item) => item.name),
  );
  if (finite.length === 0) return svg(frame, options.title, emptyNote(frame));
  const xs = options.xRange ?? extent(finite.map((point) => point[0]));
  const ys = options.yRange ? options.yRange.map((y) => (log ? Math.log10(y) : y)) : extent(finite.map((p) => p[1]));
  const yTicks = log ? decadeTicks(ys[0], ys[1]) : niceTicks(ys[0], ys[1], 5);
  const yDomain = options.yRange
    ? [ys[0], ys[1]]
    : [Math.min(ys[0], yTicks[0]), Math.max(ys[1], yTicks[yTicks.length - 1])];
  const place = {
    x: scaleTo(xs[0], xs[1], frame.left, frame.right),
    y: scaleTo(yDomain[0], yDomain[1], frame.bottom, frame.top),
  };
  const formatY = (value: number): string => (log ? formatPower(value) : formatTick(value, yTicks));
  const parts = [
    ...yAxis(
      frame,
      yTicks.filter((t) => t >= yDomain[0] - 1e-9 && t <= yDomain[1] + 1e-9),
      place.y,
      formatY,
    ),
    ...xAxis(
      frame,
      niceTicks(xs[0], xs[1], 6).filter((t) => t >= xs[0] - 1e-9 && t <= xs[1] + 1e-9),
      place.x,
    ),
    ...usable.map((item) => drawLine(item, place, frame)),
  ];
  parts.push(...legend(frame, named));
  return svg(frame, options.title, [...parts, ...axisLabels(frame, options)].join(''));
}

/**
 * Box plot: box from the first to the third quartile, line at the median, whiskers to the furthest value within
 * 1.5 box heights, every value as a dot.
 */
export function boxPlot(groups: readonly BoxGroup[], options: ChartOptions): string {
  const whole = makeFrame(options, []);
  const step = (whole.right - whole.left) / groups.length;
  const widest = Math.max(0, ...groups.map((group) => textWidth(group.name)));
  // Names that do not fit side by side are turned, and the plot leaves them room.
  const turned = widest > step - 4;
  const frame = turned ? { ...whole, bottom: whole.bottom - widest * Math.sin((nameDegrees * Math.PI) / 180) } : whole;
  const values = groups.flatMap((group) => group.values.filter((value) => Number.isFinite(value)));
  if (values.length === 0) return svg(frame, options.title, emptyNote(frame));
  const ys = options.yRange ?? extent(values);
  const yTicks = niceTicks(ys[0], ys[1], 5);
  const yDomain = options.yRange ?? [Math.min(ys[0], yTicks[0]), Math.max(ys[1], yTicks[yTicks.length - 1])];
  const y = scaleTo(yDomain[0], yDomain[1], frame.bottom, frame.top);
  const boxes = groups.map((group, n) => {
    const centre = frame.left + step * (n + 0.5);
    const color = group.color ?? palette[n % palette.length];
    const turn = ` transform="rotate(${-nameDegrees} ${round(centre)} ${round(frame.bottom + 16)})"`;
    const name = turned
      ? text(centre, frame.bottom + 16, group.name, 'end', turn)
      : text(centre, frame.bottom + 18, group.name, 'middle');
    return drawBox(group.values, centre, Math.min(step * 0.5, 56), color, y) + name;
  });
  const parts = [...yAxis(frame, yTicks, y, (value) => formatTick(value, yTicks)), ...boxes];
  return svg(frame, options.title, [...parts, ...axisLabels(frame, options)].join(''));
}

function legend(frame: Frame, series: ReadonlyArray<Series & { readonly color: string }>): string[] {
  let next = 0;
  return frame.legendRows.flatMap((row, line) => {
    let x = frame.left;
    return row.map((name) => {
      const item = series[next++];
      const y = 36 + line * 18;
      const dash = item.dashed ? ' stroke-dasharray="5 3"' : '';
      const entry =
        `<line x1="${x}" x2="${x + 18}" y1="${y - 4}" y2="${y - 4}" stroke="${escapeText(item.color)}" stroke-width="2.5"${dash}/>` +
        text(x + 24, y, name, 'start');
      x = round(x + textWidth(name) + 40);
      return entry;
    });
  });
}

function drawLine(item: Series & { readonly color: string }, place: Scales, frame: Frame): string {
  let path = '';
  let pen = false;
  const clampY = (value: number): number => Math.min(Math.max(value, frame.top), frame.bottom);
  for (const point of item.points) {
    if (!isFinitePoint(point)) {
      pen = false;
      continue;
    }
    path += `${pen ? 'L' : 'M'}${round(place.x(point[0]))} ${round(clampY(place.y(point[1])))}`;
    pen = true;
  }
  const dash = item.dashed ? ' stroke-dasharray="5 3"' : '';
  const single = item.points.filter(isFinitePoint);
  const dot =
    single.length === 1
      ? `<circle cx="${round(place.x(single[0][0]))}" cy="${round(clampY(place.y(single[0][1])))}" r="3" fill="${escapeText(item.color)}"/>`
      : '';
  const weight = item.faint ? 'stroke-width="0.9" stroke-opacity="0.4"' : 'stroke-width="1.8"';
  return `<path d="${path}" fill="none" stroke="${escapeText(item.color)}" ${weight} stroke-linejoin="round"${dash}/>${dot}`;
}

function drawBox(values: readonly number[], centre: number, width: number, color: string, y: Scales['y']): string {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return text(centre, y(0) - 6, 'no value', 'middle');
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((fraction) => quantileOfSorted(sorted, fraction));
  const reach = 1.5 * (q3 - q1);
  const low = sorted.find((value) => value >= q1 - reach) ?? q1;
  const high = sorted.findLast((value) => value <= q3 + reach) ?? q3;
  const at = (value: number): number => round(y(value));
  const left = round(centre - width / 2);
  const right = round(centre + width / 2);
  const stroke = `stroke="${escapeText(color)}" stroke-width="1.8"`;
  const dots = sorted.map((value, n) => {
    // A fixed zigzag keeps equal values apart and the picture the same each time.
    const x = round(centre + ((n % 5) - 2) * width * 0.08);
    return `<circle cx="${x}" cy="${at(value)}" r="2.6" fill="${escapeText(color)}" fill-opacity="0.75"/>`;
  });
  return (
    `<line x1="${round(centre)}" x2="${round(centre)}" y1="${at(low)}" y2="${at(q1)}" ${stroke}/>` +
    `<line x1="${round(centre)}" x2="${round(centre)}" y1="${at(q3)}" y2="${at(high)}" ${stroke}/>` +
    `<rect x="${left}" y="${at(q3)}" width="${round(width)}" height="${round(y(q1) - y(q3))}" rx="2" fill="${escapeText(color)}" fill-opacity="0.18" ${stroke}/>` +
    `<line x1="${left}" x2="${right}" y1="${at(median)}" y2="${at(median)}" stroke="${escapeText(color)}" stroke-width="3"/>` +
    dots.join('')
  );
}

function thin(points: Series['points']): Series['points'] {
  if (points.length <= maximumPoints) return points;
  const size = Math.ceil(points.length / maximumPoints);
  const thinned: [number, number][] = [];
  for (let start = 0; start < points.length; start += size) {
    const bucket = points.slice(start, start + size).filter(isFinitePoint);
    const sum = (axis: 0 | 1): number => bucket.reduce((total, point) => total + point[axis], 0) / bucket.length;
    thinned.push([sum(0), sum(1)]);
  }
  return thinned;
}

function isFinitePoint(point: readonly [number, number]): boolean {
  return Number.isFinite(point[0]) && Number.isFinite(point[1]);
}
