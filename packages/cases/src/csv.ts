/**
 * Comma-separated values (RFC 4180). By hand and not by a pattern, which runs out of stack on cells of megabytes.
 */
import { DatasetError } from './dataset-error.js';

/**
 * Records of cells with the line that each began on; quotes may hold commas, line ends and doubled quotes.
 * @throws DatasetError for a quote that is stray or not closed; `path` is what it calls the text
 */
export function parseCsv(text: string, path: string): { cells: string[]; line: number }[] {
  const records: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let line = 1;
  let started = 1;
  const stray = (): DatasetError =>
    new DatasetError(`${path}: line ${started}: a quote that is not closed, or stray`, { path });
  for (let at = 0; at < text.length; ) {
    let cell: string;
    if (text[at] === '"') {
      let end = text.indexOf('"', at + 1);
      while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
      if (end < 0) throw stray();
      const quoted = text.slice(at + 1, end);
      cell = quoted.replaceAll('""', '"');
      line += quoted.split('\n').length - 1;
      at = end + 1;
    } else {
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '"') at++;
      cell = text.slice(from, at);
    }
    if (text.startsWith('\r\n', at)) at++;
    if (cell.endsWith('\r')) cell = cell.slice(0, -1);
    cells.push(cell);
    if (text[at] === ',') {
      at++;
      // A comma at the very end is followed by one more, empty cell.
      if (at < text.length) continue;
      cells.push('');
    } else if (text[at] === '\n') {
      at++;
      line++;
    } else if (at < text.length) throw stray();
    records.push({ cells, line: started });
    cells = [];
    started = line;
  }
  return records;
}
