// Reads npm's tarballs without unpacking them: what is in a package, as a user gets it.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/**
 * @typedef {object} PackedPackage
 * @property {import('./workspaces.mjs').Manifest} manifest
 * @property {ReadonlyMap<string, Buffer>} files  by path within the package
 */

/**
 * @param {string} path
 * @returns {PackedPackage}
 */
export function readPackage(path) {
  const tar = gunzipSync(readFileSync(path));
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  const text = (/** @type {number} */ at, /** @type {number} */ length) =>
    tar.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  let longPath;
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const kind = String.fromCharCode(tar[at + 156]);
    const body = tar.subarray(at + 512, at + 512 + size);
    // A pax header holds the path of the next entry where it is longer than 100 bytes.
    if (kind === 'x') longPath = /^\d+ path=(.*)$/m.exec(body.toString('utf8'))?.[1];
    else if (kind === '0' || kind === '\0') {
      const prefix = text(at + 345, 155);
      const name = longPath ?? (prefix === '' ? '' : `${prefix}/`) + text(at, 100);
      files.set(name.replace(/^package\//, ''), body);
      longPath = undefined;
    }
    at += 512 + 512 * Math.ceil(size / 512);
  }
  const manifest = files.get('package.json');
  if (!manifest) throw new Error(`${path}: no package.json`);
  return { manifest: JSON.parse(manifest.toString('utf8')), files };
}
