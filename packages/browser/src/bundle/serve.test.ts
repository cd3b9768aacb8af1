/** What the server of the example page gives away, and to whom. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type Server } from './serve.js';

let root = '';
let server: Server;
let port = 0;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** As it stands: `fetch` would put paths right and choose the host. */
async function ask(path: string, { host = `localhost:${port}`, method = 'GET' } = {}): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request({ port, path, method, headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    sent.on('error', reject).end();
  });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-serve-'));
  await mkdir(join(root, 'page', 'inner'), { recursive: true });
  await mkdir(join(root, 'page-of-others'));
  await writeFile(join(root, 'page', 'index.html'), 'the page');
  await writeFile(join(root, 'page', 'inner', 'a.js'), 'a script');
  await writeFile(join(root, 'secret.txt'), 'a secret');
  await writeFile(join(root, 'page-of-others', 'secret.txt'), 'a secret');
  await symlink(join(root, 'secret.txt'), join(root, 'page', 'out.txt'));
  await symlink(root, join(root, 'page', 'up'));
  await symlink(join(root, 'page', 'inner', 'a.js'), join(root, 'page', 'within.js'));
  server = await serve({ folders: { '/': join(root, 'page') } });
  port = Number(new URL(server.url).port);
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

describe('serve', () => {
  it('gives files of its folder, and links that stay in it', async () => {
    expect(await ask('/')).toMatchObject({ status: 200, text: 'the page' });
    expect(await ask('/', { host: `127.0.0.1:${port}` })).toMatchObject({ status: 200 });
    const script = await ask('/inner/a.js?x=1');
    expect(script).toMatchObject({ status: 200, text: 'a script' });
    expect(script.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-type': 'text/javascript; charset=utf-8',
    });
    expect(await ask('/within.js')).toMatchObject({ status: 200, text: 'a script' });
    expect(await ask('/inner/a.js', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  it.each(['evil.example', 'evil.example:8017', 'localhost', 'localhost:1', '127.0.0.1.evil.example'])(
    'refuses the host %j',
    async (host) => {
      const { status, text } = await ask('/', { host });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain('the page');
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('refuses %s', async (method) => {
    expect(await ask('/', { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it.each([
    '/out.txt',
    '/up/secret.txt',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%2f..%2f..%2f..%2fetc%2fpasswd',
    '/..%5csecret.txt',
    '/inner%5c..%5c..%5csecret.txt',
    '/c:%5cwindows%5cwin.ini',
    '/index.html::$DATA',
    '/%00',
    '/%',
    '//etc/passwd',
    '/../page-of-others/secret.txt',
    '/inner',
    '/nowhere',
  ])('has nothing at %s', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404, text: '' });
  });
});
