/** The check of layers finds what it is for: each violation in a small tree of packages, and nothing in a good one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = join(import.meta.dirname, 'architecture.mjs');
let root = '';

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function check(): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

function putPackage(name: string, dependencies: readonly string[]): void {
  const named = Object.fromEntries(dependencies.map((one) => [`@quickcolumn/${one}`, '0.1.0']));
  const manifest = { name: `@quickcolumn/${name}`, exports: { '.': './index.js' }, dependencies: named };
  put(`packages/${name}/package.json`, JSON.stringify(manifest));
  put(`node_modules/@quickcolumn/${name}/package.json`, JSON.stringify(manifest));
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quickcolumn-layers-'));
  put('package.json', '{ "devDependencies": { "vitest": "4" } }');
  put('docs/architecture.md', '# How\n\n```layers\ntop\nmiddle side — in one line\nlow\n```\n');
  putPackage('top', ['middle', 'low']);
  putPackage('middle', ['low', 'side', 'top']);
  putPackage('side', []);
  putPackage('low', []);
  put('packages/top/src/index.ts', "import { a } from '@quickcolumn/middle';\nexport type { B } from './b.js';\n");
  put('packages/top/src/index.test.ts', "import { it } from 'vitest';\nimport '@quickcolumn/low';\n");
  put('packages/middle/src/index.ts', "export const load = () => import('@quickcolumn/low');\n");
  put('packages/side/src/index.ts', "import { readFileSync } from 'node:fs';\n");
  put('packages/low/src/index.ts', 'export {};\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('passes a tree that keeps to it', () => {
  expect(check()).toEqual({ status: 0, problems: [] });
});

it.each([
  ['a way up', 'middle', "import type { T } from '@quickcolumn/top';", 'does not stand below middle'],
  ['a way sideways', 'middle', "export * from '@quickcolumn/side';", 'does not stand below middle'],
  ['an import that is not named', 'side', "import '@quickcolumn/low';", 'does not name in its package.json'],
  ['a type that is not named', 'side', "export type A = import('@quickcolumn/low').A;", 'does not name in its package'],
  ['a path into another package', 'top', "import { a } from '../../low/src/a.js';", 'outside its package'],
  ['a deep import', 'top', "await import('@quickcolumn/low/dist/a.js');", 'is no entry of @quickcolumn/low'],
  ['its own name', 'low', "import '@quickcolumn/low';", 'its own package'],
])('finds %s', (_title, name, line, problem) => {
  put(`packages/${name}/src/wrong.ts`, `${line}\n`);
  const { status, problems } = check();
  expect(problems).toEqual([expect.stringContaining(problem)]);
  expect(problems[0]).toMatch(new RegExp(`^packages/${name}/src/wrong\\.ts: `));
  expect(status).toBe(1);
});

it('finds a folder of too many files, tests not counted', () => {
  for (let i = 0; i < 40; i++) put(`packages/low/src/room/a${i}.test.ts`, '');
  for (let i = 0; i < 20; i++) put(`packages/low/src/room/a${i}.ts`, '');
  expect(check().status).toBe(0);
  put('packages/low/src/room/one-more.ts', '');
  expect(check()).toEqual({
    status: 1,
    problems: [expect.stringMatching(/^packages\/low\/src\/room: 21 source files/)],
  });
});

it('finds a package without a place in the layers', () => {
  putPackage('new', []);
  put('packages/new/src/index.ts', '');
  expect(check().problems).toEqual([
    'packages/new: @quickcolumn/new has no place in the layers of docs/architecture.md',
  ]);
});
