// What a release needs, one function a check: each gives a line for the table, or throws an Error that says what is wrong.
import { createHash } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { manifestOf, packageName, parts, platforms, readPartFile } from './native/parts.mjs';
import { readPackage } from './tarball.mjs';
import { mainPackage, publicWorkspaces, readJson, root, workspaces } from './workspaces.mjs';

/** @typedef {readonly string[]} Tarballs */

const text = /\.(js|mjs|cjs|ts|json|md|txt|html|css|wgsl|TXT)$/;
const binary = /\.(node|dll|dylib|wasm|so(\.\d+)*)$/;
const largestFileMegabytes = 100;

export function treeIsClean() {
  const changed = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).trim();
  if (changed !== '') throw new Error(`uncommitted: ${changed.split('\n').join(', ')}`);
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
}

export function versionsAreEqual() {
  const all = workspaces();
  const versions = new Set(all.map(({ manifest }) => manifest.version));
  if (versions.size !== 1) throw new Error(`several: ${[...versions].join(', ')}`);
  const [version] = versions;
  const names = new Set(all.map(({ manifest }) => manifest.name));
  for (const { path, manifest } of all) {
    const needed = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
    for (const [name, range] of Object.entries(needed)) {
      if (names.has(name) && range !== version) throw new Error(`${path} wants ${name} ${range}, not ${version}`);
    }
  }
  return `${version}, ${publicWorkspaces().length} packages`;
}

/** @param {boolean} dryRun  a dry run may come before the version is made */
export function changelogIsWritten(dryRun) {
  const open = readdirSync(join(root, '.changeset')).filter((file) => file.endsWith('.md') && file !== 'README.md');
  if (open.length > 0) {
    if (!dryRun) throw new Error(`${open.length} changesets are open; npm run version-packages`);
    return `${open.length} changesets, no version made of them yet`;
  }
  const version = workspaces().find(({ manifest }) => manifest.name === mainPackage)?.manifest.version;
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  if (!changelog.includes(`\n## ${version}\n`)) throw new Error(`CHANGELOG.md has no section ${version}`);
  return `section ${version}`;
}

/**
 * Runs a command of this repository; its output is shown where it fails.
 * @param {string} file
 * @param {string[]} args
 */
export function commandSucceeds(file, args) {
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`${[basename(file), ...args].join(' ')} failed\n${stdout}\n${stderr}`);
  return stdout;
}

/** @param {Tarballs} tarballs */
export function sizesAreWithinLimits(tarballs) {
  /** @type {{ tarballMegabytes: number }} */
  const { tarballMegabytes } = readJson(join(root, 'test/install/budget.json'));
  let sum = 0;
  for (const path of tarballs) {
    const megabytes = statSync(path).size / 1e6;
    sum += megabytes;
    if (megabytes > tarballMegabytes)
      throw new Error(`${basename(path)} has ${megabytes.toFixed(1)} MB, limit ${tarballMegabytes}`);
    for (const [file, { length }] of readPackage(path).files) {
      if (length > largestFileMegabytes * 1e6)
        throw new Error(`${basename(path)}: ${file} has ${(length / 1e6).toFixed(0)} MB`);
    }
  }
  return `${tarballs.length} tarballs, ${sum.toFixed(0)} MB together`;
}

/** @param {Tarballs} tarballs */
export function licencesAreWithin(tarballs) {
  let withBinaries = 0;
  for (const path of tarballs) {
    const names = [...readPackage(path).files.keys()];
    for (const file of [/^LICENSE/, /^README\.md$/]) {
      if (!names.some((name) => file.test(name))) throw new Error(`${basename(path)} has no ${file.source}`);
    }
    if (!names.some((name) => binary.test(name))) continue;
    withBinaries++;
    if (!names.some((name) => /notices/i.test(name))) throw new Error(`${basename(path)} has binaries and no notices`);
  }
  return `in all; ${withBinaries} with binaries have the notices of what is within`;
}

/**
 * The package of the pretrained model has the weights that it tells of; a clone may be without.
 * @param {Tarballs} tarballs
 */
export function pretrainedModelIsWithin(tarballs) {
  const told = tarballs.map((path) => readPackage(path).files).filter((files) => files.has('model.json'));
  for (const files of told) {
    const { name, file } = JSON.parse(files.get('model.json')?.toString('utf8') ?? '');
    const sha256 = createHash('sha256')
      .update(files.get('model.onnx') ?? '')
      .digest('hex');
    if (sha256 !== file?.sha256)
      throw new Error(`${name}: model.onnx is not the one of model.json; npm run model-card`);
  }
  return `${told.length}, with the weights of its checksum`;
}

/**
 * Nothing of the machine that packed: its folders, its registry.
 * @param {Tarballs} tarballs
 */
export function noMachinePaths(tarballs) {
  const registry = commandSucceeds('npm', ['config', 'get', 'registry']).trim();
  const { hostname } = new URL(registry);
  const forbidden = [root, homedir(), hostname];
  let files = 0;
  for (const path of tarballs) {
    for (const [file, bytes] of readPackage(path).files) {
      if (!text.test(file)) continue;
      files++;
      const content = bytes.toString('utf8');
      const found = forbidden.find((one) => content.includes(one.endsWith('/') || one === hostname ? one : `${one}/`));
      if (found !== undefined) throw new Error(`${basename(path)}: ${file} names this machine (${found})`);
    }
  }
  return `none in ${files} files`;
}

/**
 * The binaries of the platforms' packages are those of the npm packages that the lock file pins.
 * @param {Tarballs} tarballs
 */
export function nativePartsAreWhatTheySay(tarballs) {
  /** @type {{ packages: Record<string, { version: string, integrity?: string }> }} */
  const { packages } = readJson(join(root, 'package-lock.json'));
  const byName = new Map(tarballs.map((path) => /** @type {const} */ ([readPackage(path).manifest.name, path])));
  let compared = 0;
  for (const part of parts) {
    const locked = packages[`node_modules/${part.source}`];
    const { version } = manifestOf(part.source);
    if (locked?.version !== version || !locked.integrity)
      throw new Error(`${part.source}@${version} is not the locked one`);
    for (const platform of platforms) {
      const tarball = byName.get(packageName(part, platform));
      if (tarball === undefined) throw new Error(`${packageName(part, platform)} is not packed`);
      const { files } = readPackage(tarball);
      for (const file of part.binaries(platform)) {
        if (!files.get(file)?.equals(readPartFile(part, file, platform)))
          throw new Error(`${basename(tarball)}: ${file} differs`);
        compared++;
      }
    }
  }
  return `${compared} binaries are those of ${parts.map(({ source }) => `${source}@${manifestOf(source).version}`).join(', ')}`;
}
