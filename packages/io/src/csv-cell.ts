/**
 * Cells of comma-separated files (RFC 4180). Names come from others, and spreadsheets take a cell that begins with `=`, `+`,
 * `-` or `@` for a formula (OWASP, "CSV Injection"): such a text gets an apostrophe before it, which `plainCell` takes away
 * again. Numbers stay numbers.
 */

/** Also behind apostrophes, so that the way back is exact; spreadsheets look behind spaces and tabs, too. */
const formula = /^'*\s*[=+\-@]/;

/** A cell as it stands in a file; null is an empty one. */
export function csvCell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text that `csvCell` was given, of a cell without its quotes. */
export function plainCell(cell: string): string {
  return cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell;
}
