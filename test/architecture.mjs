// Checks that the packages are built as docs/architecture.md says; part of `npm run check`. Circles of files are oxlint's
// part (import/no-cycle, types included). For every source file of every package:
// - it imports only packages that its package.json names (development ones in tests only), and only their public entries;
// - they stand in a lower line of the block of layers in docs/architecture.md;
// - its folder holds at most `largestFolder` source files, tests not counted.
//   node test/architecture.mjs [ROOT]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';

const largestFolder = 20;
/** Imports that reach into the built files of another package, for tests only, each with its reason. */
const deepImports = {
  'packages/runtimes/dist/webgpu/device/node.js':
    'a device is lost inside the program that is tested, by wrapping its one GPU',
  'packages/runtimes/dist/webgpu/program/lower.js':
    'bindings of whole training steps, which only learn can build, are counted',
};

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const problems = [];

/** Lines of the block, from the top layer to the lowest: package name (without scope) → number of its line. */
function readLayers() {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const block = /^```layers\n([\s\S]*?)^```$/m.exec(text);
  if (block === null) throw new Error('docs/architecture.md has no block of layers (```layers)');
  const lines = block[1].trim().split('\n');
  return new Map(
    lines.flatMap((line, depth) =>
      line
        .split(' — ')[0]
        .split(/\s+/)
        .map((name) => [name, depth]),
    ),
  );
}

const isTest = (path) => /\.test\./.test(path);
const shortName = (name) => name.replace('@quickcolumn/', '');
const isOurs = (name) => name === 'quickcolumn' || name.startsWith('@quickcolumn/');

/** The module specifiers of a file: static and dynamic imports, exports from, import types. */
function specifiersOf(path) {
  const found = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== 'object') return;
    const isImport = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression'];
    const source = isImport.includes(node.type) || node.type === 'TSImportType' ? node.source : undefined;
    if (typeof source?.value === 'string') found.push(source.value);
    Object.values(node).forEach(visit);
  };
  visit(parseAst(readFileSync(path, 'utf8'), { lang: 'ts' }, path).body);
  return found;
}

function checkRelative(path, specifier, folder) {
  const target = resolve(dirname(path), specifier);
  if (target.startsWith(folder + sep)) return;
  const inside = relative(root, target).split(sep).join('/');
  if (isTest(path) && Object.hasOwn(deepImports, inside)) return;
  problems.push(`${relative(root, path)}: imports ${specifier}, outside its package; import the package by its name`);
}

function checkPackage(path, specifier, { manifest, layers }) {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
  const say = (text) => problems.push(`${relative(root, path)}: imports ${specifier}, ${text}`);
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest;
  const named = { ...dependencies, ...peerDependencies, ...optionalDependencies };
  const rootNames = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies ?? {};
  const forTests = { ...devDependencies, ...rootNames };
  if (name === manifest.name) return say('which is its own package');
  // Tools from elsewhere (rolldown, playwright-core, types) serve files that are not published.
  if (!(name in named) && !((isTest(path) || !isOurs(name)) && name in forTests))
    return say(`which ${manifest.name} does not name in its package.json`);
  if (!isOurs(name)) return;
  const entry = `.${specifier.slice(name.length)}`;
  const target = join(root, 'node_modules', name, 'package.json');
  const exported = existsSync(target) ? JSON.parse(readFileSync(target, 'utf8')).exports : undefined;
  if (exported !== undefined && !(entry in exported)) say(`which is no entry of ${name}`);
  const [own, other] = [layers.get(shortName(manifest.name)), layers.get(shortName(name))];
  if (own !== undefined && other !== undefined && other <= own)
    say(`which does not stand below ${shortName(manifest.name)} in the layers of docs/architecture.md`);
}

const layers = readLayers();
for (const name of readdirSync(join(root, 'packages')).sort()) {
  const folder = join(root, 'packages', name);
  if (!existsSync(join(folder, 'package.json'))) continue;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (!layers.has(shortName(manifest.name)))
    problems.push(`packages/${name}: ${manifest.name} has no place in the layers of docs/architecture.md`);
  const entries = readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name));
  const counts = new Map();
  for (const { parentPath, name: file } of files) {
    const path = join(parentPath, file);
    if (!isTest(path)) counts.set(parentPath, (counts.get(parentPath) ?? 0) + 1);
    for (const specifier of specifiersOf(path)) {
      if (specifier.startsWith('.')) checkRelative(path, specifier, folder);
      else if (!specifier.startsWith('node:')) checkPackage(path, specifier, { manifest, layers });
    }
  }
  for (const [place, count] of counts)
    if (count > largestFolder)
      problems.push(`${relative(root, place)}: ${count} source files, at most ${largestFolder}; make rooms of it`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
