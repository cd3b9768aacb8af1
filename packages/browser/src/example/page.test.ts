/** The example's page, as people use it: with the pretrained model beside it, another one, a damaged one, and none. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabelsBlobs } from '@quickcolumn/io';
import { needs } from '@quickcolumn/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageEntries } from '../bundle/bundle.js';
import { openTestPage, type TestPage } from '../chromium.test.helpers.js';
import { makeQuickModel } from '../model.test.helpers.js';

describe("the example's page", needs('Chromium'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'quickcolumn-example-'));
  let test: TestPage;
  let page: Page;
  const inPackage = (name: string): string => join(folder, 'package', name);
  const problems: string[] = [];
  beforeAll(async () => {
    await makeQuickModel(folder);
    // As `npm run model-card` makes it.
    mkdirSync(join(folder, 'package'));
    const repository = join(import.meta.dirname, '../../../..');
    cpSync(join(repository, 'packages/model-covid19-ct/model.json'), inPackage('model.json'));
    const script = [join(repository, 'tools/model-card.mjs'), '--package', join(folder, 'package')];
    execFileSync(process.execPath, [...script, '--model', join(folder, 'model.onnx')]);
    const example = join(import.meta.dirname, '../../dist/example/page.js');
    const folders = { '/': join(import.meta.dirname, '../../example'), '/model/': join(folder, 'package') };
    test = await openTestPage({ ...packageEntries, example }, folders);
    ({ page } = test);
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.setInputFiles('#scan', join(folder, 'scan.nii.gz'));
  });
  afterAll(async () => {
    await test?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what it is for, and shows nothing yet', async () => {
    expect(await page.textContent('header')).toMatch(/Research use only, not a medical device/);
    expect(await page.isVisible('#viewer')).toBe(false);
    await page.getByText(/^model QC-HC U-Net for COVID-19 CT: licence CC BY-NC-SA 4\.0, research use only/).waitFor();
    expect(await page.textContent('#terms')).toContain('Zenodo record 3757476');
    expect(await page.getAttribute('#terms a', 'href')).toContain('creativecommons.org/licenses/by-nc-sa/4.0');
  });

  it('predicts without a model being chosen, says on what and why, shows a slice and offers the mask', async () => {
    await page.selectOption('#runtime', 'auto');
    await page.click('#start');
    await page.getByText(/^done in/).waitFor();
    expect(await page.textContent('#reason')).toMatch(/WebAssembly on .* \(WebGPU is not used: .*is software/);
    expect(await page.textContent('#legend')).toMatch(/left lung.* ml.*right lung.* ml.*infection.* ml/);
    expect(await page.textContent('#where')).toMatch(/^slice \d+ of \d+$/);
    const colors = await page.evaluate(() => {
      const canvas = document.querySelector('canvas');
      const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(pixels).size;
    });
    expect(colors).toBeGreaterThan(10);

    const download = page.waitForEvent('download');
    await page.getByText('Save the mask (scan.nii.gz)').click();
    const saved = await (await download).path();
    const mask = await readLabelsBlobs(new File([Uint8Array.from(readFileSync(saved))], 'scan.nii.gz'));
    expect(mask.voxels.length).toBeGreaterThan(0);
  });

  it('cancels, and shows no mask of before', async () => {
    await page.selectOption('#runtime', 'webgpu');
    // In the page: from outside, the windows may be over before they are seen.
    await page.evaluate(() => {
      const status = document.querySelector('#status') as HTMLElement;
      const observer = new MutationObserver(() => {
        if (!/window \d+ of/.test(status.textContent ?? '')) return;
        observer.disconnect();
        document.querySelector<HTMLButtonElement>('#cancel')?.click();
      });
      observer.observe(status, { childList: true });
    });
    await page.click('#start');
    await page.getByText('cancelled').waitFor();
    expect(await page.textContent('#reason')).toMatch(/^WebGPU on .*in software/);
    expect(await page.isVisible('#viewer')).toBe(false);
    expect(await page.locator('#downloads a').count()).toBe(0);
    expect(await page.isEnabled('#start')).toBe(true);
  });

  it('tells what is wrong with a file', async () => {
    writeFileSync(join(folder, 'no.onnx'), 'no model');
    await page.setInputFiles('#model', join(folder, 'no.onnx'));
    await page.click('#start');
    await page.locator('#status.error').waitFor();
    expect(await page.textContent('#status')).toMatch(/no\.onnx: this is not an ONNX file/);
  });

  it("goes on with another model, and shows that one's notes", async () => {
    await page.setInputFiles('#model', join(folder, 'model.onnx'));
    await page.selectOption('#runtime', 'wasm');
    await page.click('#start');
    await page.getByText(/^done in/).waitFor();
    expect(await page.textContent('#terms')).toBe(
      'model model.onnx: Research use only, not a medical device. Mind the licence of the training data.',
    );
  });

  it('refuses a pretrained model that is not the one of its checksum', async () => {
    cpSync(join(folder, 'model.onnx'), inPackage('model.onnx'));
    await page.setInputFiles('#model', []);
    await page.click('#start');
    await page.locator('#status.error').waitFor();
    expect(await page.textContent('#status')).toMatch(
      /\/model\/model\.onnx is damaged: its SHA-256 is \w{64}, expected \w{64}/,
    );
    expect(await page.isVisible('#viewer')).toBe(false);
  });

  it('asks for a model where there are no weights', async () => {
    const facts = JSON.parse(readFileSync(inPackage('model.json'), 'utf8')) as object;
    writeFileSync(inPackage('model.json'), JSON.stringify({ ...facts, file: null }));
    await page.reload();
    await page
      .getByText('the weights of the pretrained model are missing in this clone: choose a model.onnx')
      .waitFor();
    expect(await page.getAttribute('#model', 'required')).toBe('');
  });

  it('had no errors of its own', () => expect(problems).toEqual([]));
});
