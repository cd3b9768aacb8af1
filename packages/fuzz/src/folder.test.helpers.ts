/** A temporary folder for the files of a test, and what reading one of them throws. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export interface TestFolder {
  /** Writes a file of these parts; returns its path. */
  readonly put: (name: string, ...parts: readonly (Uint8Array | string)[]) => string;
  /** The error, or 'read' where there is none. */
  readonly failure: (promise: Promise<unknown>) => Promise<unknown>;
}

/** Made before the tests of a file and removed after them. */
export function useFolder(): TestFolder {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'quickcolumn-fuzz-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    put(name, ...parts) {
      const path = join(folder, name);
      writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
      return path;
    },
    failure: async (promise) =>
      await promise.then(
        () => 'read',
        (error: unknown) => error,
      ),
  };
}
