/** Preparing cases into the cache, one after the other. */
import { assumptionsOf, type ScanConsent } from '@quickcolumn/cases';
import {
  type CachedScan,
  type CaseFiles,
  prepareCached,
  preparedKey,
  type PreparationConfig,
} from '@quickcolumn/pipeline';
import type { JobContext } from '../context.js';

export interface PrepareOptions<T> {
  readonly cacheDir: string;
  /** What the user lets pass and assumes. */
  readonly consent: ScanConsent;
  /** What a case is called in events; default its name. */
  readonly shownName?: (files: T) => string;
  /** Gets each prepared case, so that the caller decides what stays in memory. */
  readonly onCase: (scan: CachedScan, files: T, seconds: number) => void | Promise<void>;
}

/** The cases with the keys of what they hold. @throws FileError; `interrupted` */
export async function keyedCases<T extends CaseFiles>(
  cases: readonly T[],
  config: PreparationConfig,
  { consent, shownName = ({ name }) => name }: Pick<PrepareOptions<T>, 'consent' | 'shownName'>,
  context: JobContext,
): Promise<(T & { readonly key: string })[]> {
  const task = context.begin('read data');
  try {
    const keyed: (T & { readonly key: string })[] = [];
    for (const files of cases) {
      context.throwIfInterrupted();
      task.update(`${shownName(files)} (${keyed.length + 1} of ${cases.length})`, keyed.length, cases.length);
      keyed.push({ ...files, key: await preparedKey(files, config, assumptionsOf(consent)) });
    }
    return keyed;
  } finally {
    task.end();
  }
}

/** @throws the readers' and the preparation's errors; `interrupted` */
export async function prepareCases<T extends CaseFiles>(
  cases: readonly T[],
  config: PreparationConfig,
  { cacheDir, consent, shownName = ({ name }) => name, onCase }: PrepareOptions<T>,
  context: JobContext,
): Promise<void> {
  const task = context.begin('prepare');
  let done = 0;
  try {
    for (const files of cases) {
      context.throwIfInterrupted();
      const start = performance.now();
      const name = shownName(files);
      const scan = await prepareCached(cacheDir, files, config, {
        accept: consent.accept,
        assume: assumptionsOf(consent),
        onProgress: ({ stage, reason }) => {
          if (reason !== undefined) context.note(`prepare: ${name}: ${reason}`);
          task.update(`${name} (${done + 1} of ${cases.length}): ${stage}`, done, cases.length);
        },
      });
      for (const text of scan.notes) context.note(`${name}: ${text}`);
      await onCase(scan, files, (performance.now() - start) / 1000);
      done++;
    }
  } finally {
    task.end();
  }
}
