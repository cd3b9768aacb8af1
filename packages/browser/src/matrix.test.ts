/** The operation × runtime matrix in Chromium: each case of packages/runtimes, in a page, against the float64 reference. */
import { join } from 'node:path';
import type { Runtime } from '@quickcolumn/runtimes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noChromium, openTestPage, type TestPage } from './chromium.test.kit.js';

// Bundled as files: tables and comparison are tests of the other package, and no part of what it exports.
const kit = join(import.meta.dirname, '../../runtimes/dist/matrix.test.helpers.js');
const entries = { matrix: kit, runtime: join(import.meta.dirname, '../dist/open-runtime.js') };

interface MatrixKit {
  readonly allCases: readonly { readonly op: string; readonly title: string }[];
  runAllCases(runtime: Runtime, tolerance: number): Promise<(string | undefined)[]>;
}
const { allCases } = (await import(kit)) as MatrixKit;
/** In pages only (test-page/load.js). */
declare const load: <T>(name: string) => Promise<T>;

const columns = [
  { runtime: 'wasm', tolerance: 1e-4 },
  { runtime: 'webgpu', tolerance: 1e-4 },
] as const;

describe.skipIf(noChromium !== undefined).each(columns)(
  `$runtime in Chromium${noChromium === undefined ? '' : ` (skipped: ${noChromium})`}`,
  ({ runtime, tolerance }) => {
    let test: TestPage;
    let problems: (string | null | undefined)[] = [];
    beforeAll(async () => {
      test = await openTestPage(entries);
      problems = await test.page.evaluate(
        async (settings) => {
          const matrix = await load<MatrixKit>('matrix');
          const { openRuntime } = await load<typeof import('./open-runtime.js')>('runtime');
          const { engine } = await openRuntime({ ...settings, assets: new URL('/bundle/', location.href).href });
          return await matrix.runAllCases(engine, settings.tolerance);
        },
        { runtime, tolerance },
      );
    }, 300_000);
    afterAll(async () => test?.close());

    it('every case was run', () => expect(problems).toHaveLength(allCases.length));
    it.each(allCases.map((one, index) => ({ ...one, index })))('$op $title', ({ index }) => {
      // JSON has no undefined.
      expect(problems[index] ?? undefined).toBeUndefined();
    });
  },
);
