/**
 * Turns schema violations into sentences a user can act on: where, what came, what was expected, what to write.
 *
 * Example: `config.yaml: train.patch[2]: 30 is not a multiple of 16; use 32`.
 * Zod reports codes and paths but not the received value, so the value is looked up again in the input.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { z } from 'zod';

/** One thing wrong in a configuration; `path` as a user writes it, e.g. `train.patch[2]`. */
export interface ConfigIssue {
  readonly path: string;
  readonly message: string;
}

/** A configuration that does not fit; the message has one line per issue, each beginning with the source's name. */
export class ConfigError extends QuickcolumnError {
  readonly source: string;
  readonly issues: readonly ConfigIssue[];

  constructor(source: string, issues: readonly ConfigIssue[]) {
    const lines = issues.map(({ path, message }) => [source, path, message].filter((part) => part !== '').join(': '));
    super('config', lines.join('\n'), { source, paths: issues.map((issue) => issue.path).join(' ') });
    this.source = source;
    this.issues = issues;
  }
}

type Path = readonly PropertyKey[];

/** Zod's issues as sentences. `input` is what was parsed, `template` a complete valid object for "did you mean". */
export function describeIssues(error: z.ZodError, input: unknown, template: unknown): ConfigIssue[] {
  return error.issues.flatMap((issue): ConfigIssue[] => {
    const path = formatPath(issue.path);
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(asRecord(valueAt(template, issue.path)));
      return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: unknownKey(key, known) }));
    }
    return [{ path, message: describe(issue, valueAt(input, issue.path)) }];
  });
}

function describe(issue: z.core.$ZodIssue, value: unknown): string {
  const came = show(value);
  switch (issue.code) {
    case 'invalid_type': {
      const expected = expectedNames[issue.expected] ?? `a ${issue.expected}`;
      return value === undefined ? `is missing; expected ${expected}` : `${came} is not ${expected}`;
    }
    case 'not_multiple_of': {
      const next = Math.max(1, Math.ceil(Number(value) / issue.divisor)) * issue.divisor;
      return `${came} is not a multiple of ${issue.divisor}; use ${next}`;
    }
    case 'too_small':
      return bound(issue.origin, came, 'small', issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, came, 'large', issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_value':
      return oneOf(came, value, issue.values);
    case 'invalid_union': {
      const options: unknown = (issue as { options?: unknown }).options;
      return Array.isArray(options) ? oneOf(came, value, options) : `${came} is not valid here`;
    }
    default:
      return issue.message;
  }
}

const expectedNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'a group of keys',
  array: 'a list',
  tuple: 'a list',
};

function bound(origin: string, came: string, tooWhat: string, relation: string, limit: number | bigint): string {
  if (origin === 'array') return `has the wrong length; use ${relation} ${limit} entries`;
  if (origin === 'string') return `${came} is too ${tooWhat === 'small' ? 'short' : 'long'}`;
  return `${came} is too ${tooWhat}; use ${relation} ${limit}`;
}

function oneOf(came: string, value: unknown, options: readonly unknown[]): string {
  // An optional key has undefined among its options; that is not something to write.
  const list = options
    .filter((option) => option !== undefined)
    .map((option) => show(option))
    .join(', ');
  return value === undefined ? `is missing; use one of ${list}` : `${came} is not known; use one of ${list}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = known.filter((name) => editDistance(name.toLowerCase(), key.toLowerCase()) <= 2);
  if (near.length > 0) return `unknown key; did you mean ${near.join(' or ')}?`;
  return known.length > 0 ? `unknown key; known keys are ${known.join(', ')}` : 'unknown key; remove it';
}

/** Levenshtein distance; both words are short. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => asRecord(value)[String(key)], root);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
