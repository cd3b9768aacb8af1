// Checks every package as it would be published: entry points, types, files. Part of `npm run check`; needs a build.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));
const folders = readdirSync(packages).filter((name) => existsSync(join(packages, name, 'package.json')));
const found = await Promise.all(
  folders.map(async (name) => {
    const manifest = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'));
    const { messages } = await publint({ pkgDir: join(packages, name), pack: false, strict: true, level: 'warning' });
    return messages.map((message) => `packages/${name}: ${formatMessage(message, manifest)}`);
  }),
);
for (const line of found.flat()) console.error(line);
process.exitCode = found.flat().length > 0 ? 1 : 0;
