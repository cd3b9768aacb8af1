/** `--anonymize`: no command's results tell a name or a path of what they were made of. */
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shownNames } from '@quickcolumn/workflows';
import { filesIn, type Outcome, quickcolumn } from './command.test.helpers.js';

const people = ['Doe_Jane_4711', 'Doe_John_4712', 'Roe Richard', 'Roe_Rita_4714'];
/** What must not show: of the names, the patients and the folder; too long to occur in a picture by chance. */
const secrets = [
  'Jane_471',
  'John_471',
  'Richard',
  'Rita_471',
  'Rex_471',
  'Twice_471',
  'Ward_of_',
  'P-00000',
  'radiopaedia',
];
const data = 'Ward_of_Seven';
let folder = '';

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-cli-')), 'work');
  await mkdir(folder);
  const cases = await writePhantomCases(join(folder, data), 4, 3, { size: [40, 36, 24], spacingMm: [9, 9, 12] });
  for (const [i, { imagePath, labelPath }] of cases.entries()) {
    for (const path of [imagePath, labelPath]) await rename(path, join(path, '..', `${people[i]}.nii.gz`));
  }
  const rows = people.map((name, i) => `${data}/ct/${name}.nii.gz,${data}/labels/${name}.nii.gz,P-00000${i},${name}`);
  await writeFile(join(folder, 'list.csv'), ['image,label,patient,name', ...rows, ''].join('\n'));
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

/** Which of the secrets a text tells. */
function told(text: string): string[] {
  return [...secrets, folder].filter((secret) => text.toLowerCase().includes(secret.toLowerCase()));
}

/** Names and contents of everything in a folder, and what was shown. */
async function everything(out: string, { stdout, stderr }: Outcome): Promise<string> {
  const files = await filesIn(join(folder, out));
  const texts = await Promise.all(files.map(async (file) => await readFile(join(folder, out, file), 'latin1')));
  return [stdout, stderr, ...files, ...texts].join('\n');
}

/** Runs without and with `--anonymize`: the first must tell names, or the test could not fail. */
async function bothWays(out: string, ...args: string[]): Promise<string> {
  const plain = await quickcolumn(folder, ...args, '--out', out);
  expect(told(await everything(out, plain))).not.toEqual([]);
  const anonymous = await quickcolumn(folder, ...args, '--out', `${out}-anonymous`, '--anonymize');
  expect(anonymous.code).toBe(plain.code);
  const text = await everything(`${out}-anonymous`, anonymous);
  expect(told(text)).toEqual([]);
  return text;
}

describe('--anonymize', () => {
  it('evaluate', async () => {
    const labels = join(data, 'labels');
    // Of four truths two are predicted: their numbers are those of all four.
    const masks = join(folder, 'masks');
    await mkdir(masks);
    for (const name of people.slice(1, 3)) {
      await copyFile(join(folder, labels, `${name}.nii.gz`), join(masks, `${name}.nii.gz`));
    }
    const args = ['evaluate', '--truth', labels, '--prediction', 'masks', '--images', join(data, 'ct')];
    const text = await quickcolumn(folder, ...args, '--out', 'e', '--anonymize-key', 'key.json');
    expect(text.code).toBe(0);
    expect(told(await everything('e', text))).toEqual([]);
    expect(await filesIn(join(folder, 'e'))).toEqual([
      'metrics.csv',
      'metrics.json',
      'overlays/case-2.png',
      'overlays/case-3.png',
      'report.html',
    ]);
    expect(JSON.parse(await readFile(join(folder, 'key.json'), 'utf8'))).toMatchObject({
      cases: { 'case-1': 'Doe_Jane_4711', 'case-3': 'Roe Richard' },
      patients: { 'patient-4': 'Roe_Rita_4714' },
    });
    expect((await stat(join(folder, 'key.json'))).mode & 0o777).toBe(0o600);
    const again = await quickcolumn(folder, ...args, '--out', 'e2', '--anonymize-key', 'key.json');
    expect(again).toMatchObject({ code: 5, stderr: expect.stringContaining('key.json exists') });
    expect((await bothWays('f', ...args)).includes('case-3')).toBe(true);
  });

  it('dataset check and dataset stats', async () => {
    expect((await bothWays('stats', 'dataset', 'stats', '--list', 'list.csv')).includes('case-4')).toBe(true);
    // A duplicate, a patient on both sides and a file that cannot be read: findings name cases, patients and paths.
    const broken = join(data, 'ct', 'Roe_Rex_4715.nii.gz');
    await writeFile(join(folder, broken), 'nothing');
    const label = (name: string): string => `${data}/labels/${name}.nii.gz`;
    const rows = [
      `${data}/ct/${people[0]}.nii.gz,${label(people[0])},P-000001,radiopaedia_7_8_9,train`,
      `${data}/ct/${people[0]}.nii.gz,${label(people[0])},P-000001,Doe_Twice_4711,test`,
      `${broken},${label(people[1])},P-000002,Roe_Rex_4715,train`,
      `${data}/ct/${people[2]}.nii.gz,,P-000003,Roe_Rita_4714,train`,
    ];
    await writeFile(join(folder, 'bad.csv'), ['image,label,patient,name,split', ...rows, ''].join('\n'));
    const text = (await bothWays('check', 'dataset', 'check', '--list', 'bad.csv')).slice(0, 4000);
    expect(text).toMatch(/case-\d: cannot be read \(nifti\)/);
    expect(text).toMatch(/patient patient-1 is in train \(case-\d\) and in test \(case-\d\)/);
    expect(text).toMatch(/listed as patient patient-1, but its name says another one/);
    const fix = await quickcolumn(
      folder,
      'dataset',
      'check',
      '--list',
      'bad.csv',
      '--out',
      'x',
      '--fix',
      '--anonymize',
    );
    expect(fix).toMatchObject({ code: 3, stderr: expect.stringContaining('--fix writes a list of files') });
  });

  it('train: the report and the terminal', async () => {
    const tiny = ['--profile', 'quick', '--epochs', '1', '--steps-per-epoch', '1', '--patch', '32,32,16'];
    const args = ['train', '--list', 'list.csv', ...tiny, '--root-filters', '1', '--hold-out', people[3]];
    const { code, stdout, stderr } = await quickcolumn(folder, ...args, '--out', 'run', '--anonymize');
    expect(stderr).toMatch(/to validate: case-\d/);
    expect(code).toBe(0);
    const report = await readFile(join(folder, 'run', 'report.html'), 'utf8');
    expect(/case-\d, slice/.test(report)).toBe(true);
    expect(told(`${report}${stdout}${stderr.replace(/^report: .*$/m, '')}`)).toEqual([]);
    // Caches tell no names, and like run folders they are for their owner alone.
    const cache = join(folder, '..', 'cache');
    expect((await filesIn(cache)).length).toBeGreaterThan(0);
    expect(told(await everything(join('..', 'cache'), { code: 0, stdout: '', stderr: '' }))).toEqual([]);
    for (const path of [cache, join(folder, 'run')]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    // What a run is resumed with keeps them.
    expect(await readFile(join(folder, 'run', 'config.yaml'), 'utf8')).toContain(people[3]);
  });

  it('gives the same numbers whatever the order, and none without being asked', () => {
    const cases = [{ name: 'b' }, { name: 'a' }, { name: 'c', patient: 'b' }];
    const names = (list: readonly { name: string; patient?: string }[]): string[] => {
      const { shown } = shownNames(list, { anonymize: true });
      return cases.map(shown).map(({ name, patient }) => `${name} ${patient}`);
    };
    expect(names(cases)).toEqual(['case-2 patient-2', 'case-1 patient-1', 'case-3 patient-2']);
    expect(names(cases.toReversed())).toEqual(names(cases));
    const { shown } = shownNames(cases, {});
    expect(shown({ name: 'radiopaedia_1_2_3' })).toEqual({ name: 'radiopaedia_1_2_3', patient: 'radiopaedia_1' });
  });
});
