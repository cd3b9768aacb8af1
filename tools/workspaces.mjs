// The packages of this repository, read from the workspaces, so that a new one is built, checked and published without
// being named anywhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {string | { readonly [condition: string]: Exports }} Exports
 *
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {string} [description]
 * @property {string} [license]
 * @property {Readonly<Record<string, Exports>>} [exports]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [devDependencies]
 * @property {Record<string, string>} [scripts]
 * @property {readonly string[]} [os]
 * @property {readonly string[]} [cpu]
 * @property {readonly string[]} [libc]
 *
 * @typedef {object} Workspace
 * @property {string} folder  absolute
 * @property {string} path  from the root
 * @property {Manifest} manifest
 */

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The package that people install: command and library. */
export const mainPackage = 'quickcolumn';
/** The package that loads the native parts. */
export const nativeHost = '@quickcolumn/runtimes';

/**
 * @template T
 * @param {string} path
 * @returns {T}
 */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @returns {Workspace[]} in the order of their names */
export function workspaces() {
  /** @type {{ workspaces: string[] }} */
  const { workspaces: patterns } = readJson(join(root, 'package.json'));
  const paths = patterns.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern];
    const parent = pattern.slice(0, -2);
    return readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
  });
  return paths
    .filter((path) => existsSync(join(root, path, 'package.json')))
    .map((path) => ({ path, folder: join(root, path), manifest: readJson(join(root, path, 'package.json')) }))
    .sort((a, b) => a.manifest.name.localeCompare(b.manifest.name, 'en'));
}

/** Those that are published. */
export const publicWorkspaces = () => workspaces().filter(({ manifest }) => manifest.private !== true);
