// Installs packed packages as a user does: in an empty folder outside of the repository, from a registry, with nothing of
// this repository's npm configuration, and tells what came.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, root } from './workspaces.mjs';

/**
 * @typedef {object} Installed
 * @property {number} seconds
 * @property {number} packages
 * @property {number} bytes
 * @property {string} log  what npm printed
 */

/** The environment without what npm, the test runner and this repository put into it. */
export function plainEnvironment() {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$)/i.test(name),
  );
  const separator = process.platform === 'win32' ? ';' : ':';
  const path = (process.env['PATH'] ?? '').split(separator).filter((folder) => !folder.startsWith(root));
  return { ...Object.fromEntries(own), PATH: path.join(separator), NO_COLOR: '1' };
}

/**
 * Runs a program to its end. Fails, with all output, where it does not end with 0.
 * @param {string} cwd
 * @param {string} file
 * @param {readonly string[]} args
 * @returns {Promise<{ stdout: string, stderr: string }>}
 */
export function runPlain(cwd, file, args) {
  const options = { cwd, env: plainEnvironment(), maxBuffer: 1 << 26, shell: process.platform === 'win32' };
  return new Promise((resolve, reject) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${file} ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
      else resolve({ stdout, stderr });
    });
  });
}

/**
 * @param {string} folder  empty
 * @param {string} registry
 * @param {readonly string[]} what  as behind `npm install`, options too
 * @returns {Promise<Installed>}
 */
export async function installInto(folder, registry, what) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const start = performance.now();
  const { stdout, stderr } = await runPlain(folder, 'npm', [
    'install',
    ...what,
    '--registry',
    registry,
    '--no-audit',
    '--no-fund',
  ]);
  const seconds = (performance.now() - start) / 1000;
  const modules = join(folder, 'node_modules');
  const files = installedFiles(modules);
  const bytes = files.reduce((sum, file) => sum + statSync(join(modules, file)).size, 0);
  /** @type {{ packages: object }} */
  const lock = readJson(join(modules, '.package-lock.json'));
  return { seconds, packages: Object.keys(lock.packages).length, bytes, log: stdout + stderr };
}

/**
 * All files below a folder, with forward slashes.
 * @param {string} folder
 * @returns {string[]}
 */
export function installedFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
}

/**
 * The script that a command runs, for trying it with another Node.
 * @param {string} folder
 * @param {string} command
 */
export function commandScript(folder, command) {
  const folderOfIt = join(folder, 'node_modules', command);
  /** @type {{ bin: Record<string, string> }} */
  const { bin } = readJson(join(folderOfIt, 'package.json'));
  const script = join(folderOfIt, bin[command]);
  if (!existsSync(script)) throw new Error(`${script} is not there`);
  return script;
}
