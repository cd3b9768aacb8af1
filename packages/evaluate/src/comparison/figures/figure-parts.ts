/** Several pictures in one SVG, and the frame of such a figure. */
import { round, text } from '../../report/chart-parts.js';
import { escapeText } from '../../report/html.js';

export interface GridOptions {
  readonly columns: number;
  /** Pixels of one chart. */
  readonly width: number;
  readonly height: number;
}

/** Charts of one size in rows, as one SVG. */
export function chartGrid(title: string, charts: readonly string[], { columns, width, height }: GridOptions): string {
  const used = Math.min(columns, charts.length);
  const rows = Math.ceil(charts.length / columns);
  const placed = charts.map((chart, n) => {
    const place = `x="${(n % columns) * width}" y="${Math.floor(n / columns) * height}"`;
    return chart.replace('<svg ', `<svg ${place} `);
  });
  return frameSvg(title, used * width, rows * height, placed.join('\n'));
}

/** An SVG of a size in pixels; content is SVG, the title is read aloud only. */
export function frameSvg(title: string, width: number, height: number, content: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" ` +
    `height="${round(height)}" role="img" aria-label="${escapeText(title)}" font-family="system-ui, sans-serif" ` +
    `font-size="12" fill="currentColor">${content}</svg>`
  );
}

/** Text cut to a width in pixels, with dots where something is missing. */
export function fittingText(x: number, y: number, content: string, width: number, attributes = ''): string {
  const characters = Math.floor(width / 6.6);
  const shown = content.length <= characters ? content : `${content.slice(0, Math.max(1, characters - 1))}…`;
  return text(x, y, shown, 'start', attributes);
}
