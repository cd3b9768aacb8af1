// koffi without its install script and its C++ sources: `@quickcolumn/koffi`, installed under the name `koffi`. Its
// binaries are packages of one platform each already (`@koromix/koffi-…`); its script would compile where none is found,
// and npm warns of every package that has a script.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';

export const koffiPackage = '@quickcolumn/koffi';

const folder = dirname(createRequire(import.meta.url).resolve('koffi'));
const files = [
  'LICENSE.txt',
  'index.cjs',
  'index.d.ts',
  'index.js',
  'src/koffi/index.cjs',
  'src/koffi/index.js',
  'src/koffi/src/static.cjs',
  'src/koffi/src/static.js',
];

/**
 * @param {string} to
 * @param {string} version
 */
export function stageKoffi(to, version) {
  const source = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const file of files) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(folder, file), join(to, file));
  }
  const { author, license, type, types, exports } = source;
  const manifest = {
    name: koffiPackage,
    version,
    description: 'koffi (calls C functions) without an install script, for Quickcolumn',
    license,
    author,
    type,
    main: source.main,
    types,
    exports: { '.': exports['.'] },
    engines: { node: '>=20.19' },
    optionalDependencies: source.optionalDependencies,
    quickcolumn: { madeFrom: `koffi@${source.version}` },
  };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    join(to, 'README.md'),
    `# ${koffiPackage}

[koffi](https://koffi.dev) ${source.version} by ${author.name}, which lets Node.js call C functions: its JavaScript, unchanged, without the
install script and the sources. quickcolumn calls oneDNN with it and installs it by itself; for
everything else take \`koffi\`.

Licence: MIT, in \`LICENSE.txt\`.
`,
  );
}
