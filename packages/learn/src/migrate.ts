/**
 * Records that outlive the program that wrote them carry a `version`. A record of an older version is brought to the
 * current one step by step, before anything else looks at it; one of a newer version is refused.
 */
import { z } from 'zod';

export type PlainRecord = Readonly<Record<string, unknown>>;

/** Makes the record of the next version out of one version's; pure. Neither has the key `version`. */
export type MigrationStep = (older: PlainRecord) => PlainRecord;

/**
 * The record in the current version, which is one more than the number of steps.
 *
 * @param record without `version` it is of version 1, from before records said it
 * @param steps the first makes version 2 of version 1
 * @param fail makes the error for a version that is none or newer
 */
export function migrate(
  record: PlainRecord,
  steps: readonly MigrationStep[],
  fail: (problem: string) => Error,
): PlainRecord & { readonly version: number } {
  const { version = 1, ...content } = record;
  const current = steps.length + 1;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw fail(`${JSON.stringify(version)} is not a version; use ${current}`);
  }
  if (version > current) {
    throw fail(
      `made by a newer version of quickcolumn (format ${version}, this one reads up to ${current}); update quickcolumn`,
    );
  }
  const migrated = steps.slice(version - 1).reduce<PlainRecord>((older, step) => step(older), content);
  return { version: current, ...migrated };
}

export interface RecordFormat<T> {
  /** Of the current version. */
  readonly schema: z.ZodType<T>;
  /** To the current version, as `migrate` takes them. */
  readonly steps: readonly MigrationStep[];
}

export const versionOf = ({ steps }: Pick<RecordFormat<unknown>, 'steps'>): number => steps.length + 1;

const plainRecord: z.ZodType<PlainRecord> = z.record(z.string(), z.unknown());

/**
 * A record of any version from its JSON.
 * @param fail makes the error: with a problem for a version, without one for text that is no such record
 */
export function parseRecord<T>(
  text: string,
  { schema, steps }: RecordFormat<T>,
  fail: (problem?: string, cause?: unknown) => Error,
): T {
  const orFail = <R>(parse: () => R): R => {
    try {
      return parse();
    } catch (cause) {
      throw fail(undefined, cause);
    }
  };
  const current = migrate(
    orFail(() => plainRecord.parse(JSON.parse(text))),
    steps,
    fail,
  );
  return orFail(() => schema.parse(current));
}
