/**
 * What people see while a command runs: progress on standard error, results on standard output. Nothing else writes to them.
 * Every text passes through `plainLine`, so names from files cannot steer the terminal; what does steer it (colours, the
 * progress line) is added here.
 *
 * On a terminal a progress line is redrawn in place; in a log file each update would be a line, so there only a few
 * per task are written.
 */
import pc from 'picocolors';
import { plainLine, plainLines, plainMessage } from './plain-text.js';

/** One line of a result, or several. */
export function print(text: string | readonly string[]): void {
  const lines = typeof text === 'string' ? [text] : text;
  for (const line of lines) process.stdout.write(`${plainLine(line)}\n`);
}

/** A result for programs. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2).split('\n'));
}

/** One line beside the results. */
export function note(text: string): void {
  process.stderr.write(`${plainLine(text)}\n`);
}

/** @param message may have several lines; @param details are shown below it */
export function showError(message: string, details: readonly string[] = []): void {
  process.stderr.write(`${pc.red('error:')} ${plainMessage(message)}\n`);
  for (const text of details) process.stderr.write(`${plainMessage(text)}\n`);
}

/** Where the parser of arguments writes: pages of ours, and messages with what was typed. */
export const parserOutput: { readonly writeOut: (text: string) => void; readonly writeErr: (text: string) => void } = {
  writeOut: (text) => void process.stdout.write(plainLines(text)),
  writeErr: (text) => void process.stderr.write(plainLines(text)),
};

/** What standard error is shown on. */
export function errorScreen(): { readonly tty: boolean; readonly columns: number | undefined } {
  const { isTTY, columns } = process.stderr;
  return { tty: isTTY, columns };
}

/** One line on standard error that is redrawn as the work goes on. */
export interface ProgressLine {
  update(text: string, fraction?: number): void;
  /** Ends the line; the last text stays. */
  end(text?: string): void;
}

const redraw = '\r\u001b[K';

/** @param label what is being done, e.g. the name of a case. */
export function progressLine(label: string): ProgressLine {
  const live = process.stderr.isTTY;
  let lastStep = -1;
  return {
    update(text, fraction): void {
      if (live) {
        process.stderr.write(`${redraw}${plainLine(`${label}: ${text}`)}`);
        return;
      }
      // A log gets a line per quarter of the work.
      const step = fraction === undefined ? -1 : Math.floor(fraction * 4);
      if (step <= lastStep) return;
      lastStep = step;
      note(`${label}: ${text}`);
    },
    end(text): void {
      if (live) process.stderr.write(redraw);
      if (text !== undefined) note(`${label}: ${text}`);
    },
  };
}

/** Writes what a progress line of `learn` makes: a line that begins with `redraw`, ends in a line break, or both. */
export function writeProgress(before: string, text: string): void {
  const start = text.startsWith(redraw) ? redraw : '';
  const end = text.endsWith('\n') ? '\n' : '';
  const line = text.slice(start.length, text.length - end.length);
  process.stderr.write(`${start}${line === '' ? '' : plainLine(`${before}${line}`)}${end}`);
}

/** Rows of text in aligned columns; the first row is the heading, numbers are set to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const plain = rows.map((row) => row.map(plainLine));
  const widths = plain[0].map((_, column) => Math.max(...plain.map((row) => (row[column] ?? '').length)));
  return plain.map((row) =>
    row
      .map((cell, column) =>
        /^[\d.±\s%×x-]+$/.test(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** A word of a command that people copy into a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
