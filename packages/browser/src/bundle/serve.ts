/**
 * A small file server for the example page and the tests: folders under addresses, and the two headers that make a page
 * cross-origin isolated, without which browsers give no shared memory and WebAssembly has one thread.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

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
  const server = createServer((request, response) => {
    const file = fileOf(request.url ?? '/', addresses, folders);
    void isFile(file).then((there) => {
      if (!there || file === undefined) return response.writeHead(404).end();
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
      return createReadStream(file)
        .on('error', () => response.destroy())
        .pipe(response);
    });
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

/** Below its folder whatever the address says; undefined for addresses that cannot be read. */
function fileOf(url: string, addresses: readonly string[], folders: ServeOptions['folders']): string | undefined {
  let path: string;
  try {
    path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
  } catch {
    return undefined;
  }
  const address = addresses.find((prefix) => path.startsWith(prefix));
  return address === undefined ? undefined : join(folders[address], path.slice(address.length) || 'index.html');
}

async function isFile(path: string | undefined): Promise<boolean> {
  if (path === undefined || path.includes('\0')) return false;
  return await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
