/** Preparing cases into the cache, one after the other. */
import { assumptionsOf, type ScanConsent } from '@quickcolumn/cases';
import { type CachedScan, type CaseFiles, prepareCached, type PreparationConfig } from '@quickcolumn/pipeline';
import type { JobContext } from '../context.js';

export interface PrepareOptions<T> {
  readonly cacheDir: string;
  /** What the user lets pass and assumes. */
  readonly consent: ScanConsent;
  /** What a case is called in events; default its name. */
  readonly shownName?: (files: T) => string;
  /** Gets each prepared case, so that the caller decides what stays in memory. */
  readonly onCase: (scan: CachedScan, files: T, seconds: number) => void;
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
      onCase(scan, files, (performance.now() - start) / 1000);
      done++;
    }
  } finally {
    task.end();
  }
}
