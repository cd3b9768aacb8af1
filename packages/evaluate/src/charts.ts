/**
 * Charts as SVG text: lines (loss, Dice, learning rate) and box plots (Dice per class).
 *
 * Text and axes use `currentColor`, series colours are mid-tones, there is no background: inlined in a page, a chart
 * reads on light and on dark. Everything that comes from outside is escaped.
 */
import { escapeText } from './html.js';
import { quantileOfSorted } from './statistics.js';

export interface Series {
  readonly name: string;
  /** [x, y] with x ascending; a point that is not finite breaks the line. */
  readonly points: ReadonlyArray<readonly [number, number]>;
  /** CSS colour; default from the palette. */
  readonly color?: string;
  readonly dashed?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Fixed y range; default from the data. */
  readonly yRange?: readonly [number, number];
  readonly yScale?: 'linear' | 'log';
  /** Pixels; default 560 × 320. */
  readonly width?: number;
  readonly height?: number;
}

export interface BoxGroup {
  readonly name: string;
  readonly values: readonly number[];
  readonly color?: string;
}

/** Series colours, distinguishable for the common colour-vision deficiencies, readable on white and on near-black. */
export const palette: readonly string[] = ['#3b82c4', '#e0812b', '#2e9e6b', '#c8508f', '#8a6fd1', '#b08a1e', '#2aa3b0'];

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
  const frame = makeFrame(options, usable.length > 1 ? usable.map((item) => item.name) : []);
  if (finite.length === 0) return svg(frame, options.title, emptyNote(frame));
  const xs = extent(finite.map((point) => point[0]));
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
  if (usable.length > 1) parts.push(...legend(frame, usable));
  return svg(frame, options.title, [...parts, ...axisLabels(frame, options)].join(''));
}

/**
 * Box plot: box from the first to the third quartile, line at the median, whiskers to the furthest value within
 * 1.5 box heights, every value as a dot.
 */
export function boxPlot(groups: readonly BoxGroup[], options: ChartOptions): string {
  const frame = makeFrame(options, []);
  const values = groups.flatMap((group) => group.values.filter((value) => Number.isFinite(value)));
  if (values.length === 0) return svg(frame, options.title, emptyNote(frame));
  const ys = options.yRange ?? extent(values);
  const yTicks = niceTicks(ys[0], ys[1], 5);
  const yDomain = options.yRange ?? [Math.min(ys[0], yTicks[0]), Math.max(ys[1], yTicks[yTicks.length - 1])];
  const y = scaleTo(yDomain[0], yDomain[1], frame.bottom, frame.top);
  const step = (frame.right - frame.left) / groups.length;
  const boxes = groups.map((group, n) => {
    const centre = frame.left + step * (n + 0.5);
    const color = group.color ?? palette[n % palette.length];
    const name = text(centre, frame.bottom + 18, group.name, 'middle');
    return drawBox(group.values, centre, Math.min(step * 0.5, 56), color, y) + name;
  });
  const parts = [...yAxis(frame, yTicks, y, (value) => formatTick(value, yTicks)), ...boxes];
  return svg(frame, options.title, [...parts, ...axisLabels(frame, options)].join(''));
}

/** About `count` round numbers (1, 2 or 5 × 10ⁿ apart) that cover the range; the outer ones may lie outside it. */
export function niceTicks(low: number, high: number, count: number): number[] {
  if (high === low) {
    const margin = Math.abs(high) / 2 || 0.5;
    return niceTicks(low - margin, high + margin, count);
  }
  const span = high - low;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + 1);
  return Array.from({ length: last - first + 1 }, (_, n) => Number(((first + n) * step).toFixed(Math.min(digits, 20))));
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly legendRows: ReadonlyArray<readonly string[]>;
}

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Estimated width of text at 12 px; SVG offers no measure without a renderer. */
const textWidth = (value: string): number => value.length * 6.6;

function makeFrame(options: ChartOptions, names: readonly string[]): Frame {
  const width = options.width ?? 560;
  const height = options.height ?? 320;
  const left = 64;
  const right = width - 16;
  const rows: string[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const needed = textWidth(name) + 40;
    if (used + needed > right - left) {
      rows.push([]);
      used = 0;
    }
    rows[rows.length - 1].push(name);
    used += needed;
  }
  const top = 38 + rows.length * 18;
  const bottom = height - (options.xLabel ? 46 : 30);
  return { width, height, left, right, top, bottom, legendRows: rows };
}

function svg(frame: Frame, title: string, content: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" width="${frame.width}" ` +
    `height="${frame.height}" role="img" aria-label="${escapeText(title)}" font-family="system-ui, sans-serif" ` +
    `font-size="12" fill="currentColor">` +
    `<text x="${frame.left}" y="18" font-size="14" font-weight="600">${escapeText(title)}</text>${content}</svg>`
  );
}

function yAxis(frame: Frame, ticks: readonly number[], y: Scales['y'], format: (value: number) => string): string[] {
  return ticks.map((tick) => {
    const at = round(y(tick));
    return (
      `<line x1="${frame.left}" x2="${frame.right}" y1="${at}" y2="${at}" stroke="currentColor" stroke-opacity="0.15"/>` +
      text(frame.left - 8, at + 4, format(tick), 'end')
    );
  });
}

function xAxis(frame: Frame, ticks: readonly number[], x: Scales['x']): string[] {
  const axis = `<line x1="${frame.left}" x2="${frame.right}" y1="${frame.bottom}" y2="${frame.bottom}" stroke="currentColor" stroke-opacity="0.6"/>`;
  return [
    axis,
    ...ticks.map((tick) => {
      const at = round(x(tick));
      const mark = `<line x1="${at}" x2="${at}" y1="${frame.bottom}" y2="${frame.bottom + 4}" stroke="currentColor" stroke-opacity="0.6"/>`;
      return mark + text(at, frame.bottom + 18, formatTick(tick, ticks), 'middle');
    }),
  ];
}

function axisLabels(frame: Frame, options: ChartOptions): string[] {
  const labels: string[] = [];
  if (options.xLabel) labels.push(text((frame.left + frame.right) / 2, frame.height - 8, options.xLabel, 'middle'));
  if (options.yLabel) {
    const middle = (frame.top + frame.bottom) / 2;
    labels.push(
      `<text transform="translate(15 ${middle}) rotate(-90)" text-anchor="middle">${escapeText(options.yLabel)}</text>`,
    );
  }
  return labels;
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
  return `<path d="${path}" fill="none" stroke="${escapeText(item.color)}" stroke-width="1.8" stroke-linejoin="round"${dash}/>${dot}`;
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

function emptyNote(frame: Frame): string {
  return text((frame.left + frame.right) / 2, frame.height / 2, 'no values', 'middle');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeText(content)}</text>`;
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

function extent(values: readonly number[]): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function scaleTo(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = high - low;
  return (value) => (span === 0 ? (from + to) / 2 : from + ((value - low) / span) * (to - from));
}

function decadeTicks(low: number, high: number): number[] {
  const first = Math.floor(low + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}

function formatPower(exponent: number): string {
  return Math.abs(exponent) > 2 ? `1e${exponent}` : String(Number((10 ** exponent).toPrecision(3)));
}

function formatTick(value: number, ticks: readonly number[]): string {
  if (ticks.length < 2) return String(Number(value.toPrecision(4)));
  const step = Math.abs(ticks[1] - ticks[0]);
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return Math.abs(value) >= 1e6 || digits > 5 ? value.toExponential(1) : value.toFixed(digits);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
