import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migrate, type MigrationStep, parseRecord } from './migrate.js';

const fail = (problem: string): Error => new Error(`file: ${problem}`);
/** Version 2 calls `a` `b`, version 3 doubles it. */
const steps: readonly MigrationStep[] = [
  ({ a, ...rest }) => ({ ...rest, b: a }),
  ({ b, ...rest }) => ({ ...rest, b: 2 * Number(b) }),
];

describe('migrate', () => {
  it('does every step from the version of the record on, in order', () => {
    expect(migrate({ a: 1, other: 0 }, steps, fail)).toEqual({ version: 3, other: 0, b: 2 });
    expect(migrate({ version: 1, a: 1 }, steps, fail)).toEqual({ version: 3, b: 2 });
    expect(migrate({ version: 2, b: 1 }, steps, fail)).toEqual({ version: 3, b: 2 });
    expect(migrate({ version: 3, b: 1 }, steps, fail)).toEqual({ version: 3, b: 1 });
  });

  it('changes nothing that it was given, and is done once', () => {
    const record = Object.freeze({ a: 1 });
    const once = migrate(record, steps, fail);
    expect(migrate(once, steps, fail)).toEqual(once);
    expect(record).toEqual({ a: 1 });
  });

  it('refuses a newer version and what is none', () => {
    expect(() => migrate({ version: 4 }, steps, fail)).toThrow(
      'file: made by a newer version of quickcolumn (format 4, this one reads up to 3); update quickcolumn',
    );
    for (const version of [0, 1.5, '3', null]) {
      expect(() => migrate({ version }, steps, fail)).toThrow(`${JSON.stringify(version)} is not a version; use 3`);
    }
  });
});

describe('parseRecord', () => {
  const format = { schema: z.strictObject({ version: z.literal(3), b: z.number() }), steps };
  const failing = (problem = 'damaged', cause?: unknown): Error => new Error(problem, { cause });

  it('brings a record to the current version before it is checked', () => {
    expect(parseRecord('{"a": 4}', format, failing)).toEqual({ version: 3, b: 8 });
  });

  it.each(['{', '[]', 'null', '{"version": 3}', '{"a": 1, "c": 2}'])('calls %s damaged', (text) => {
    expect(() => parseRecord(text, format, failing)).toThrow('damaged');
  });

  it('tells a newer record from a damaged one', () => {
    expect(() => parseRecord('{"version": 9}', format, failing)).toThrow('newer version');
  });
});
