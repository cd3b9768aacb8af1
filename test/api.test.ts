/** What each package offers is what its `api.md` says: a change of the public API is seen, and decided. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../tools/api.mjs', import.meta.url));

test('the public API of every package is as written down; `npm run api` writes it anew', async () => {
  const outcome = await new Promise((resolve) => {
    execFile(process.execPath, [script, '--check'], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
  expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
});
