/** Preparing cases into the cache with a progress line; shared by `prepare`, `train` and `demo`. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CachedScan, type CaseFiles, prepareCached, type PreparationConfig } from '@quickcolumn/pipeline';
import { throwIfInterrupted } from './interrupt.js';
import { note, progressLine } from './terminal.js';

/** $QUICKCOLUMN_CACHE, else quickcolumn/ in the user's cache folder. */
export function defaultCache(): string {
  const { QUICKCOLUMN_CACHE, XDG_CACHE_HOME } = process.env;
  return QUICKCOLUMN_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'quickcolumn');
}

/** Prepares the cases one by one and hands each over, so that the caller decides what stays in memory. */
export async function prepareCases<T extends CaseFiles>(
  cases: readonly T[],
  config: PreparationConfig,
  options: {
    cacheDir: string;
    /** What a case is called on the terminal; default its name. */
    shownName?: (files: T) => string;
    onCase: (scan: CachedScan, files: T, seconds: number) => void;
  },
): Promise<void> {
  const line = progressLine('prepare');
  let done = 0;
  try {
    for (const files of cases) {
      throwIfInterrupted();
      const start = performance.now();
      const name = options.shownName?.(files) ?? files.name;
      const scan = await prepareCached(options.cacheDir, files, config, ({ stage, reason }) => {
        if (reason !== undefined) note(`prepare: ${name}: ${reason}`);
        line.update(`${name} (${done + 1} of ${cases.length}): ${stage}`, done / cases.length);
      });
      options.onCase(scan, files, (performance.now() - start) / 1000);
      done++;
    }
  } finally {
    line.end();
  }
}
