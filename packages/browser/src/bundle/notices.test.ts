/** Licences of others' code: in the package's own bundle, and for packages that say little or nothing. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, packageEntries } from './bundle.js';
import { noticesFile, thirdPartyNotices } from './notices.js';

const folder = mkdtempSync(join(tmpdir(), 'quickcolumn-notices-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the notices beside the bundle', () => {
  let notices = '';
  let modules: string[] = [];
  beforeAll(async () => {
    const files = await bundle(join(folder, 'bundle'), packageEntries);
    modules = files.flatMap((file) => file.modules);
    notices = readFileSync(join(folder, 'bundle', noticesFile), 'utf8');
  });

  it('have every package of node_modules that the bundler wrote code of, with version and licence text', () => {
    const folders = new Set(
      modules.flatMap((id) => /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(id) ?? []),
    );
    expect(folders.size).toBeGreaterThanOrEqual(2);
    for (const path of folders) {
      const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Record<string, string>;
      expect(notices).toContain(`\n${name} ${version}\nLicence: `);
    }
    const zod = dirname(createRequire(import.meta.url).resolve('zod/package.json'));
    expect(notices).toContain(readFileSync(join(zod, 'LICENSE'), 'utf8').trim());
  });

  it('have ONNX Runtime, whose files are copied, and nothing of our own', () => {
    expect(notices).toMatch(/\nonnxruntime-web \d+\.\d+\.\d+\nLicence: MIT\n/);
    expect(notices).toContain('Copyright (c) Microsoft Corporation');
    expect(notices).not.toContain('@quickcolumn/');
  });
});

describe('a package', () => {
  /** A file of a package with this package.json and these other files. */
  function installed(
    manifest: Readonly<Record<string, unknown>>,
    others: Readonly<Record<string, string>> = {},
  ): string {
    const path = join(folder, 'node_modules', String(manifest['name']));
    mkdirSync(join(path, 'esm'), { recursive: true });
    // As packages of two kinds of modules have it.
    const all = {
      'package.json': JSON.stringify(manifest),
      'esm/package.json': '{"type":"module"}',
      'esm/index.js': '/*!\n * By Kim\n */',
      ...others,
    };
    for (const [name, text] of Object.entries(all)) writeFileSync(join(path, name), text);
    return join(path, 'esm', 'index.js');
  }

  it('without a licence file is taken by the SPDX licence that it names', async () => {
    const repository = { url: 'https://example.org/tiny.git' };
    const file = installed({ name: 'tiny', version: '1.2.3', license: '(MIT OR Apache-2.0)', repository });
    const notices = await thirdPartyNotices([file, file]);
    expect(notices.split('tiny 1.2.3\nLicence: (MIT OR Apache-2.0)\n')).toHaveLength(2);
    expect(notices).toContain('\n\nBy Kim\n');
    expect(notices).toContain(
      'comes without the text of its licence; its sources, with their notices: https://example.org',
    );
  });

  it('brings its notices along with its licence, whatever these are called', async () => {
    const texts = { 'LICENCE.md': 'be nice', 'ThirdPartyNotices.txt': 'parts of others', 'license.js': 'throw 1' };
    const notices = await thirdPartyNotices([installed({ name: '@a/kind', version: '2.0.0' }, texts)]);
    expect(notices).toContain('@a/kind 2.0.0\nLicence: see below\n\nbe nice\n\nparts of others\n');
    expect(notices).not.toContain('throw 1');
  });

  it.each([undefined, 'UNLICENSED', 'SEE LICENSE IN the cellar', ''])(
    'without a licence file that names %j is refused',
    async (license) => {
      const file = installed({ name: 'silent', version: '3.0.0', license }, { NOTICE: 'mine' });
      await expect(thirdPartyNotices([file])).rejects.toThrow(/silent@3\.0\.0 is in the bundle.*no licence file.*SPDX/);
    },
  );

  it('must be known', async () => {
    await expect(thirdPartyNotices(['\0virtual'])).rejects.toThrow('not known whose code it is');
  });
});
