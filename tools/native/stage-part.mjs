// Writes the folder of one platform package, and refuses one that is not whole: every library that a binary asks for
// is in the folder or the system's, and a library that was left out is asked for by none (or by a delayed import).
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { importsOf } from './imports.mjs';
import { manifestOf, packageName, platformName, readPartFile } from './parts.mjs';

/** What the systems bring; on Windows the Visual C++ runtime is the user's to install, as for Node's other add-ons. */
const ofTheSystem = [
  /^(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s)\.so\.\d+$/,
  /^ld-linux-(x86-64|aarch64)\.so\.\d$/,
  /^\/(System\/Library|usr\/lib)\//,
  /^api-ms-win-/i,
  /^(kernel32|user32|shell32|advapi32|ole32|oleaut32|setupapi|dbghelp|d3d12|dxgi)\.dll$/i,
  /^(msvcp140(_1|_atomic_wait)?|vcruntime140(_1)?)\.dll$/i,
  /^node\.exe$/i,
];

/**
 * @param {string} folder
 * @param {import('./parts.mjs').Part} part
 * @param {import('./parts.mjs').Platform} platform
 * @param {string} version
 */
export function stagePart(folder, part, platform, version) {
  const name = packageName(part, platform);
  const source = manifestOf(part.source);
  const binaries = part.binaries(platform);
  for (const file of [...part.modules, ...binaries, ...part.notices(platform)]) {
    const to = join(folder, file);
    mkdirSync(dirname(to), { recursive: true });
    const bytes = readPartFile(part, file, platform);
    if (binaries.includes(file)) checkImports(name, file, bytes, binaries);
    writeFileSync(to, bytes);
  }
  const licences = readdirSync(part.noticesFolder);
  for (const file of licences) copyFileSync(join(part.noticesFolder, file), join(folder, file));
  if (!existsSync(join(folder, 'LICENSE'))) throw new Error(`${name} has no LICENSE`);

  const { os, cpu } = platform;
  const leftOut = part.leftOut[os];
  const manifest = {
    name,
    version,
    description: `${part.title} for ${platformName(platform)}, as Quickcolumn uses it`,
    license: part.license,
    type: part.type,
    main: part.main,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' ? { libc: ['glibc'] } : {}),
    engines: { node: '>=20.19' },
    dependencies: part.dependencies,
    quickcolumn: { madeFrom: `${part.source}@${source.version}` },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    join(folder, 'README.md'),
    `# ${name}

${part.title} for ${platformName(platform)}: the native part of quickcolumn, which
installs it by itself. It is of no use alone.

Made from the npm package \`${part.source}\` ${source.version}: its JavaScript and the binaries of this one platform,
unchanged, without install scripts.${leftOut === undefined ? '' : `\n${leftOut}`}

Licences: \`LICENSE\` and \`${licences.filter((file) => file !== 'LICENSE').join('`, `')}\`${
      part.notices(platform).length > 0 ? `, and those beside the binaries` : ''
    }.
`,
  );
}

/**
 * @param {string} name
 * @param {string} file
 * @param {Buffer} bytes
 * @param {readonly string[]} binaries
 */
function checkImports(name, file, bytes, binaries) {
  const here = new Set(binaries.map((path) => basename(path).toLowerCase()));
  const missing = importsOf(bytes).needed.filter(
    (library) => !here.has(basename(library).toLowerCase()) && !ofTheSystem.some((pattern) => pattern.test(library)),
  );
  if (missing.length > 0)
    throw new Error(`${name}: ${file} needs ${missing.join(', ')}, which the package has not got`);
}
