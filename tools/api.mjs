// `npm run api`: writes what each package offers into `api.md` beside its package.json: the exported names with their
// types, without comments, and the types behind them that are not exported. With `--check` it compares and writes
// nothing. A change of these files is a decision: review it, and say it in a changeset. Needs a build.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { declarationsAt, exportsOf, resolveName } from './declarations.mjs';
import { publicWorkspaces } from './workspaces.mjs';

/** @typedef {import('./declarations.mjs').Origin} Origin */

const check = process.argv.includes('--check');
const differing = publicWorkspaces().filter((workspace) => {
  const path = join(workspace.folder, 'api.md');
  const now = apiOf(workspace);
  if (existsSync(path) && readFileSync(path, 'utf8') === now) return false;
  if (!check) writeFileSync(path, now);
  return true;
});
const written = differing.map(({ path }) => `${path}/api.md`);
if (!check) console.log(written.length > 0 ? `written: ${written.join(', ')}` : 'nothing changed');
else if (written.length > 0) {
  console.error(
    `the public API of ${written.length} packages is not what ${written.join(', ')} say; look at the change with: npm run api && git diff`,
  );
  process.exitCode = 1;
}

/**
 * @param {import('./workspaces.mjs').Workspace} workspace
 * @returns {string}
 */
function apiOf({ folder, manifest }) {
  const [first, ...others] = typesOf(manifest.exports ?? {}).map(([title, file]) => ({
    title,
    file: join(folder, file),
  }));
  const parts = [
    `\n## ${first.title}\n\n${describe(first.file)}`,
    ...others.map(({ title, file }) => `\n## ${title}\n\n${difference(first.file, file)}`),
  ];
  return `# Public API of ${manifest.name}\n\nWritten by \`npm run api\`; a test compares it.\n${parts.join('')}`;
}

/**
 * Declaration files by entry and condition, the ordinary one first.
 * @param {import('./workspaces.mjs').Exports} exports
 * @param {string} [title]
 * @returns {[title: string, file: string][]}
 */
function typesOf(exports, title = '') {
  if (typeof exports === 'string') return [];
  return Object.entries(exports)
    .flatMap(([condition, value]) => {
      if (condition === 'types' && typeof value === 'string') return [/** @type {[string, string]} */ ([title, value])];
      return typesOf(value, condition.startsWith('.') ? `\`${condition}\`` : `${title}, condition \`${condition}\``);
    })
    .sort(([a], [b]) => a.length - b.length);
}

/**
 * @param {string} file
 * @returns {string}
 */
function describe(file) {
  const exported = exportsOf(file);
  const isExported = new Set([...exported.values()].map(keyOf));
  /** @type {Map<string, string>} */
  const hidden = new Map();
  /** @type {Map<string, Set<string>>} */
  const foreign = new Map();

  /** @param {Origin} origin */
  const follow = (origin) => {
    for (const { file: at, refersTo } of declarationsAt(origin)) {
      for (const name of refersTo) {
        const target = resolveName(at, name);
        if (!target) continue;
        if ('package' in target)
          foreign.set(target.package, (foreign.get(target.package) ?? new Set()).add(target.name));
        else if (!isExported.has(keyOf(target)) && !hidden.has(keyOf(target))) {
          hidden.set(keyOf(target), textOf(target));
          follow(target);
        }
      }
    }
  };
  for (const origin of exported.values()) follow(origin);

  const own = [...exported].sort(byName).map(([name, origin]) => {
    if ('package' in origin) return `export { ${origin.name} as ${name} } from '${origin.package}';`;
    return `${textOf(origin)}${origin.name === name ? '' : ` // as ${name}`}`;
  });
  const behind = [...hidden].sort(byName).map(([, text]) => text.replace(/^export /gm, ''));
  const others = [...foreign].sort(byName).map(([name, types]) => `${name} (${[...types].sort().join(', ')})`);
  return [
    code(own),
    ...(behind.length > 0 ? [`\nTypes behind it that are not exported:\n\n${code(behind)}`] : []),
    ...(others.length > 0 ? [`\nTypes of other packages in it: ${others.join('; ')}.\n`] : []),
  ].join('');
}

/**
 * Another entry, as far as it differs from the first.
 * @param {string} first
 * @param {string} other
 */
function difference(first, other) {
  const there = exportsOf(first);
  const here = exportsOf(other);
  const same = [...here].filter(([name, origin]) => declarationOf(there.get(name)) === declarationOf(origin));
  const shared = new Set(same.map(([name]) => name));
  const own = [...here].filter(([name]) => !shared.has(name)).sort(byName);
  const missing = [...there.keys()].filter((name) => !here.has(name)).sort();
  return [
    `The ${same.length} of the first entry that are not named here are the same.\n`,
    ...(missing.length > 0 ? [`\nMissing: ${missing.map((name) => `\`${name}\``).join(', ')}.\n`] : []),
    ...(own.length > 0 ? [`\n${code(own.map(([, origin]) => textOf(origin)))}`] : []),
  ].join('');
}

/** @param {Origin | undefined} origin */
function declarationOf(origin) {
  return origin && keyOf(origin);
}

/** @param {readonly string[]} lines */
function code(lines) {
  return `\`\`\`ts\n${lines.join('\n')}\n\`\`\`\n`;
}

/** @param {Origin} origin */
function textOf(origin) {
  return declarationsAt(origin)
    .map(({ text }) => text)
    .join('\n');
}

/** @param {Origin} origin */
function keyOf(origin) {
  return `${origin.name} ${'file' in origin ? origin.file : origin.package}`;
}

/**
 * @param {readonly [string, unknown]} a
 * @param {readonly [string, unknown]} b
 */
function byName([a], [b]) {
  return a.localeCompare(b, 'en');
}
