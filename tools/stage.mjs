// Writes each package as it is published into a folder of its own: what `files` names, the licence, and a manifest
// without what only this repository uses. Source maps stay here, because the sources that they point to do.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { koffiPackage } from './native/koffi.mjs';
import { partNames } from './native/parts.mjs';
import { nativeHost, publicWorkspaces, root } from './workspaces.mjs';

/** @typedef {import('./workspaces.mjs').Workspace} Workspace */

/** ONNX Runtime as WebAssembly is one file with much of others' code in it, whose notices its npm package has not got. */
const ortNotices = new URL('native/notices/onnxruntime/ThirdPartyNotices.txt', import.meta.url);

/**
 * @param {string} to  folder that gets one folder for each package
 * @returns {{ name: string, folder: string }[]}
 */
export function stageWorkspaces(to) {
  rmSync(to, { recursive: true, force: true });
  const files = publishedFiles();
  return publicWorkspaces().map((workspace) => {
    const { name } = workspace.manifest;
    const folder = join(to, name.replace('@', '').replace('/', '-'));
    for (const file of files.get(name) ?? []) {
      if (!file.endsWith('.map') && file !== 'package.json')
        stageFile(join(workspace.folder, file), join(folder, file));
    }
    if (!existsSync(join(folder, 'README.md'))) throw new Error(`${workspace.path} has no README.md`);
    if (!existsSync(join(folder, 'dist'))) throw new Error(`${workspace.path} is not built; run npm run build`);
    // Weights have a licence of their own.
    if (!existsSync(join(folder, 'LICENSE'))) copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    const wasm = files.get(name)?.find((file) => /ort-wasm[^/]*\.wasm$/.test(file));
    if (wasm !== undefined) copyFileSync(ortNotices, join(folder, dirname(wasm), 'onnxruntime-ThirdPartyNotices.txt'));
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(publishedManifest(workspace), null, 2)}\n`);
    return { name, folder };
  });
}

/**
 * What npm would pack, for all packages in one call.
 * @returns {Map<string, string[]>}
 */
function publishedFiles() {
  const output = execFileSync('npm', ['pack', '--workspaces', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  // A list up to npm 11, an object by name from 12.
  /** @type {{ name: string, files: { path: string }[] }[]} */
  const packed = Object.values(JSON.parse(output));
  return new Map(packed.map(({ name, files }) => [name, files.map(({ path }) => path)]));
}

/**
 * @param {string} from
 * @param {string} to
 */
function stageFile(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  if (!/\.(js|d\.ts)$/.test(from)) return copyFileSync(from, to);
  writeFileSync(to, readFileSync(from, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

/** @param {Workspace} workspace */
function publishedManifest({ manifest }) {
  const { devDependencies: _dev, scripts: _scripts, ...published } = manifest;
  if (manifest.name !== nativeHost) return published;
  const native = Object.fromEntries(partNames().map((name) => [name, manifest.version]));
  const koffi = { koffi: `npm:${koffiPackage}@${manifest.version}` };
  return { ...published, optionalDependencies: { ...manifest.optionalDependencies, ...koffi, ...native } };
}
