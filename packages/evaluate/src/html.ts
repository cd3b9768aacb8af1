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

/** A table from rows of plain text, the header first; the first `textColumns` columns are left-aligned. */
export function htmlTable(rows: readonly (readonly string[])[], textColumns: number): string {
  const cells = (row: readonly string[], tag: 'th' | 'td'): string =>
    row
      .map((cell, column) => `<${tag}${column < textColumns ? ' class="text"' : ''}>${escapeText(cell)}</${tag}>`)
      .join('');
  const body = rows
    .slice(1)
    .map((row) => `<tr${row[0] === '' ? '' : ' class="first"'}>${cells(row, 'td')}</tr>`)
    .join('\n');
  return `<div class="scroll"><table><thead><tr>${cells(rows[0], 'th')}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

/** `data:image/png;base64,…` of PNG bytes. */
export function pngDataUri(bytes: Uint8Array): string {
  let binary = '';
  // Chunks, because a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:image/png;base64,${btoa(binary)}`;
}
