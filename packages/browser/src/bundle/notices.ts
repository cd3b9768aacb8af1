/**
 * THIRD-PARTY-NOTICES.txt: whose code is in a bundle, and under which licence. Runs in Node, as part of bundle.ts.
 *
 * What is inside is what the bundler says that it wrote, not what package.json files list. The trap: some packages ship no
 * licence text; they are accepted only where they name an SPDX licence, and the notices say that the text was missing.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Name of the file beside the bundle. */
export const noticesFile = 'THIRD-PARTY-NOTICES.txt';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: unknown;
  readonly repository?: string | { readonly url?: string };
}

interface ForeignPackage extends Manifest {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** Those in the bundle. */
  readonly files: Set<string>;
}

/** Code that the bundler itself adds. */
const bundlersOwn = '\0rolldown/';
const licenceNames = /^(licen[cs]e|copying)([-._].*)?$/i;
const noticeNames = /^(notice|third-?party-?notices?)([-._].*)?$/i;
const codeNames = /\.([cm]?[jt]s|json|map)$/i;
/** Identifiers joined by AND, OR and WITH, without what means that there is no licence. */
const spdx = /^(?!UNLICENSED$)\(*[\w.+-]+\)*( (AND|OR|WITH) \(*[\w.+-]+\)*)*$/;

/**
 * @param files paths of all files with code in the bundle, or the bundler's names of what it made itself; those of
 *   packages named `own` are left out
 * @returns name, version, licence and its text for each package, sorted by name
 * @throws Error for a package with neither a licence file nor an SPDX licence in its package.json
 */
export async function thirdPartyNotices(files: Iterable<string>, own = '@quickcolumn/'): Promise<string> {
  const found = new Map<string, ForeignPackage>();
  for (const file of files) {
    const path = file.startsWith(bundlersOwn) ? bundlersPath() : file;
    const one = await packageOf(path);
    if (one.name.startsWith(own)) continue;
    const key = `${one.name}@${one.version}`;
    found.set(key, found.get(key) ?? one);
    found.get(key)?.files.add(path);
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  const sections: string[] = [];
  for (const [, one] of sorted) sections.push(await sectionOf(one));
  const line = '='.repeat(80);
  return ['These scripts contain code of other packages.\n', ...sections].join(`\n${line}\n\n`);
}

const bundlersPath = (): string => createRequire(import.meta.url).resolve('rolldown');

/** The nearest folder with a package.json that has a name: some packages have others inside. */
async function packageOf(file: string): Promise<ForeignPackage> {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const manifest = JSON.parse(text) as Manifest;
    const { name, version } = manifest;
    if (name !== undefined && version !== undefined) return { ...manifest, name, version, folder, files: new Set() };
  }
  throw new Error(
    `${JSON.stringify(file)} is in the bundle and belongs to no package: it is not known whose code it is`,
  );
}

async function sectionOf({ name, version, license, repository, folder, files }: ForeignPackage): Promise<string> {
  const names = (await readdir(folder)).filter((file) => !codeNames.test(file)).sort();
  const licences = names.filter((file) => licenceNames.test(file));
  const texts: string[] = [];
  for (const file of [...licences, ...names.filter((entry) => noticeNames.test(entry))])
    texts.push((await readFile(join(folder, file), 'utf8')).trim());
  const named = typeof license === 'string' && spdx.test(license) ? license : undefined;
  if (licences.length === 0) {
    if (named === undefined) {
      throw new Error(
        `${name}@${version} is in the bundle and says nothing of its licence: there is no licence file in ${folder}, and ` +
          `its package.json names ${JSON.stringify(license) ?? 'none'}; expected an SPDX licence. Do not ship it, or ask its authors`,
      );
    }
    const url = typeof repository === 'string' ? repository : repository?.url;
    const where = url === undefined ? '' : `; its sources, with their notices: ${url}`;
    texts.unshift(`The package comes without the text of its licence${where}`, ...(await bannersOf(files)));
  }
  return `${name} ${version}\nLicence: ${named ?? 'see below'}\n\n${texts.join('\n\n')}\n`;
}

/** What the files themselves say first, in comments that are meant to be kept. */
async function bannersOf(files: Iterable<string>): Promise<Set<string>> {
  const banners = new Set<string>();
  for (const file of files) {
    if (!codeNames.test(file)) continue;
    const [, banner] = /^\s*\/\*!([\s\S]*?)\*\//.exec(await readFile(file, 'utf8')) ?? [];
    if (banner !== undefined) banners.add(banner.replaceAll(/^[ \t]*\* ?/gm, '').trim());
  }
  return banners;
}
