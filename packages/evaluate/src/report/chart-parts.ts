/**
 * Parts of charts as SVG text: frame, axes, ticks, scales. Internal to this package.
 *
 * SVG offers no measure of text without a renderer, so widths are estimated from the number of characters.
 */
import { escapeText } from './html.js';

export interface ChartOptions {
  readonly title: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Fixed y range; default from the data. */
  readonly yRange?: readonly [number, number];
  /** Fixed x range of a line chart; default from the data. */
  readonly xRange?: readonly [number, number];
  /** Legend of a line chart with several series; default true. */
  readonly legend?: boolean;
  readonly yScale?: 'linear' | 'log';
  /** Pixels; default 560 × 320. */
  readonly width?: number;
  readonly height?: number;
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

/** Pixel places of the plot in its picture. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly legendRows: ReadonlyArray<readonly string[]>;
}

/** From values to pixels. */
export interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Estimated width of text at 12 px. */
export function textWidth(value: string): number {
  return value.length * 6.6;
}

/** Places the plot between axes, title and as many rows of legend as the names need. */
export function makeFrame(options: ChartOptions, names: readonly string[]): Frame {
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

/** The whole picture; content is SVG. */
export function svg(frame: Frame, title: string, content: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" width="${frame.width}" ` +
    `height="${frame.height}" role="img" aria-label="${escapeText(title)}" font-family="system-ui, sans-serif" ` +
    `font-size="12" fill="currentColor">` +
    `<text x="${frame.left}" y="18" font-size="14" font-weight="600">${escapeText(title)}</text>${content}</svg>`
  );
}

/** Grid lines and numbers. */
export function yAxis(
  frame: Frame,
  ticks: readonly number[],
  y: Scales['y'],
  format: (value: number) => string,
): string[] {
  return ticks.map((tick) => {
    const at = round(y(tick));
    return (
      `<line x1="${frame.left}" x2="${frame.right}" y1="${at}" y2="${at}" stroke="currentColor" stroke-opacity="0.15"/>` +
      text(frame.left - 8, at + 4, format(tick), 'end')
    );
  });
}

/** Axis, marks and numbers. */
export function xAxis(frame: Frame, ticks: readonly number[], x: Scales['x']): string[] {
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

/** Names of the axes, where the options have some. */
export function axisLabels(frame: Frame, options: ChartOptions): string[] {
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

/** Instead of a plot without values. */
export function emptyNote(frame: Frame): string {
  return text((frame.left + frame.right) / 2, frame.height / 2, 'no values', 'middle');
}

/** One line of text; `attributes` is SVG and begins with a space. */
export function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  attributes = '',
): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${attributes}>${escapeText(content)}</text>`;
}

/** Least and greatest value; infinite without any. */
export function extent(values: readonly number[]): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Linear map of [low, high] to pixels. */
export function scaleTo(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = high - low;
  return (value) => (span === 0 ? (from + to) / 2 : from + ((value - low) / span) * (to - from));
}

/** The scale on which values can be read: logarithmic where a spike would flatten all others. */
export function scaleFor(values: readonly number[]): 'linear' | 'log' {
  const [low, high] = extent(values.filter((value) => Number.isFinite(value)));
  return low > 0 && high > 30 * low ? 'log' : 'linear';
}

/** Whole exponents that cover a logarithmic range. */
export function decadeTicks(low: number, high: number): number[] {
  const first = Math.floor(low + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}

/** A power of ten. */
export function formatPower(exponent: number): string {
  return Math.abs(exponent) > 2 ? `1e${exponent}` : String(Number((10 ** exponent).toPrecision(3)));
}

/** A tick with as many decimals as the distance of the ticks needs. */
export function formatTick(value: number, ticks: readonly number[]): string {
  if (ticks.length < 2) return String(Number(value.toPrecision(4)));
  const step = Math.abs(ticks[1] - ticks[0]);
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return Math.abs(value) >= 1e6 || digits > 5 ? value.toExponential(1) : value.toFixed(digits);
}

/** To a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
