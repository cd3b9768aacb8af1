/** Predictions in Chromium through the bundle that users get: the mask of Node, progress, cancel, reasons and errors. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readLabelsBlobs } from '@quickcolumn/io';
import { has, needs } from '@quickcolumn/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { budgetBytes, packageEntries } from './bundle/bundle.js';
import { openTestPage, type TestPage } from './chromium.test.helpers.js';
import type * as Package from './index.js';
import { extras, kindOfCases, makeModelAndMasks } from './model.test.helpers.js';

/** In pages only (test-page/load.js). */
declare const load: <T>(name: string) => Promise<T>;

/** What a page gives back: the mask as base64, and everything else. */
interface PageResult {
  readonly mask: string;
  readonly prediction: Omit<Package.BrowserPrediction, 'mask' | 'labels'>;
  readonly progress: readonly Package.PredictProgress[];
  readonly turns: number;
  readonly info: Package.ModelInfo;
}

const folder = mkdtempSync(join(tmpdir(), 'quickcolumn-browser-'));
let test: TestPage;

beforeAll(async () => {
  if (!has('Chromium')) return;
  await makeModelAndMasks(folder);
  const scan = readFileSync(join(folder, 'scan.nii.gz'));
  writeFileSync(join(folder, 'cut.nii.gz'), scan.subarray(0, scan.length / 2));
  writeFileSync(join(folder, 'twice.nii.gz'), Buffer.concat([scan, Buffer.from('more')]));
  test = await openTestPage(packageEntries, { '/data/': folder });
});
afterAll(async () => {
  await test?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Predicts in the page, as a user's script does. */
async function predict(
  page: Page,
  runtime: Package.PredictorOptions['runtime'],
  options: Package.ScanOptions = {},
): Promise<PageResult> {
  return await page.evaluate(
    async (settings) => {
      const { createPredictor } = await load<typeof Package>('quickcolumn');
      const predictor = await createPredictor({
        model: new URL('/data/model.onnx', location.href),
        runtime: settings.runtime,
      });
      const scan = await (await fetch('/data/scan.nii.gz')).blob();
      const progress: Package.PredictProgress[] = [];
      // Counts how often the page's own thread was free.
      let turns = 0;
      const clock = setInterval(() => turns++, 1);
      const result = await predictor.predict(new File([scan], 'scan.nii.gz'), {
        ...settings.options,
        onProgress: (event) => progress.push(event),
      });
      clearInterval(clock);
      predictor.dispose();
      const { mask: blob, labels, ...prediction } = result;
      const bytes = new Uint8Array(await blob.arrayBuffer());
      if (labels.voxels.length !== labels.size[0] * labels.size[1] * labels.size[2])
        throw new Error('labels are not whole');
      const mask = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
      return { mask, prediction, progress, turns, info: predictor.info };
    },
    { runtime, options },
  );
}

/** The code and message of what a script in the page throws. */
async function failure(
  settings: {
    readonly model?: string;
    readonly bytes?: string;
    readonly runtime?: Package.PredictorOptions['runtime'];
    readonly scan?: string;
    readonly name?: string;
  },
  page: Page = test.page,
): Promise<{ code: string; message: string; fields: unknown }> {
  return await page.evaluate(async ({ model = '/data/model.onnx', bytes, runtime = 'wasm', scan, name = scan }) => {
    const { createPredictor } = await load<typeof Package>('quickcolumn');
    try {
      const predictor = await createPredictor({
        model: bytes === undefined ? new URL(model, location.href) : new TextEncoder().encode(bytes).buffer,
        runtime,
      });
      try {
        if (scan === undefined || name === undefined) throw new Error('the model was opened');
        const blob = await (await fetch(`/data/${scan}`)).blob();
        await predictor.predict(new File([blob], name));
      } finally {
        predictor.dispose();
      }
    } catch (error) {
      const { code, message, fields } = error as Error & { code: string; fields: unknown };
      return { code, message, fields };
    }
    throw new Error('nothing was refused');
  }, settings);
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, 'base64'));
const labelsOf = async (bytes: Uint8Array<ArrayBuffer>) => await readLabelsBlobs(new File([bytes], 'mask.nii.gz'));

async function expectSameMask(mask: string, nodeFile: string): Promise<void> {
  const node = Uint8Array.from(readFileSync(join(folder, nodeFile)));
  const [own, other] = [await labelsOf(bytesOf(mask)), await labelsOf(node)];
  expect(own.size).toEqual(other.size);
  expect(own.affine).toEqual(other.affine);
  // Kernels add up in another order, so that a tie between two classes may fall otherwise in a few voxels.
  let differences = 0;
  const counts = [0, 1, 2, 3].map(() => ({ own: 0, other: 0, both: 0 }));
  for (let i = 0; i < own.voxels.length; i++) {
    const [a, b] = [own.voxels[i], other.voxels[i]];
    counts[a].own++;
    counts[b].other++;
    if (a === b) counts[a].both++;
    else differences++;
  }
  expect(differences / own.voxels.length).toBeLessThan(1e-4);
  for (const [value, { own: a, other: b, both }] of counts.entries()) {
    if (value === 1 || value === 2) expect(b, `class ${value} is there`).toBeGreaterThan(1000);
    // So little training may leave a handful of voxels in a class: one tie more or less would decide there.
    if (b > 1000) expect((2 * both) / (a + b), `class ${value}`).toBeGreaterThanOrEqual(0.999);
  }
}

describe(`prediction of ${kindOfCases} in Chromium`, needs('Chromium'), () => {
  it('gives the mask of Node and says how it went', async () => {
    const { mask, prediction, progress, turns, info } = await predict(test.page, 'auto', { withScan: false });
    await expectSameMask(mask, 'plain.nii.gz');
    // The header to the bit, but for the description: the command line keeps the scan's.
    const [own, node] = [bytesOf(mask), readFileSync(join(folder, 'plain.nii.gz'))].map((bytes) =>
      gunzipSync(bytes).subarray(0, 352).fill(0, 148, 228),
    );
    expect(own.equals(node)).toBe(true);

    expect(prediction.runtime).toBe('wasm');
    expect(prediction.reason).toMatch(
      /WebAssembly on \d+ threads? \(WebGPU is not used: its adapter, .*swiftshader.*, is software/i,
    );
    expect(info.reason).toBe(prediction.reason);
    expect(info.metadata.network.name).toBe('nnunet3d');
    expect(prediction.sidecar.notice).toMatch(/not a medical device/);
    // One function writes it for both: the same keys, the same model, numbers of (nearly) the same mask.
    const written = JSON.parse(readFileSync(join(folder, 'plain.json'), 'utf8')) as typeof prediction.sidecar;
    const keys = (value: object | undefined): string[] => Object.keys(value ?? {});
    expect(keys(prediction.sidecar)).toEqual(keys(written));
    expect(keys(prediction.sidecar.quantities)).toEqual(keys(written.quantities));
    expect(prediction.sidecar).toMatchObject({ model: written.model, units: written.units, window: written.window });
    expect(prediction.sidecar.program.name).toBe('@quickcolumn/browser');
    expect(prediction.sidecar.runtime).toMatchObject({ name: 'onnx', precision: 'float32' });
    const shares = [prediction.quantities, prediction.sidecar.quantities, written.quantities].map(
      (quantities) => quantities?.infectedShare?.both ?? Number.NaN,
    );
    expect(shares[0]).toBeCloseTo(shares[1], 3);
    expect(shares[1]).toBeCloseTo(shares[2], 2);
    expect(prediction.sidecar.classes.map(({ name }) => name)).toEqual([
      'background',
      'left lung',
      'right lung',
      'infection',
    ]);

    expect([...new Set(progress.map(({ stage }) => stage))]).toEqual([
      'read',
      'prepare',
      'windows',
      'restore',
      'write',
    ]);
    expect(progress.every(({ runtime, reason }) => runtime === 'wasm' && reason === info.reason)).toBe(true);
    const windows = progress.filter(({ stage }) => stage === 'windows');
    expect(windows.map(({ done }) => done)).toEqual(windows.map((_, i) => i + 1));
    expect(windows.at(-1)?.total).toBe(windows.length);
    // The page's thread ran all the while.
    expect(turns).toBeGreaterThan(windows.length);
  });

  it('gives the mask of Node with mirroring, Gaussian windows and post-processing', async () => {
    const { mask, prediction } = await predict(test.page, 'wasm', extras.options);
    await expectSameMask(mask, 'extras.nii.gz');
    expect(prediction.sidecar.options).toMatchObject({ weighting: 'gaussian', mirror: ['x'] });
    expect(prediction.reason).toMatch(/as asked/);
  });

  it('gives the mask of Node with WebGPU, asked for by name', async () => {
    const { mask, prediction, progress } = await predict(test.page, 'webgpu');
    await expectSameMask(mask, 'plain.nii.gz');
    expect(prediction.runtime).toBe('webgpu');
    expect(prediction.reason).toMatch(/^WebGPU on .*swiftshader.*, in software, float32 \(as asked\)$/i);
    expect(progress.filter(({ stage }) => stage === 'windows').length).toBeGreaterThan(1);
  });

  it('without isolating headers has one thread and says why', async () => {
    const plain = await test.openPlain();
    const { mask, prediction } = await predict(plain, 'auto');
    expect(prediction.threads).toBe(1);
    expect(prediction.reason).toMatch(/1 thread .*not cross-origin isolated: .*COOP and COEP/);
    await expectSameMask(mask, 'plain.nii.gz');
    await plain.close();
  });

  it('stops when it is cancelled, and predicts again after that', async () => {
    const { code, later } = await test.page.evaluate(async () => {
      const { createPredictor } = await load<typeof Package>('quickcolumn');
      const model = await (await fetch('/data/model.onnx')).arrayBuffer();
      const predictor = await createPredictor({ model, runtime: 'wasm' });
      const blob = await (await fetch('/data/scan.nii.gz')).blob();
      const scan = new File([blob], 'scan.nii.gz');
      const controller = new AbortController();
      let windows = 0;
      const cancelled = predictor.predict(scan, {
        signal: controller.signal,
        onProgress({ stage }) {
          if (stage === 'windows') windows++;
          if (windows === 1) controller.abort();
        },
      });
      const again = predictor.predict(scan, { withScan: true });
      const problem = await cancelled.then(
        () => 'nothing stopped',
        (error: Error & { code: string }) => error.code,
      );
      const { sidecar, scan: voxels } = await again;
      const waiting = predictor.predict(scan).catch((error: Error & { code: string }) => error.code);
      predictor.dispose();
      return {
        code: problem,
        later: {
          transferred: model.byteLength,
          classes: sidecar.classes.length,
          size: voxels?.size,
          count: voxels?.voxels.length,
          disposed: await waiting,
        },
      };
    });
    expect(code).toBe('interrupted');
    expect(later).toMatchObject({ transferred: 0, classes: 4, disposed: 'interrupted' });
    expect(later.count).toBe(later.size?.reduce((product, length) => product * length, 1));
  });

  it('fetched nothing from elsewhere', () => {
    expect(test.requests.length).toBeGreaterThan(0);
    expect(test.requests.filter((url) => !/^(blob:)?http:\/\/localhost:\d+\//.test(url))).toEqual([]);
  });
});

describe('refusals in Chromium', needs('Chromium'), () => {
  it('not a model', async () => {
    expect(await failure({ bytes: 'no model' })).toMatchObject({ code: 'model' });
  });

  it('a model that is not there, and one of another origin', async () => {
    expect(await failure({ model: '/data/none.onnx' })).toMatchObject({
      code: 'file-read',
      message: expect.stringMatching(/404/),
    });
    expect(await failure({ model: 'http://127.0.0.1:9/model.onnx' })).toMatchObject({ code: 'file-read' });
  });

  it('a scan that is cut short', async () => {
    const error = await failure({ scan: 'cut.nii.gz' });
    expect(error).toMatchObject({ code: 'nifti', fields: { path: 'cut.nii.gz', field: 'gzip' } });
    expect(error.message).toMatch(/end too early \(truncated\)/);
  });

  it('a scan with something behind its compressed data', async () => {
    const error = await failure({ scan: 'twice.nii.gz' });
    expect(error).toMatchObject({ code: 'nifti', fields: { field: 'gzip' } });
    expect(error.message).toMatch(/something follows the end/);
  });

  it('a file of another kind', async () => {
    expect(await failure({ scan: 'model.onnx' })).toMatchObject({ code: 'format', fields: { field: 'file' } });
    expect(await failure({ scan: 'model.onnx', name: 'scan.nii' })).toMatchObject({ fields: { field: 'sizeof_hdr' } });
  });

  it('WebGPU by name where there is none; auto takes WebAssembly and says why', async () => {
    const page = await test.openWithoutWebGpu();
    expect(await failure({ runtime: 'webgpu' }, page)).toMatchObject({
      code: 'runtime',
      message: expect.stringMatching(/WebGPU cannot be used here: .+; use runtime wasm or auto/),
    });
    const { prediction } = await predict(page, 'auto');
    expect(prediction.runtime).toBe('wasm');
    expect(prediction.reason).toMatch(/WebAssembly on .*\(no WebGPU: .+\)/);
  });
});

describe('the bundle', needs('Chromium'), () => {
  it(`stays below ${budgetBytes} bytes, minified and compressed, without the files of ONNX Runtime`, () => {
    const total = test.files.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual(budgetBytes);
  });
});
