/** The few HTML helpers of the report: escaping, tables, data URIs. All text from outside passes through escapeText. */

const replacements: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '\t',
  '\n': '\n',
  '\r': '\r',
};

const special = /[&<>"'\p{Cc}]/gu;

/** Escapes text for element content and quoted attributes; control characters other than white space are dropped. */
export function escapeText(text: string): string {
  return text.replace(special, (character) => replacements[character] ?? '');
}

/** A cell with more than a text. */
export interface HtmlCell {
  readonly text: string;
  /** A second, smaller line. */
  readonly note?: string;
  readonly strong?: boolean;
}

export interface TableOptions {
  /** Plain text above the table. */
  readonly caption?: string;
  /** Many columns: smaller, and texts may break. */
  readonly dense?: boolean;
  /** Class names of the rows below the header, by their index. */
  readonly rowClass?: (index: number) => string | undefined;
}

/** A table from rows of plain text, the header first; the first `textColumns` columns are left-aligned. */
export function htmlTable(
  rows: readonly (readonly (string | HtmlCell)[])[],
  textColumns: number,
  options: TableOptions = {},
): string {
  const cells = (row: readonly (string | HtmlCell)[], tag: 'th' | 'td'): string =>
    row
      .map((cell, column) => `<${tag}${column < textColumns ? ' class="text"' : ''}>${cellContent(cell)}</${tag}>`)
      .join('');
  const body = rows
    .slice(1)
    .map((row, index) => {
      const classes = [row[0] === '' ? '' : 'first', options.rowClass?.(index) ?? ''].filter((name) => name !== '');
      return `<tr${classes.length > 0 ? ` class="${classes.join(' ')}"` : ''}>${cells(row, 'td')}</tr>`;
    })
    .join('\n');
  const caption = options.caption === undefined ? '' : `<caption>${escapeText(options.caption)}</caption>`;
  return `<div class="scroll"><table${options.dense ? ' class="dense"' : ''}>${caption}<thead><tr>${cells(rows[0], 'th')}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

function cellContent(cell: string | HtmlCell): string {
  if (typeof cell === 'string') return escapeText(cell);
  const text = cell.strong ? `<strong>${escapeText(cell.text)}</strong>` : escapeText(cell.text);
  return cell.note === undefined ? text : `${text}<small>${escapeText(cell.note)}</small>`;
}

/** `data:image/png;base64,…` of PNG bytes. */
export function pngDataUri(bytes: Uint8Array): string {
  let binary = '';
  // Chunks, because a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:image/png;base64,${btoa(binary)}`;
}
