// Checks every package as it would be published: entry points, types and files (publint), types as each way of importing
// sees them (are-the-types-wrong, for ESM), and what a package page needs. Part of `npm run check`; needs a build.
import { checkPackage, Package } from '@arethetypeswrong/core';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { stageWorkspaces } from './stage.mjs';
import { readJson, root } from './workspaces.mjs';

/** @typedef {import('./workspaces.mjs').Manifest} Manifest */

const staged = stageWorkspaces(join(root, 'build', 'checked'));
const versions = new Set(staged.map(({ folder }) => manifestIn(folder).version));
/** @type {string[]} */
const found = versions.size === 1 ? [] : [`the packages have different versions: ${[...versions].join(', ')}`];
for (const { name, folder } of staged) {
  const manifest = manifestIn(folder);
  const problems = [
    ...(await lint(folder, manifest)),
    ...(await typeProblems(folder, manifest)),
    ...page(folder, manifest),
  ];
  found.push(...problems.map((problem) => `${name}: ${problem}`));
}
found.push(...exampleProblems());
for (const line of found) console.error(line);
process.exitCode = found.length > 0 ? 1 : 0;

/**
 * @param {string} folder
 * @returns {Manifest}
 */
function manifestIn(folder) {
  return readJson(join(folder, 'package.json'));
}

/**
 * @param {string} folder
 * @param {Manifest} manifest
 */
async function lint(folder, manifest) {
  const { messages } = await publint({ pkgDir: folder, pack: false, strict: true, level: 'warning' });
  return messages.map((message) => formatMessage(message, manifest) ?? message.code);
}

/**
 * What are-the-types-wrong finds, but for what a package that is ESM only means: no `require`, no Node 10.
 * @param {string} folder
 * @param {Manifest} manifest
 */
async function typeProblems(folder, { name, version }) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  /** @type {Record<string, Uint8Array>} */
  const content = {};
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    content[`/node_modules/${name}${path.slice(folder.length).replaceAll('\\', '/')}`] = readFileSync(path);
  }
  const analysis = await checkPackage(new Package(content, name, version));
  if (!analysis.types) return ['has no types'];
  return analysis.problems
    .filter((problem) => !('resolutionKind' in problem) || /^(node16-esm|bundler)$/.test(problem.resolutionKind))
    .filter(({ kind }) => kind !== 'CJSResolvesToESM')
    .map((problem) => `types: ${JSON.stringify(problem)}`);
}

/**
 * What the package's page needs. Paths of a machine are nobody's business.
 * @param {string} folder
 * @param {Manifest} manifest
 */
function page(folder, { name, description, license }) {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const lines = readme.trim().split('\n').length;
  // That of a model is its card.
  const most = existsSync(join(folder, 'model.json')) ? 80 : 40;
  return [
    ...(description === undefined || license === undefined ? ['package.json lacks description or license'] : []),
    ...(readme.startsWith(`# ${name}\n`) ? [] : [`README.md does not begin with "# ${name}"`]),
    ...(lines < 10 || lines > most ? [`README.md has ${lines} lines, expected 10 to ${most}`] : []),
    ...(readme.includes('```') ? [] : ['README.md has no example']),
    ...(/licen[cs]e/i.test(readme) ? [] : ['README.md names no licence']),
  ];
}

/**
 * The examples of the READMEs do compile.
 * @returns {string[]}
 */
function exampleProblems() {
  const examples = join(root, 'build', 'examples');
  rmSync(examples, { recursive: true, force: true });
  mkdirSync(examples, { recursive: true });
  writeFileSync(join(examples, 'package.json'), '{ "type": "module" }');
  /** @type {string[]} */
  const files = [];
  for (const { name, folder } of staged) {
    const blocks = readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gms);
    for (const [, code] of blocks) {
      const file = join(examples, `${name.replace('@quickcolumn/', '')}-${files.length}.ts`);
      writeFileSync(file, code);
      files.push(file);
    }
  }
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--types',
    'node',
  ];
  const libraries = ['--target', 'es2023', '--lib', 'es2023,dom,dom.iterable,dom.asynciterable'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...files, ...options, ...libraries], {
    cwd: examples,
    encoding: 'utf8',
  });
  return status === 0
    ? []
    : stdout
        .trim()
        .split('\n')
        .map((line) => `README.md: ${line}`);
}
