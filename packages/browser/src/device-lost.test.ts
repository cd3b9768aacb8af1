/** A real device of Chromium that is lost in the middle of a scan: through worker and page, and in the example's page. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageEntries } from './bundle/bundle.js';
import { openTestPage, type TestPage } from './chromium.test.helpers.js';
import type * as Package from './index.js';
import { makeQuickModel } from './model.test.helpers.js';

/** In pages only (test-page/load.js). */
declare const load: <T>(name: string) => Promise<T>;

const givenUp =
  /^WebGPU was given up: the graphics device was lost \(a card: .*\); ONNX Runtime .* as WebAssembly on \d+ threads?$/;

describe('a device that is lost in Chromium', needs('Chromium'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'quickcolumn-device-lost-'));
  let test: TestPage;
  beforeAll(async () => {
    await makeQuickModel(folder);
    const dist = join(import.meta.dirname, '../dist');
    const entries = {
      ...packageEntries,
      worker: join(dist, 'lost-device-worker.test.helpers.js'),
      example: join(dist, 'example/page.js'),
    };
    const folders = {
      '/': join(import.meta.dirname, '../example'),
      '/test/': join(import.meta.dirname, '../test-page'),
      '/data/': folder,
    };
    test = await openTestPage(entries, folders);
    await test.page.addScriptTag({ url: '/test/load.js' });
  });
  afterAll(async () => {
    await test?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Predicts the same scan several times with one predictor. */
  async function predictions(
    runtime: 'auto' | 'webgpu' | 'wasm',
    count: number,
  ): Promise<{ runtime: string; reason: string; before: string; after: string; labels: string; stages: string }[]> {
    return await test.page.evaluate(
      async (wanted) => {
        const { createPredictor } = await load<typeof Package>('quickcolumn');
        const model = new URL('/data/model.onnx', location.href);
        const predictor = await createPredictor({ model, runtime: wanted.runtime });
        const scan = new File([await (await fetch('/data/scan.nii.gz')).blob()], 'scan.nii.gz');
        const results = [];
        for (let i = 0; i < wanted.count; i++) {
          const before = predictor.info.reason;
          const seen = new Set<string>();
          const onProgress = (progress: Package.PredictProgress): void =>
            void seen.add(`${progress.runtime} ${progress.stage}`);
          const result = await predictor.predict(scan, { onProgress }).then(
            ({ runtime: used, reason, labels }) => ({ runtime: used, reason, labels: labels.voxels.join('') }),
            (error: Error & { fields: { reason?: string } }) => ({
              runtime: String(error.fields.reason),
              reason: error.message,
              labels: '',
            }),
          );
          results.push({ ...result, before, after: predictor.info.reason, stages: [...seen].join() });
        }
        predictor.dispose();
        return results;
      },
      { runtime, count },
    );
  }

  const onWasm = 'wasm read,wasm prepare,wasm windows,wasm restore,wasm write';

  it('is given up where auto chose it: the scan begins anew on WebAssembly, later ones stay there', async () => {
    const [wasm] = await predictions('wasm', 1);
    const [first, second] = await predictions('auto', 2);
    expect(first).toMatchObject({
      runtime: 'wasm',
      reason: expect.stringMatching(givenUp),
      before: expect.stringMatching(/^WebGPU on a card, float32 \(a graphics card\)$/),
      after: first.reason,
      stages: `webgpu read,webgpu prepare,webgpu windows,${onWasm}`,
    });
    expect(first.labels === wasm.labels, 'the mask of WebAssembly').toBe(true);
    expect(second).toMatchObject({ runtime: 'wasm', reason: first.reason, before: first.reason, stages: onWasm });
    expect(second.labels === wasm.labels, 'the mask of WebAssembly').toBe(true);
  });

  it('fails the request where it was asked for by name, and the next one gets a new device', async () => {
    const [first, second] = await predictions('webgpu', 2);
    expect(first).toMatchObject({
      runtime: 'device-lost',
      reason: expect.stringMatching(/^the graphics device was lost \(a card: /),
      stages: 'webgpu read,webgpu prepare,webgpu windows',
    });
    expect(second).toMatchObject({ runtime: 'webgpu', reason: 'WebGPU on a card, float32 (as asked)' });
    expect(second.labels.length).toBeGreaterThan(1000);
  });

  it('is shown by the example', async () => {
    const { page } = test;
    await page.setInputFiles('#model', join(folder, 'model.onnx'));
    await page.setInputFiles('#scan', join(folder, 'scan.nii.gz'));
    await page.click('#start');
    await page.getByText(/^done in/).waitFor();
    expect(await page.textContent('#reason')).toMatch(givenUp);
    expect(await page.isVisible('#viewer')).toBe(true);
  });
});
