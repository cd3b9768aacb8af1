/**
 * A small file server for the example page and the tests: folders under addresses, and the two headers that make a page
 * cross-origin isolated, without which browsers give no shared memory and WebAssembly has one thread.
 *
 * It gives files of its folders to pages of this machine and nothing else to nobody: a page of another site that makes its
 * own name lead here (DNS rebinding) says that name in `Host` and is refused, and links do not lead out of a folder.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, sep } from 'node:path';
import { normalize } from 'node:path/posix';

export interface ServeOptions {
  /** Folder of each address; the longest one that fits counts. */
  readonly folders: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Send COOP and COEP (default true). */
  readonly isolated?: boolean;
}

export interface Server {
  readonly url: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** Serves on this machine only. */
export async function serve({ folders, port = 0, isolated = true }: ServeOptions): Promise<Server> {
  const addresses = Object.keys(folders).toSorted((a, b) => b.length - a.length);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (!isOurs(request)) return void response.writeHead(403).end('open this page as localhost\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return void response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    }
    const file = await fileOf(request.url ?? '/', addresses, folders);
    if (file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Cache-Control': 'no-store',
      // Nothing may come from anywhere else.
      'Content-Security-Policy':
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:",
      ...(isolated
        ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
        : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Whether the address that was asked for is this machine's. */
function isOurs({ headers: { host = '' }, socket: { localPort } }: IncomingMessage): boolean {
  return ['localhost', '127.0.0.1'].some(
    (name) => host === `${name}:${localPort}` || (localPort === 80 && host === name),
  );
}

/** A file in the folder of its address, links followed; undefined where there is none or the address cannot be read. */
async function fileOf(
  url: string,
  addresses: readonly string[],
  folders: ServeOptions['folders'],
): Promise<string | undefined> {
  let path: string;
  try {
    path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
  } catch {
    return undefined;
  }
  // A backslash separates and a colon names a disk or a stream on Windows; neither is in a name that is served.
  if (/[\\:\0]/.test(path)) return undefined;
  const address = addresses.find((prefix) => path.startsWith(prefix));
  if (address === undefined) return undefined;
  try {
    const folder = await realpath(folders[address]);
    const file = await realpath(join(folder, path.slice(address.length) || 'index.html'));
    return file.startsWith(folder + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
