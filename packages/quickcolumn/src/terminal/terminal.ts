/**
 * What people see while a command runs: progress on standard error, results on standard output.
 *
 * On a terminal a progress line is redrawn in place; in a log file each update would be a line, so there only a few
 * per task are written.
 */

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One line on standard error that is redrawn as the work goes on. */
export interface ProgressLine {
  update(text: string, fraction?: number): void;
  /** Ends the line; the last text stays. */
  end(text?: string): void;
}

/** @param label what is being done, e.g. the name of a case. */
export function progressLine(label: string): ProgressLine {
  const live = process.stderr.isTTY;
  let lastStep = -1;
  return {
    update(text, fraction): void {
      if (live) {
        process.stderr.write(`\r\u001b[K${label}: ${text}`);
        return;
      }
      // A log gets a line per quarter of the work.
      const step = fraction === undefined ? -1 : Math.floor(fraction * 4);
      if (step <= lastStep) return;
      lastStep = step;
      note(`${label}: ${text}`);
    },
    end(text): void {
      if (live) process.stderr.write('\r\u001b[K');
      if (text !== undefined) note(`${label}: ${text}`);
    },
  };
}

/** Rows of text in aligned columns; the first row is the heading, numbers are set to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          /^[\d.±\s%×x-]+$/.test(cell) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A word of a command that people copy into a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
