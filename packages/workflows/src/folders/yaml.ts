/** Configuration files as YAML: reading as plain data, and writing so that short lists stay on one line. */
import { readFile, stat } from 'node:fs/promises';
import type { TrainConfig } from '@quickcolumn/learn';
import { isScalar, parse, Document, isSeq, visit } from 'yaml';
import { QuickcolumnError } from '@quickcolumn/errors';
import { InputError } from '../scans/scan-files.js';

const header = ` A complete quickcolumn training configuration. Paths are relative to this file.
 Run it with: quickcolumn train --config FILE --out RUN`;

/** YAML text of a configuration, ending in a newline. */
export function toYaml(config: TrainConfig): string;
/** YAML text of anything plain, under a comment of its own. */
export function toYaml(value: object, comment: string): string;
export function toYaml(config: object, comment = header): string {
  // Without aliases each group can be edited by itself.
  const document = new Document(config, { aliasDuplicateObjects: false });
  document.commentBefore = comment;
  visit(document, {
    Seq(_, node) {
      if (isSeq(node) && node.items.every((item) => isScalar(item))) node.flow = true;
    },
  });
  return document.toString({ flowCollectionPadding: false, lineWidth: 120 });
}

/** Far above any configuration; a larger file is something else. */
const largestFileBytes = 2 ** 20;
const deepest = 32;
const mostValues = 100_000;

/** Reads YAML as plain data. @throws InputError when unreadable, code `config` for text that is not YAML. */
export async function readYaml(path: string): Promise<unknown> {
  const text = await readText(path);
  let value: unknown;
  try {
    // Warnings about odd tags would go to the console; what matters of them shows in the checks that follow.
    value = parse(text, { logLevel: 'error' });
  } catch (cause) {
    throw new QuickcolumnError('config', `${path}: not valid YAML: ${(cause as Error).message}`, { path }, { cause });
  }
  const problem = plainProblem(value);
  if (problem !== undefined) throw new QuickcolumnError('config', `${path}: ${problem}`, { path });
  return value;
}

async function readText(path: string): Promise<string> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new InputError(`${path}: not a regular file; expected a configuration`, { path });
    if (stats.size <= largestFileBytes) return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`${path}: cannot read the configuration (${(cause as Error).message})`, { path }, { cause });
  }
  throw new QuickcolumnError('config', `${path}: larger than ${largestFileBytes} bytes; this is no configuration`, {
    path,
  });
}

/** Aliases (`*name`) can make groups that hold themselves, or a few lines that stand for millions of values. */
function plainProblem(root: unknown): string | undefined {
  let values = 0;
  const visitValue = (value: unknown, depth: number): string | undefined => {
    if (++values > mostValues) return `more than ${mostValues} values; this is no configuration`;
    if (typeof value !== 'object' || value === null) return undefined;
    if (depth > deepest) return `groups are nested more than ${deepest} deep, or a group holds itself (by an alias)`;
    for (const part of Object.values(value)) {
      const problem = visitValue(part, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  return visitValue(root, 0);
}
