/**
 * The header of a NRRD file as a table of its fields. Source: "Definition of NRRD File Format",
 * teem.sourceforge.net/nrrd/format.html, sections 2 to 4.
 *
 * Trap: a field may be written with or without blanks in its name (`space origin`, `spaceorigin`) and in any case, so
 * names are compared without them.
 */
import { NrrdError } from './error.js';
import { linesOf, quoted } from '../headers/text-header.js';

/** Fields by their name without blanks, and what follows the header. */
export interface NrrdFields {
  readonly values: ReadonlyMap<string, string>;
  /** Lines after `data file: LIST`: names of data files. */
  readonly listed?: readonly string[];
  /** Bytes of the header with its blank line. */
  readonly bytes: number;
  /** Whether a blank line ends it; without one nothing can follow. */
  readonly closed: boolean;
}

const magic = /^NRRD000\d$/;

/** True when the header in this text is complete. */
export function hasNrrdHeader(text: string): boolean {
  return /\r?\n\r?\n/.test(text);
}

/** Splits a header into its fields. `name` stands in the messages. Throws NrrdError. */
export function parseNrrdFields(text: string, name: string): NrrdFields {
  const values = new Map<string, string>();
  let bytes = 0;
  let first = true;
  for (const { line, next } of linesOf(text)) {
    bytes = next;
    if (first) {
      checkMagic(line, name);
      first = false;
      continue;
    }
    if (line === '') return { values, bytes, closed: true };
    if (line.startsWith('#')) continue;
    const separator = /: ?|:=/.exec(line);
    if (separator === null) {
      throw new NrrdError(name, 'header', `${quoted(line)} is neither a field nor a comment; the file is damaged`);
    }
    // `key:=value` is the user's own business.
    if (line.startsWith(':=', separator.index)) continue;
    const field = line.slice(0, separator.index).replaceAll(/\s/g, '').toLowerCase();
    const value = line.slice(separator.index + separator[0].length).trim();
    if (values.has(field)) throw new NrrdError(name, line.slice(0, separator.index), 'stands twice in the header');
    values.set(field, value);
    // The list of files runs to the end of the header file; no blank line closes it.
    if (field === 'datafile' && /^LIST(\s|$)/.test(value)) {
      const listed = [...linesOf(text.slice(next))].map((entry) => entry.line.trim()).filter((entry) => entry !== '');
      return { values, listed, bytes: text.length, closed: false };
    }
  }
  if (first) throw new NrrdError(name, 'file', 'the file is empty');
  return { values, bytes, closed: false };
}

function checkMagic(line: string, name: string): void {
  if (magic.test(line.trimEnd())) return;
  throw new NrrdError(name, 'magic', `${quoted(line)} is not NRRD0001 to NRRD0005: not a NRRD file`);
}
