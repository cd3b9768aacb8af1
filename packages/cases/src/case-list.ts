/**
 * A dataset as a list: one row a case with its image, its label map and its patient, in a CSV (RFC 4180) or JSON file.
 * Paths are relative to the list, so that a folder with its list can be moved.
 *
 * Columns: `image` (needed), `label`, `patient`, `name`, `split`; further ones are ignored. Without `patient` the name
 * tells (see patientOf). `split` is `train` (the default: the configuration divides these into training and validation),
 * `train-only` (never validated on, such as labels that a model made), `validation` (always and alone validated on) or
 * `test` (never trained on; needs no label).
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { csvCell, plainCell, volumeExtensions, volumeName } from '@quickcolumn/io';
import { parseCsv } from './csv.js';
import { DatasetError } from './dataset-error.js';
import { type PatientMap, patientOf } from './patient.js';

/** One row; paths are absolute. */
export interface ListedCase {
  readonly name: string;
  readonly imagePath: string;
  readonly labelPath?: string;
  readonly patient: string;
  readonly split: CaseSplit;
}

const splits = ['train', 'train-only', 'validation', 'test'] as const;

/** What a row may be used for. */
export type CaseSplit = (typeof splits)[number];

const columns = ['name', 'image', 'label', 'patient', 'split'] as const;
type Row = Partial<Record<(typeof columns)[number], string>>;

/** File systems allow 255 bytes, and results have endings. */
const longestName = 200;

/** A list of a million cases; a larger file is something else. */
const largestListBytes = 64 * 2 ** 20;

/**
 * Reads a list, sorted by name unless its own order is asked for. Files are not looked at.
 * @throws DatasetError when the list cannot be read or a row is wrong, naming file, row and column
 */
export async function readCaseList(
  path: string,
  options: { readonly patients?: PatientMap; readonly order?: 'name' | 'given' } = {},
): Promise<ListedCase[]> {
  const { patients = {}, order = 'name' } = options;
  const text = await readText(path);
  const rows = /\.json$/i.test(path) ? rowsOfJson(text, path) : rowsOfCsv(text, path);
  if (rows.length === 0) throw new DatasetError(`${path}: no case in this list`, { path });
  const folder = dirname(resolve(path));
  const places = new Map<string, string>();
  const cases = rows.map(({ row, place }): ListedCase => {
    const { image = '', label = '', split = 'train' } = row;
    const fail = (column: string, problem: string): DatasetError =>
      new DatasetError(`${path}: ${place}: ${column}: ${problem}`, { path, place, column });
    if (image === '') throw fail('image', 'is empty; expected the path of a scan');
    const fromFile = volumeName(image);
    if (fromFile === undefined) throw fail('image', `${image} is no ${volumeExtensions} file`);
    if (label !== '' && volumeName(label) === undefined) throw fail('label', `${label} is no ${volumeExtensions} file`);
    if (!isSplit(split)) throw fail('split', `${split} is not known; use one of ${splits.join(', ')}`);
    const name = row.name ?? fromFile;
    // Names become file names.
    if (!/^[^/\\\0]+$/.test(name) || name.startsWith('.')) {
      throw fail('name', `${JSON.stringify(name)} cannot be part of a file name`);
    }
    if (name.length > longestName) throw fail('name', `has ${name.length} characters; expected at most ${longestName}`);
    if (row.patient !== undefined && row.patient.length > longestName) {
      throw fail('patient', `has ${row.patient.length} characters; expected at most ${longestName}`);
    }
    const other = places.get(name);
    if (other !== undefined) throw fail('name', `${name} is the name in ${other} too; give each case its own`);
    places.set(name, place);
    const patient =
      row.patient === undefined ? patientOf(name, patients) : patientOf(name, { [name]: row.patient, ...patients });
    const labelPath = label === '' ? undefined : resolve(folder, label);
    return { name, imagePath: resolve(folder, image), ...(labelPath && { labelPath }), patient, split };
  });
  const stray = Object.keys(patients).filter((name) => !places.has(name));
  if (stray.length > 0) throw new DatasetError(`patients: ${stray.join(', ')} is not a case of ${path}`, { path });
  return order === 'given' ? cases : cases.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const isSplit = (text: string): text is CaseSplit => splits.some((known) => known === text);

/** The text of a CSV list that lies in `folder`; files below it are named relative to it. */
export function formatCaseList(cases: readonly ListedCase[], folder: string): string {
  const place = (path: string): string => {
    const way = relative(folder, path);
    // Another disk, on Windows: there is no relative way.
    return isAbsolute(way) ? way : way.split(sep).join('/');
  };
  const lines = cases.map(({ name, imagePath, labelPath, patient, split }) =>
    [name, place(imagePath), labelPath === undefined ? '' : place(labelPath), patient, split].map(csvCell).join(','),
  );
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

/** The cases of a list that may be trained on. @throws DatasetError for what would spoil a training. */
export function trainingCases(
  cases: readonly ListedCase[],
  path: string,
): (ListedCase & { readonly labelPath: string })[] {
  return casesBesideTests(cases, path, ({ name, labelPath, ...entry }) => {
    if (labelPath !== undefined) return { ...entry, name, labelPath };
    throw new DatasetError(`${path}: ${name} has no label; add one or split test`, { path });
  });
}

/** The same where scans without labels are learned from, too; they are never validated on. @throws DatasetError */
export function casesToDistill(cases: readonly ListedCase[], path: string): ListedCase[] {
  return casesBesideTests(cases, path, (entry) => {
    if (entry.labelPath !== undefined) return entry;
    if (entry.split !== 'validation') return { ...entry, split: 'train-only' };
    throw new DatasetError(
      `${path}: ${entry.name} is of the split validation and has no label; add one or split train`,
      {
        path,
      },
    );
  });
}

/** @param use what becomes of each case; throws for one that cannot be trained on */
function casesBesideTests<T>(cases: readonly ListedCase[], path: string, use: (entry: ListedCase) => T): T[] {
  const held = new Set(cases.filter(({ split }) => split === 'test').map(({ patient }) => patient));
  const train = cases.filter(({ split }) => split !== 'test');
  if (train.length === 0) throw new DatasetError(`${path}: every case is of the split test; none is left`, { path });
  return train.map((entry) => {
    const { name, patient } = entry;
    const used = use(entry);
    if (held.has(patient)) {
      throw new DatasetError(
        `${path}: patient ${patient} is in ${entry.split} (${name}) and in test; move all or none`,
        {
          path,
        },
      );
    }
    return used;
  });
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= largestListBytes) return await readFile(path, 'utf8');
  } catch (cause) {
    const expected = `expected a CSV or JSON list with the columns ${columns.join(', ')}`;
    throw new DatasetError(
      `${path}: cannot read this list (${(cause as Error).message}); ${expected}`,
      { path },
      { cause },
    );
  }
  throw new DatasetError(`${path}: larger than ${largestListBytes} bytes; this is no list of cases`, { path });
}

interface PlacedRow {
  readonly row: Row;
  /** 'line 3' or 'entry 2'. */
  readonly place: string;
}

function rowsOfCsv(text: string, path: string): PlacedRow[] {
  // A byte-order mark is what spreadsheets put first.
  const [head, ...records] = parseCsv(text.replace(/^\uFEFF/, ''), path);
  if (head === undefined) return [];
  const names = head.cells.map((cell) => cell.trim().toLowerCase());
  if (!names.includes('image')) {
    throw new DatasetError(`${path}: line 1: no column image; expected a heading such as ${columns.join(',')}`, {
      path,
    });
  }
  for (const column of columns) {
    if (names.indexOf(column) === names.lastIndexOf(column)) continue;
    throw new DatasetError(`${path}: line 1: the column ${column} stands twice`, { path });
  }
  return records
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''))
    .map(({ cells, line }) => {
      if (cells.length > names.length) {
        throw new DatasetError(`${path}: line ${line}: ${cells.length} cells under ${names.length} columns`, { path });
      }
      const row: Row = {};
      for (const column of columns) {
        const cell = plainCell(cells[names.indexOf(column)]?.trim() ?? '');
        if (cell !== '') row[column] = cell;
      }
      return { row, place: `line ${line}` };
    });
}

function rowsOfJson(text: string, path: string): PlacedRow[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(`${path}: not JSON: ${(cause as Error).message}`, { path }, { cause });
  }
  if (!Array.isArray(value))
    throw new DatasetError(`${path}: expected a list of objects with image and label`, { path });
  return value.map((entry: unknown, index) => {
    const place = `entry ${index + 1}`;
    const row: Row = {};
    for (const column of columns) {
      const cell = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>)[column] : undefined;
      if (cell === undefined || cell === null || cell === '') continue;
      if (typeof cell !== 'string') throw new DatasetError(`${path}: ${place}: ${column}: expected a text`, { path });
      row[column] = cell;
    }
    return { row, place };
  });
}
