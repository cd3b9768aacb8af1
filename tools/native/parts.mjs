// The native parts that are published as packages of our own, one for each platform, as esbuild and rollup do: an
// installation gets the binaries of its own platform and no install script. They are made from two npm packages that
// carry all platforms, which this repository has as development dependencies.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { thin } from './imports.mjs';

/**
 * @typedef {'linux' | 'darwin' | 'win32'} System
 * @typedef {'x64' | 'arm64'} Cpu
 * @typedef {{ readonly os: System, readonly cpu: Cpu }} Platform
 *
 * @typedef {object} Part
 * @property {string} name  package name without platform
 * @property {string} title
 * @property {string} source  npm package that it is made from
 * @property {string} license  SPDX expression of all that is within
 * @property {string} main
 * @property {'commonjs' | 'module'} type
 * @property {Readonly<Record<string, string>>} dependencies  of the packages made, with ranges
 * @property {readonly string[]} modules  files that every platform gets
 * @property {(platform: Platform) => readonly string[]} binaries
 * @property {(platform: Platform) => readonly string[]} notices  licence files beside the binaries
 * @property {string} noticesFolder  licence texts kept here
 * @property {Partial<Record<System, string>>} leftOut  what a platform's package has not got and why, for its README
 */

/** @type {readonly Platform[]} */
export const platforms = [
  { os: 'linux', cpu: 'x64' },
  { os: 'linux', cpu: 'arm64' },
  { os: 'darwin', cpu: 'arm64' },
  { os: 'win32', cpu: 'x64' },
  { os: 'win32', cpu: 'arm64' },
];

/** @param {Platform} platform */
export const platformName = ({ os, cpu }) => `${os}-${cpu}`;

const notices = (/** @type {string} */ name) => fileURLToPath(new URL(`notices/${name}/`, import.meta.url));
const require = createRequire(import.meta.url);
const folderOf = (/** @type {string} */ name) => dirname(require.resolve(`${name}/package.json`));

/** @type {Part} */
const onnxruntime = {
  name: 'onnxruntime',
  title: 'ONNX Runtime',
  source: 'onnxruntime-node',
  license: 'MIT',
  main: 'dist/index.js',
  type: 'commonjs',
  dependencies: { 'onnxruntime-common': manifestOf('onnxruntime-node').dependencies?.['onnxruntime-common'] ?? '' },
  modules: ['dist/backend.js', 'dist/binding.js', 'dist/index.js', 'dist/version.js'],
  binaries: ({ os, cpu }) => {
    const library = { linux: 'libonnxruntime.so.1', darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' }[os];
    return ['onnxruntime_binding.node', library].map((file) => `bin/napi-v6/${os}/${cpu}/${file}`);
  },
  notices: () => [],
  noticesFolder: notices('onnxruntime'),
  leftOut: {
    win32:
      'DirectML.dll, dxcompiler.dll and dxil.dll are left out: onnxruntime.dll loads the first when the DirectML\nprovider ' +
      'is asked for (a delayed import) and the others for its WebGPU provider; Quickcolumn uses the CPU provider.',
    darwin: 'The library comes twice there, under two names; the one that the binding asks for is kept.',
  },
};

/** @type {Part} */
const dawn = {
  name: 'dawn',
  title: 'Dawn (WebGPU)',
  source: 'webgpu',
  license: 'BSD-3-Clause AND Apache-2.0 AND MIT',
  main: 'index.js',
  type: 'module',
  dependencies: {},
  modules: ['index.js'],
  binaries: ({ os, cpu }) => [
    `dist/${os}-${os === 'darwin' ? 'universal' : cpu}/dawn.node`,
    ...(os === 'win32' ? [`dist/${os}-${cpu}/dxcompiler.dll`] : []),
  ],
  notices: ({ os, cpu }) =>
    os === 'win32'
      ? ['dxcompiler-LICENSE.TXT', 'dxcompiler-ThirdPartyNotices.txt'].map((file) => `dist/${os}-${cpu}/${file}`)
      : [],
  noticesFolder: notices('dawn'),
  leftOut: {
    win32:
      'd3dcompiler_47.dll is left out: dxcompiler.dll compiles the shaders, and where Dawn wants the older compiler it\nlooks ' +
      'in the system folder of Windows, too.',
    darwin: 'Of the universal binary only the part for this processor is kept.',
  },
};

/** @type {readonly Part[]} */
export const parts = [onnxruntime, dawn];

/**
 * @param {Part} part
 * @param {Platform} platform
 */
export const packageName = (part, platform) => `@quickcolumn/${part.name}-${platformName(platform)}`;

/** Names of the packages made, for the optional dependencies of the one that loads them. */
export const partNames = () => parts.flatMap((part) => platforms.map((platform) => packageName(part, platform)));

/**
 * @param {string} name
 * @returns {{ version: string, license: string, dependencies?: Record<string, string> }}
 */
export function manifestOf(name) {
  return JSON.parse(readFileSync(join(folderOf(name), 'package.json'), 'utf8'));
}

/**
 * A file of the source package as it goes into a platform's package.
 * @param {Part} part
 * @param {string} file
 * @param {Platform} platform
 * @returns {Buffer}
 */
export function readPartFile({ source }, file, { os, cpu }) {
  const bytes = readFileSync(join(folderOf(source), file));
  if (file.endsWith('.js')) return Buffer.from(bytes.toString('utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
  return os === 'darwin' && file.endsWith('.node') ? thin(bytes, cpu) : bytes;
}
