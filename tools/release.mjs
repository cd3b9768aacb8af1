// `npm run release -- --dry-run` checks all that a release needs and prints a table; without `--dry-run` it does the same
// and then publishes the tarballs that it checked. `--without check,install` leaves out the slow ones of a dry run.
import { execFileSync, spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { packAll } from './pack.mjs';
import * as checks from './release-checks.mjs';
import { readPackage } from './tarball.mjs';
import { mainPackage, root } from './workspaces.mjs';

const { values } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false }, without: { type: 'string', default: '' } },
});
const dryRun = values['dry-run'];
const without = values.without.split(',').filter((name) => name !== '');
const token = process.env['NODE_AUTH_TOKEN'] ?? process.env['NPM_TOKEN'];
if (!dryRun && without.length > 0) throw new Error('--without is for dry runs; a release leaves out nothing');
if (!dryRun && !token) throw new Error('a release needs NODE_AUTH_TOKEN or NPM_TOKEN; --dry-run needs none');

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
/** @type {string[]} */
let tarballs = [];
/** @type {readonly (readonly [name: string, check: () => string])[]} */
const steps = [
  ['clean tree', () => checks.treeIsClean()],
  ['versions', () => checks.versionsAreEqual()],
  ['changelog', () => checks.changelogIsWritten(dryRun)],
  ['build', () => (checks.commandSucceeds('npm', ['run', '--silent', 'build']), 'done')],
  ['check', () => (checks.commandSucceeds('npm', ['run', '--silent', 'check']), 'npm run check')],
  ['pack', () => `${(tarballs = packAll()).length} tarballs in build/packages`],
  ['sizes', () => checks.sizesAreWithinLimits(tarballs)],
  ['licences', () => checks.licencesAreWithin(tarballs)],
  ['pretrained model', () => checks.pretrainedModelIsWithin(tarballs)],
  ['machine paths', () => checks.noMachinePaths(tarballs)],
  ['native parts', () => checks.nativePartsAreWhatTheySay(tarballs)],
  [
    'install',
    () => {
      const output = checks.commandSucceeds(process.execPath, [vitest, 'run', 'test/install', 'test/api.test.ts']);
      return output.match(/^npm install quickcolumn: .*/m)?.[0] ?? 'done';
    },
  ],
];

/** @type {{ name: string, ok: boolean | undefined, line: string }[]} */
const table = [];
for (const [name, check] of steps) {
  if (without.includes(name)) {
    table.push({ name, ok: undefined, line: 'left out' });
    continue;
  }
  try {
    table.push({ name, ok: true, line: check() });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    table.push({ name, ok: false, line: message });
    // Without tarballs there is nothing to look at.
    if (name === 'build' || name === 'pack') break;
  }
}
for (const { name, ok, line } of table) {
  const mark = ok === undefined ? '–' : ok ? '✓' : '✗';
  console.log(`${mark} ${name.padEnd(14)} ${line.trim()}`);
}
if (table.some(({ ok }) => ok === false)) {
  console.log('not ready for a release');
  process.exitCode = 1;
} else if (dryRun) console.log('ready; nothing was published');
else publish();

/** The native parts first and the package that people install last, so that whatever is there finds what it needs. */
function publish() {
  const rank = (/** @type {string} */ path) => (readPackage(path).manifest.name === mainPackage ? 1 : 0);
  const order = [...tarballs].reverse().sort((a, b) => rank(a) - rank(b));
  for (const path of order) {
    const { name, version } = readPackage(path).manifest;
    const there = spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' }).stdout.trim();
    if (there === version) console.log(`${name}@${version} is published already`);
    else execFileSync('npm', ['publish', path, '--access', 'public'], { cwd: root, stdio: 'inherit' });
    console.log(basename(path));
  }
}
