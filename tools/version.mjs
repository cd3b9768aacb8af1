// `npm run version-packages`: the next version of all packages from the files in .changeset, whose texts become a section
// of CHANGELOG.md; an open one ("(unreleased)") is completed and becomes that of this version.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mainPackage, root, workspaces } from './workspaces.mjs';

const folder = join(root, '.changeset');
const texts = readdirSync(folder)
  .filter((file) => file.endsWith('.md') && file !== 'README.md')
  .sort()
  .map((file) =>
    readFileSync(join(folder, file), 'utf8')
      .replace(/^---\n.*?\n---\n/s, '')
      .trim(),
  );
if (texts.length === 0) throw new Error('there is no changeset; npm run changeset makes one');

const run = (/** @type {string} */ file, /** @type {string[]} */ ...args) =>
  execFileSync(file, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
run(process.execPath, join(root, 'node_modules/@changesets/cli/bin.js'), 'version');
const version = workspaces().find(({ manifest }) => manifest.name === mainPackage)?.manifest.version;

const path = join(root, 'CHANGELOG.md');
const changelog = readFileSync(path, 'utf8');
const items = texts.map((text) => `- ${text.replaceAll('\n', '\n  ')}`).join('\n');
const [head, ...sections] = changelog.split(/^(?=## )/m);
const next = /\(unreleased\)\n/.test(sections[0] ?? '')
  ? [`${sections[0].replace(/^## .*\n/, `## ${version}\n`).trimEnd()}\n${items}\n\n`, ...sections.slice(1)]
  : [`## ${version}\n\n${items}\n\n`, ...sections];
writeFileSync(path, `${[head, ...next].join('').trimEnd()}\n`);

run('npm', 'install', '--package-lock-only');
run(process.execPath, join(root, '.ci/complete-lockfile.mjs'));
console.log(`version ${version}; look at it, commit it, then npm run release -- --dry-run`);
