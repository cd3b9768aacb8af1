/**
 * `npm install quickcolumn` as a user types it: the packed tarballs come from a registry on this machine, everything
 * else from the one that npm is configured for, into an empty folder outside of the repository. Then the command, a
 * short TypeScript program and its type check.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalRegistry, startRegistry } from '../../tools/local-registry.mjs';
import { partNames, parts, platformName } from '../../tools/native/parts.mjs';
import { packAll } from '../../tools/pack.mjs';
import { readPackage } from '../../tools/tarball.mjs';
import { type Installed, installedFiles, installInto, runPlain } from '../../tools/try-install.mjs';
import { mainPackage, root } from '../../tools/workspaces.mjs';

const budget = JSON.parse(readFileSync(new URL('budget.json', import.meta.url), 'utf8')) as {
  readonly megabytes: number;
  readonly packages: number;
};
/** Only against hanging: two cores shared with other work take long. */
const minutes = 60_000;
const here = { os: process.platform, cpu: process.arch } as Parameters<typeof platformName>[0];

let tarballs: readonly string[];
let registry: LocalRegistry;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'quickcolumn-install-'));
  tarballs = packAll({ thisPlatformOnly: true });
  registry = await startRegistry(tarballs);
}, 10 * minutes);

afterAll(async () => {
  await registry.close();
  rmSync(scratch, { recursive: true, force: true });
}, minutes);

/** What is looked at of `doctor --json`. */
interface Doctor {
  readonly runtimes: readonly {
    readonly name: string;
    readonly version?: string;
    readonly speeds?: readonly { readonly gflops: number }[];
  }[];
}

const newFolder = (name: string): string => {
  const folder = join(scratch, name);
  mkdirSync(folder);
  return folder;
};

const say = (title: string, { seconds, packages, bytes }: Installed): boolean =>
  process.stdout.write(`${title}: ${packages} packages, ${(bytes / 1e6).toFixed(0)} MB, ${seconds.toFixed(1)} s\n`);

describe('npm install quickcolumn', () => {
  let folder: string;
  let installed: Installed;

  beforeAll(async () => {
    folder = newFolder('with-scripts');
    installed = await installInto(folder, registry.url, [mainPackage, '--foreground-scripts']);
    say('npm install quickcolumn', installed);
  }, 10 * minutes);

  const run = (file: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    runPlain(folder, file, args);

  test('brings what is needed, within the budget, and warns of nothing', () => {
    expect(installed.bytes / 1e6).toBeLessThan(budget.megabytes);
    expect(installed.packages).toBeLessThanOrEqual(budget.packages);
    // npm names every package that has an install script, until its user allows it.
    expect(installed.log).not.toMatch(/warn|install script|>/i);
    expect(registry.served()).toContain(`@quickcolumn/onnxruntime-${platformName(here)}`);
  });

  test('brings no binary of another platform', () => {
    const files = installedFiles(join(folder, 'node_modules'));
    const binaries = files.filter((file) => /\.(node|dll|dylib|so(\.\d+)*|exe)$/.test(file));
    expect(binaries).not.toEqual([]);
    const system = { linux: 'linux', darwin: 'darwin', win32: 'win32' }[here.os];
    // koffi's package for Linux has the binary for musl beside the one for glibc.
    const mine = new RegExp(`(${system}|musl)[-/_]${here.cpu}|darwin-universal`);
    expect(binaries.filter((file) => !mine.test(file))).toEqual([]);
    const others = partNames().filter((name) => !name.endsWith(platformName(here)));
    expect(files.filter((file) => others.some((name) => file.startsWith(`${name}/`)))).toEqual([]);
  });

  test(
    'gives the command: --version and doctor',
    async () => {
      const { stdout: version } = await run('npx', 'quickcolumn', '--version');
      expect(version.trim()).toMatch(/^\d+\.\d+\.\d+/);
      const { stdout } = await run('npx', 'quickcolumn', 'doctor', '--json');
      const { runtimes } = JSON.parse(stdout) as Doctor;
      const onnx = runtimes.find(({ name }) => name === 'onnx');
      expect(onnx?.speeds?.[0].gflops).toBeGreaterThan(0);
    },
    10 * minutes,
  );

  test(
    'runs the demo; a TypeScript program predicts with its model',
    async () => {
      await run('npx', 'quickcolumn', 'demo', '--out', 'demo', '--epochs', '1', '--steps-per-epoch', '1');
      await run('npm', 'install', '@types/node@20', '--registry', registry.url, '--no-audit', '--no-fund');
      copyFileSync(new URL('program.ts', import.meta.url), join(folder, 'program.ts'));
      await check('nodenext', ['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023', '--types', 'node']);
      const { stdout } = await run(process.execPath, 'program.js');
      const [voxels, size] = stdout.trim().split(' ');
      expect(size.split('×').reduce((product, n) => product * Number(n), 1)).toBe(Number(voxels));
      expect(Number(voxels)).toBeGreaterThan(0);
    },
    10 * minutes,
  );

  test(
    'type-checks for bundlers, and for pages',
    async () => {
      copyFileSync(new URL('program.ts', import.meta.url), join(folder, 'program.ts'));
      const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2023', '--noEmit'];
      await expect(check('bundler', [...bundler, '--lib', 'es2023', '--types', 'node'])).resolves.toBeUndefined();
      const page = [
        '--lib',
        'es2023,dom,dom.iterable,dom.asynciterable',
        '--types',
        '',
        '--customConditions',
        'browser',
      ];
      writeFileSync(join(folder, 'program.ts'), pageProgram);
      await expect(check('page', [...bundler, ...page])).resolves.toBeUndefined();
    },
    10 * minutes,
  );

  /** As strict as it gets, declarations of packages included. */
  async function check(title: string, options: readonly string[]): Promise<void> {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const strict = [
      '--strict',
      '--skipLibCheck',
      'false',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
    ];
    await runPlain(folder, process.execPath, [tsc, 'program.ts', ...strict, ...options]).catch((cause: unknown) => {
      throw new Error(`tsc (${title})`, { cause });
    });
  }
});

const pageProgram = `import { readVolumeBlobs } from '@quickcolumn/io';
import { openModel, predictScan } from '@quickcolumn/predict';
export const used = { readVolumeBlobs, openModel, predictScan };
`;

describe('npm install quickcolumn, as some are made to do it', () => {
  test(
    '--ignore-scripts changes nothing',
    async () => {
      const folder = newFolder('ignore-scripts');
      say(
        'npm install quickcolumn --ignore-scripts',
        await installInto(folder, registry.url, [mainPackage, '--ignore-scripts']),
      );
      const { stdout } = await runPlain(folder, 'npx', ['quickcolumn', 'doctor', '--json']);
      const { runtimes } = JSON.parse(stdout) as Doctor;
      expect(runtimes.find(({ name }) => name === 'onnx')?.version).toMatch(/^\d+\./);
    },
    10 * minutes,
  );

  test(
    '--omit=optional says what is missing, and how to get it',
    async () => {
      const folder = newFolder('omit-optional');
      await installInto(folder, registry.url, [mainPackage, '--omit=optional']);
      const said = await runPlain(folder, 'npx', ['quickcolumn', 'doctor']).then(({ stdout }) => stdout, String);
      expect(said).toContain(`npm install @quickcolumn/onnxruntime-${platformName(here)}`);
      expect(said).toContain('--omit=optional');
    },
    10 * minutes,
  );
});

describe('native parts', () => {
  test('each has its licences and names what it is made from', () => {
    for (const tarball of tarballs) {
      const { manifest, files } = readPackage(tarball);
      const part = parts.find(({ name }) => manifest.name.startsWith(`@quickcolumn/${name}-`));
      expect(files.has('README.md'), manifest.name).toBe(true);
      expect(
        [...files.keys()].some((file) => file.startsWith('LICENSE')),
        manifest.name,
      ).toBe(true);
      expect(manifest.scripts, manifest.name).toBeUndefined();
      if (part === undefined) continue;
      expect(files.get('ThirdPartyNotices.txt')?.length, manifest.name).toBeGreaterThan(10_000);
      expect(files.get('README.md')?.toString('utf8')).toContain(part.source);
      expect(manifest).toMatchObject({ os: [here.os], cpu: [here.cpu] });
    }
  });
});
