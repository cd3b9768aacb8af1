/**
 * Judges: programs, libraries and data from elsewhere that tests compare our results with.
 *
 * Each is looked for here and not by the code under test, so that a loader of ours that stops to find its library fails
 * its tests instead of skipping them. `.ci/run` names in QUICKCOLUMN_REQUIRE_JUDGES those that must be there;
 * QUICKCOLUMN_WITHOUT_JUDGES names some that are taken as absent.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, join, resolve } from 'node:path';
import { chromiumFolder } from './software-gpu.js';

interface Judge {
  /** What it judges, for the table at the end of a run. */
  readonly title: string;
  /** How to get it, for the message where it is missing. */
  readonly hint: string;
  /** The program, library or folder. */
  readonly find: () => string | undefined;
  /** The version of what `find` found. */
  readonly version: (path: string) => string;
}

const libraryFolders: readonly string[] = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  '/opt/homebrew/lib',
];
/** Beside the clone, unless QUICKCOLUMN_SHARED says otherwise. From packages/testing/dist. */
const sharedFolder = process.env['QUICKCOLUMN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');

export type JudgeName =
  | 'oneDNN'
  | 'Chromium'
  | 'WebGPU'
  | 'dciodvfy'
  | 'dcm2niix'
  | 'dcmtk'
  | 'Orthanc'
  | 'dcmqi'
  | 'ITK'
  | 'shared';

const judges: Readonly<Record<JudgeName, Judge>> = {
  oneDNN: {
    title: 'oneDNN, the library of the onednn runtime',
    hint: 'apt-get install libdnnl2 (Debian 12) or libdnnl3.6 (Debian 13), or set QUICKCOLUMN_DNNL',
    find: () =>
      chosen('QUICKCOLUMN_DNNL') ??
      first(['libdnnl.so.3', 'libdnnl.so.2', 'libdnnl.3.dylib'].flatMap((name) => inFolders(libraryFolders, name))),
    version: (path) => /\d[\d.]*\d|\d/.exec(basename(realpathSync(path)))?.[0] ?? 'of unknown version',
  },
  Chromium: {
    title: 'Chromium, for the browser package',
    hint: 'apt-get install chromium, or set QUICKCOLUMN_CHROMIUM',
    find: () => chosen('QUICKCOLUMN_CHROMIUM') ?? first(programs('chromium', 'chromium-browser', 'google-chrome')),
    version: (path) => firstMatch(path, ['--version'], /\d+(\.\d+)+/),
  },
  WebGPU: {
    title: 'WebGPU in Node: SwiftShader of Chromium, or the driver of a graphics card',
    hint: 'apt-get install chromium (which brings SwiftShader), or a Vulkan driver',
    find: () =>
      process.env['VK_ICD_FILENAMES'] ??
      first([join(chromiumFolder, 'vk_swiftshader_icd.json')]) ??
      ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d'].find((folder) => existsSync(folder) && hasFiles(folder)),
    version: (path) => basename(path, '.json'),
  },
  dciodvfy: {
    title: 'dciodvfy, a validator of DICOM files',
    hint: 'apt-get install dicom3tools',
    find: () => first(programs('dciodvfy')),
    version: (path) => firstMatch(path, ['-version'], /snapshot\.\d{8}|\d+(\.\d+)+/),
  },
  dcm2niix: {
    title: 'dcm2niix, a converter of DICOM series',
    hint: 'apt-get install dcm2niix',
    find: () => first(programs('dcm2niix')),
    version: (path) => firstMatch(path, ['--version'], /\d+(\.\d+)+/),
  },
  dcmtk: {
    title: 'dcmtk, decoders of DICOM images',
    hint: 'apt-get install dcmtk',
    find: () => first(programs('dcmdjpeg')),
    version: (path) => firstMatch(path, ['--version'], /\d+(\.\d+)+/),
  },
  Orthanc: {
    title: 'Orthanc, an archive of DICOM studies',
    hint: 'apt-get install orthanc',
    find: () => first([...programs('Orthanc'), '/usr/sbin/Orthanc']),
    version: (path) => firstMatch(path, ['--version'], /\d+(\.\d+)+/),
  },
  dcmqi: {
    title: 'dcmqi in itk-wasm, a reader of segmentations',
    hint: 'npm install @itk-wasm/dicom in a folder of its own and set QUICKCOLUMN_ITK_WASM to it',
    find: () => itkWasm('dicom'),
    version: packageVersion,
  },
  ITK: {
    title: 'ITK in itk-wasm, a reader of volumes',
    hint: 'npm install @itk-wasm/image-io in a folder of its own and set QUICKCOLUMN_ITK_WASM to it',
    find: () => itkWasm('image-io'),
    version: packageVersion,
  },
  shared: {
    title: 'the shared folder: real scans and files of other projects',
    hint: 'put it beside the clone, or set QUICKCOLUMN_SHARED',
    find: () => first([join(sharedFolder, 'data')]),
    version: (path) => `of ${readdirSync(path).length} entries`,
  },
};

export const judgeNames: readonly JudgeName[] = Object.keys(judges) as JudgeName[];

/** Names in an environment variable, separated by commas; `1` stands for all. @throws Error for an unknown name */
function namesIn(variable: string): ReadonlySet<JudgeName> {
  const names = (process.env[variable] ?? '').split(',').filter((name) => name !== '');
  if (names.includes('1')) return new Set(judgeNames);
  const unknown = names.filter((name) => !(name in judges));
  if (unknown.length > 0)
    throw new Error(`${variable}: unknown judges ${unknown.join(', ')}; expected 1 or some of ${judgeNames.join(',')}`);
  return new Set(names as JudgeName[]);
}

const found = new Map<JudgeName, string | undefined>();

/** Where the judge is, or undefined. Looked for once in a process. */
export function findJudge(name: JudgeName): string | undefined {
  if (!found.has(name)) {
    const wanted = !namesIn('QUICKCOLUMN_WITHOUT_JUDGES').has(name);
    found.set(name, wanted ? judges[name].find() : undefined);
  }
  return found.get(name);
}

/** True where QUICKCOLUMN_REQUIRE_JUDGES names it: that it is missing is then an error. */
export function isRequired(name: JudgeName): boolean {
  return namesIn('QUICKCOLUMN_REQUIRE_JUDGES').has(name);
}

export function describeJudge(name: JudgeName): { title: string; hint: string; version: string | undefined } {
  const { title, hint, version } = judges[name];
  const path = findJudge(name);
  return { title, hint, version: path === undefined ? undefined : version(path) };
}

/** A path or a name in an environment variable goes before everything else; it is taken as it is. */
function chosen(variable: string): string | undefined {
  const path = process.env[variable];
  return path === undefined || path === '' ? undefined : path;
}

/** The package.json of a part of itk-wasm, which is too large to be a dependency. */
function itkWasm(part: string): string | undefined {
  const folder = chosen('QUICKCOLUMN_ITK_WASM');
  return folder && first([join(folder, 'node_modules/@itk-wasm', part, 'package.json')]);
}

function packageVersion(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function inFolders(folders: readonly string[], name: string): string[] {
  return folders.map((folder) => join(folder, name));
}

/** The places where programs of these names would be. */
function programs(...names: string[]): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => inFolders(folders, name));
}

function first(paths: readonly string[]): string | undefined {
  return paths.find((path) => {
    try {
      accessSync(path, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function hasFiles(folder: string): boolean {
  return readdirSync(folder).length > 0;
}

function firstMatch(program: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  return pattern.exec(`${stdout}${stderr}`)?.[0] ?? 'of unknown version';
}
