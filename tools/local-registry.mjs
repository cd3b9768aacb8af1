// An npm registry on this machine that has our packed packages and passes on every other request to the registry that
// npm is configured for. `npm install quickcolumn` is tried with it as a user would type it, before anything is published.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { readPackage } from './tarball.mjs';

/**
 * @typedef {object} LocalRegistry
 * @property {string} url
 * @property {() => readonly string[]} served  names of our packages that were asked for
 * @property {() => Promise<void>} close
 */

/**
 * @param {readonly string[]} tarballs
 * @returns {Promise<LocalRegistry>}
 */
export async function startRegistry(tarballs) {
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  }).trim();
  const files = new Map(tarballs.map((path) => [basename(path), path]));
  const ours = new Map(
    tarballs.map((path) => {
      const { manifest } = readPackage(path);
      const integrity = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
      return [manifest.name, { manifest, file: basename(path), integrity }];
    }),
  );
  /** @type {Set<string>} */
  const served = new Set();

  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    const file = files.get(path.replace(/^-\//, ''));
    if (file !== undefined) return void response.end(readFileSync(file));
    const one = ours.get(path);
    if (one === undefined) {
      // Names of ours that were not packed exist nowhere: whoever asks for them gets an honest 404.
      if (path.startsWith('@quickcolumn/')) return void response.writeHead(404).end('{}');
      return void response.writeHead(307, { location: new URL(request.url ?? '/', upstream).href }).end();
    }
    served.add(path);
    const { name, version } = one.manifest;
    const dist = { tarball: `http://${request.headers.host}/-/${one.file}`, integrity: one.integrity };
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { ...one.manifest, dist } },
      }),
    );
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    served: () => [...served],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
