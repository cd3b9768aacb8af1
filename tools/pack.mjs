// `npm run pack`: makes the tarballs of all packages in build/packages, as they are published: the workspaces and, for
// each platform, the native parts. `--this-platform` leaves out the other platforms' parts (for tests). Needs a build.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { koffiPackage, stageKoffi } from './native/koffi.mjs';
import { manifestOf, packageName, parts, platforms } from './native/parts.mjs';
import { stagePart } from './native/stage-part.mjs';
import { stageWorkspaces } from './stage.mjs';
import { mainPackage, root, workspaces } from './workspaces.mjs';

/** @typedef {{ name: string, folder: string }} Staged */

const build = join(root, 'build');
/** Where the tarballs are. */
export const packagesFolder = join(build, 'packages');

/**
 * @param {{ readonly thisPlatformOnly?: boolean }} [options]
 * @returns {string[]} the tarballs
 */
export function packAll({ thisPlatformOnly = false } = {}) {
  mkdirSync(packagesFolder, { recursive: true });
  const version = workspaces().find(({ manifest }) => manifest.name === mainPackage)?.manifest.version;
  if (version === undefined) throw new Error(`there is no package ${mainPackage}`);
  const wanted = platforms.filter(
    ({ os, cpu }) => !thisPlatformOnly || (os === process.platform && cpu === process.arch),
  );
  npm(['run', 'bundle', '--workspaces', '--if-present', '--silent'], root);
  const staged = stageWorkspaces(join(build, 'staged'));
  const koffi = join(build, 'staged', 'koffi');
  stageKoffi(koffi, version);
  staged.push({ name: koffiPackage, folder: koffi });
  const names = new Set(staged.map(({ name }) => tarballName(name, version)));
  pack(staged);
  for (const part of parts) {
    for (const platform of wanted) names.add(packPart(part, platform, version));
  }
  for (const file of readdirSync(packagesFolder)) {
    const other = file.endsWith('.tgz') && !names.has(file) && !(thisPlatformOnly && file.endsWith(`-${version}.tgz`));
    if (other) rmSync(join(packagesFolder, file));
  }
  return [...names].map((name) => join(packagesFolder, name));
}

/**
 * Binaries compress for seconds, so a tarball stays as long as what it is made from.
 * @param {import('./native/parts.mjs').Part} part
 * @param {import('./native/parts.mjs').Platform} platform
 * @param {string} version
 */
function packPart(part, platform, version) {
  const name = packageName(part, platform);
  const file = tarballName(name, version);
  const folder = join(build, 'native', file.replace(/\.tgz$/, ''));
  const stamp = `${folder}.stamp`;
  const key = partKey(part, version);
  if (existsSync(join(packagesFolder, file)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return file;
  rmSync(folder, { recursive: true, force: true });
  stagePart(folder, part, platform, version);
  pack([{ name, folder }]);
  rmSync(folder, { recursive: true });
  writeFileSync(stamp, key);
  return file;
}

/**
 * @param {import('./native/parts.mjs').Part} part
 * @param {string} version
 */
function partKey(part, version) {
  const hash = createHash('sha256').update(`${part.source}@${manifestOf(part.source).version} ${version}`);
  const here = new URL('native/', import.meta.url);
  for (const file of ['parts.mjs', 'stage-part.mjs', 'imports.mjs']) hash.update(readFileSync(new URL(file, here)));
  for (const file of readdirSync(part.noticesFolder)) hash.update(readFileSync(join(part.noticesFolder, file)));
  return hash.digest('hex');
}

/** @param {readonly Staged[]} staged */
function pack(staged) {
  const folders = staged.map(({ folder }) => folder);
  const part = join(packagesFolder, '.part');
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part);
  npm(['pack', ...folders, '--pack-destination', part, '--ignore-scripts', '--silent'], build);
  for (const file of readdirSync(part)) renameSync(join(part, file), join(packagesFolder, file));
  rmSync(part, { recursive: true });
}

/**
 * @param {readonly string[]} args
 * @param {string} cwd
 */
function npm(args, cwd) {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
}

/**
 * @param {string} name
 * @param {string} version
 */
function tarballName(name, version) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}

if (import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({ options: { 'this-platform': { type: 'boolean', default: false } } });
  const tarballs = packAll({ thisPlatformOnly: values['this-platform'] });
  for (const path of tarballs) {
    const { size } = statSync(path);
    console.log(`${(size / 1e6).toFixed(2).padStart(8)} MB  ${path.slice(root.length)}`);
  }
}
