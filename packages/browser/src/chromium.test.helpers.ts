/**
 * Headless Chromium for tests: the one of the system (apt-get install chromium, or QUICKCOLUMN_CHROMIUM), with WebGPU on
 * SwiftShader, a GPU in software. Nothing is downloaded; tests that open a page say `needs('Chromium')`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathOf } from '@quickcolumn/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { bundle, type BundledFile } from './bundle/bundle.js';
import { serve, type Server, type ServeOptions } from './bundle/serve.js';

export interface TestPage {
  readonly page: Page;
  readonly files: readonly BundledFile[];
  readonly folder: string;
  /** What the page asked for, to see that nothing comes from elsewhere. */
  readonly requests: readonly string[];
  /** A second page, as a site without the isolating headers serves it. */
  openPlain(): Promise<Page>;
  /** A page of a second browser, which has no WebGPU. */
  openWithoutWebGpu(): Promise<Page>;
  close(): Promise<void>;
}

/** Bundles the entries into a temporary folder, serves it beside `folders` and opens an empty page there. */
export async function openTestPage(
  entries: Readonly<Record<string, string>>,
  folders: ServeOptions['folders'] = {},
): Promise<TestPage> {
  const folder = mkdtempSync(join(tmpdir(), 'quickcolumn-page-'));
  const files = await bundle(join(folder, 'bundle'), entries);
  const all = { '/': join(import.meta.dirname, '../test-page'), '/bundle/': join(folder, 'bundle'), ...folders };
  const servers: Server[] = [await serve({ folders: all })];
  const browsers: Browser[] = [];
  const launch = async (flags: readonly string[]): Promise<Browser> => {
    const browser = await chromium.launch({
      executablePath: pathOf('Chromium'),
      args: ['--no-sandbox', ...flags],
      env: { ...process.env, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH ?? '' },
    });
    browsers.push(browser);
    return browser;
  };
  const browser = await launch(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
  const requests: string[] = [];
  const open = async (url: string, inside: Browser = browser): Promise<Page> => {
    const page = await inside.newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.setDefaultTimeout(300_000);
    await page.goto(url);
    return page;
  };
  return {
    page: await open(servers[0].url),
    files,
    folder,
    requests,
    async openPlain() {
      const server = await serve({ folders: all, isolated: false });
      servers.push(server);
      return await open(server.url);
    },
    openWithoutWebGpu: async () => await open(servers[0].url, await launch(['--disable-features=WebGPUService'])),
    async close() {
      for (const one of browsers) await one.close();
      for (const server of servers) await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
