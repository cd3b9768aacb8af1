/** `predict` on several scans: what is taken for a scan, what one bad scan does to the others, and how a batch goes on. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readVolume, writeVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { reorient } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, quickcolumn } from './command.test.helpers.js';
import { writeDicomSeries } from './dicom-files.test.helpers.js';

const tiny = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 1 }
predict: { overlap: [4, 4, 4] }
`;

let folder = '';
const at = (...parts: string[]): string => join(folder, ...parts);
const predict = async (...args: string[]): ReturnType<typeof quickcolumn> =>
  await quickcolumn(folder, 'predict', '--model', join('run', 'model.onnx'), ...args);
const changed = async (path: string): Promise<number> => (await stat(at(path))).mtimeMs;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-batch-')), 'work');
  await mkdir(folder);
  await writePhantomCases(at('data'), 3, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(at('tiny.yaml'), tiny);
  const trained = await quickcolumn(folder, 'train', '--config', 'tiny.yaml', '--out', 'run', '--no-evaluate');
  if (trained.code !== 0) throw new Error(trained.stderr);
  await mkdir(at('ct'));
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    await copyFile(at('data', 'ct', `phantom_000${i + 1}.nii.gz`), at('ct', `${name}.nii.gz`));
  }
  const scan = reorient(await readVolume(at('ct', 'a.nii.gz')), 'LPS');
  await writeVolume(at('whole.nii.gz'), { ...scan, voxels: Int16Array.from(scan.voxels, Math.round) });
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

describe('a batch with damaged scans', () => {
  it('predicts the others, lists the failures at the end, and goes on with --skip-existing', async () => {
    await mkdir(at('mixed'));
    for (const name of ['a', 'b', 'c']) await copyFile(at('ct', `${name}.nii.gz`), at('mixed', `${name}.nii.gz`));
    const { size } = await stat(at('mixed', 'b.nii.gz'));
    await truncate(at('mixed', 'b.nii.gz'), Math.floor(size / 2));
    await writeFile(at('mixed', 'd.nrrd'), 'NRRD0004\ntype: short\n');
    const first = await predict('mixed', '--out', 'masks');
    expect(first.code).toBe(3);
    expect(first.stdout.trim().split('\n')).toEqual([join('masks', 'a.nii.gz'), join('masks', 'c.nii.gz')]);
    const listed = first.stderr.slice(first.stderr.indexOf('error: '));
    expect(listed).toMatch(/^error: 2 of 4 scans could not be predicted:\n +b: .*b\.nii\.gz: .*too early/);
    expect(listed).toMatch(/\n +d: .*d\.nrrd: /);
    expect(listed).toContain('predict them alone, or use --skip-existing to go on with the same inputs');
    expect(await filesIn(at('masks'))).toEqual(['a.json', 'a.nii.gz', 'c.json', 'c.nii.gz']);

    await rm(at('mixed', 'd.nrrd'));
    await copyFile(at('ct', 'b.nii.gz'), at('mixed', 'b.nii.gz'));
    expect(await predict('mixed', '--out', 'masks')).toMatchObject({ code: 5 });
    const before = await changed('masks/a.nii.gz');
    const second = await predict('mixed', '--out', 'masks', '--skip-existing');
    expect(second.code, second.stderr).toBe(0);
    expect(second.stdout.trim()).toBe(join('masks', 'b.nii.gz'));
    expect(second.stderr).toContain('a: its mask is there, of the same model and options; left as it is');
    expect(await changed('masks/a.nii.gz')).toBe(before);
    expect(await filesIn(at('masks'))).toHaveLength(6);
  });

  it('says what is wrong with a single scan as before', async () => {
    await writeFile(at('broken.nii.gz'), 'nothing');
    const { code, stderr } = await predict('broken.nii.gz', '--out', 'one');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: broken\.nii\.gz: gzip: /m);
    expect(stderr).not.toContain('could not be predicted');
  });

  it('names what would help with those that failed', async () => {
    const { properties: _properties, notes: _notes, ...scan } = await readVolume(at('whole.nii.gz'));
    await writeVolume(at('shifted.nii.gz'), { ...scan, voxels: scan.voxels.map((value) => value + 1024) });
    const { code, stderr } = await predict('shifted.nii.gz', join('ct', 'a.nii.gz'), '--out', 'doubtful');
    expect(code).toBe(3);
    expect(stderr).toMatch(/1 of 2 scans could not be predicted:\n +shifted: shifted\.nii\.gz: .*HU/);
    expect(stderr).toContain(
      'or use --accept value-range to use it as it is, --skip-existing to go on with the same inputs',
    );
    expect(await filesIn(at('doubtful'))).toEqual(['a.json', 'a.nii.gz']);
  });

  it('predicts volumes beside a DICOM folder that has no usable series', async () => {
    await mkdir(at('study'));
    await writeFile(at('study', 'IM1'), `${'\0'.repeat(128)}DICM`);
    const { code, stderr } = await predict('study', 'whole.nii.gz', '--out', 'beside');
    expect(code).toBe(3);
    expect(stderr).toMatch(/1 of 2 scans could not be predicted:\n +study: /);
    expect(await filesIn(at('beside'))).toEqual(['whole.json', 'whole.nii.gz']);
    expect(await predict('study', '--out', 'alone')).toMatchObject({ code: 3 });
    expect(await readdir(folder)).not.toContain('alone');
  });
});

it('a model of a newer version is told as that', async () => {
  const bytes = await readFile(at('run', 'model.onnx'));
  const version = bytes.indexOf('"version":3');
  expect(version).toBeGreaterThan(0);
  await writeFile(at('newer.onnx'), bytes.fill('4', version + 10, version + 11));
  const newer = await quickcolumn(folder, 'predict', 'whole.nii.gz', '--model', 'newer.onnx', '--out', 'no');
  expect(newer.code).toBe(3);
  expect(newer.stderr).toContain(
    'error: newer.onnx: a model of version 4, newer than this quickcolumn reads (3); update quickcolumn, or train the model ' +
      'with this version\n',
  );
});

describe('--skip-existing', () => {
  const skip = async (...args: string[]): ReturnType<typeof quickcolumn> =>
    await predict('whole.nii.gz', '--out', 'kept', '--skip-existing', ...args);

  it('refuses what was made otherwise, and makes anew what is not complete', async () => {
    expect(await skip()).toMatchObject({ code: 0, stdout: `${join('kept', 'whole.nii.gz')}\n` });
    expect(await skip()).toMatchObject({ code: 0, stdout: '' });
    const options = await skip('--mirror', 'x');
    expect(options).toMatchObject({ code: 5, stdout: '' });
    expect(options.stderr).toContain(
      `${join('kept', 'whole.nii.gz')} exists and was made with other options; choose another folder, or use --force to`,
    );
    const window = await skip('--overlap', '0,0,0');
    expect(window.stderr).toContain('was made with another window');
    const twice = [join('run', 'model.onnx'), join('run', 'model.onnx')].join(',');
    const model = await quickcolumn(
      folder, 'predict', 'whole.nii.gz', '--model', twice, '--out', 'kept', '--skip-existing',
    ); // biome-ignore format: a command
    expect(model.stderr).toContain('was made with another model');
    // Probabilities are asked for now, and were not there.
    expect(await skip('--probabilities')).toMatchObject({ code: 0, stdout: `${join('kept', 'whole.nii.gz')}\n` });
    expect(await skip('--probabilities')).toMatchObject({ code: 0, stdout: '' });
    await truncate(at('kept', 'whole.nii.gz'), 100);
    expect(await skip()).toMatchObject({ code: 0, stdout: `${join('kept', 'whole.nii.gz')}\n` });
    // A killed prediction leaves a sidecar without a mask.
    await rm(at('kept', 'whole.nii.gz'));
    expect(await skip()).toMatchObject({ code: 0, stdout: `${join('kept', 'whole.nii.gz')}\n` });
    await rm(at('kept', 'whole.json'));
    expect(await skip()).toMatchObject({ code: 5, stderr: expect.stringContaining('no sidecar of this version') });
  });

  it('refuses a mask of a scan that has changed since', async () => {
    await copyFile(at('ct', 'a.nii.gz'), at('changing.nii.gz'));
    expect(await predict('changing.nii.gz', '--out', 'changing')).toMatchObject({ code: 0 });
    await copyFile(at('ct', 'b.nii.gz'), at('changing.nii.gz'));
    const again = await predict('changing.nii.gz', '--out', 'changing', '--skip-existing');
    expect(again.code).toBe(3);
    expect(again.stderr).toContain('the mask that is there is of a scan with other contents');
    const forced = await predict('changing.nii.gz', '--out', 'changing', '--skip-existing', '--force');
    expect(forced).toMatchObject({ code: 0, stdout: `${join('changing', 'changing.nii.gz')}\n` });
  });
});

describe('what is taken for a scan', () => {
  it('no mask of ours: the same folder for DICOM images and their masks', async () => {
    await writeDicomSeries(at('st'), await readVolume(at('whole.nii.gz')));
    for (let i = 0; i < 2; i++) {
      const { code, stderr, stdout } = await predict('st', '--out', 'st', '--force', '--format', 'nifti,seg,nrrd');
      expect(code, stderr).toBe(0);
      const files = ['st.nii.gz', 'st.nrrd', 'st.seg.dcm'].map((name) => join('st', name));
      expect(stdout.trim().split('\n').toSorted()).toEqual(files);
    }
    const sidecar: unknown = JSON.parse(await readFile(at('st', 'st.json'), 'utf8'));
    expect(sidecar).toMatchObject({ scan: { name: 'st', size: [40, 36, 24] } });
  });

  it('no mask of ours: by its header where it was moved, by its sidecar, by its name', async () => {
    await mkdir(at('scans'));
    await copyFile(at('ct', 'a.nii.gz'), at('scans', 'a.nii.gz'));
    await copyFile(at('ct', 'a.nii.gz'), at('scans', 'drawn.seg.nii.gz'));
    const first = await predict(join('scans', 'a.nii.gz'), '--out', join('scans', 'mask.mha'), '--probabilities');
    expect(first.code, first.stderr).toBe(0);
    await copyFile(at('scans', 'mask.mha'), at('scans', 'moved.mha'));
    const second = await predict('scans', '--out', 'of-scans');
    expect(second.code, second.stderr).toBe(0);
    expect(second.stdout.trim()).toBe(join('of-scans', 'a.nii.gz'));
    expect(second.stderr).toContain('scans: 3 of 4 volumes are masks or other results, not scans; left out');
    const named = await predict(join('scans', 'moved.mha'), '--out', 'no');
    expect(named).toMatchObject({ code: 3, stderr: expect.stringContaining('moved.mha is a mask or another result') });
    const masks = await predict('of-scans', '--out', 'no');
    expect(masks).toMatchObject({ code: 3, stderr: expect.stringContaining('no scans in of-scans') });
    const probabilities = await predict(join('scans', 'probabilities'), '--out', 'no');
    expect(probabilities).toMatchObject({ code: 3, stderr: expect.stringContaining('masks or other results (4)') });
    const prepared = await quickcolumn(folder, 'prepare', '--config', 'tiny.yaml', '--images', 'scans');
    expect(prepared.code, prepared.stderr).toBe(0);
    expect(prepared.stdout.trim().split('\n')).toHaveLength(2);
    const labelled = await quickcolumn(
      folder, 'pseudo-label', '--model', 'run', '--images', 'scans', '--out', 'pseudo', '--confidence', '0.01',
    ); // biome-ignore format: a command
    expect(labelled.stderr).toContain('3 of 4 volumes are masks');
  });

  it('not a folder with DICOM images and other scans', async () => {
    await mkdir(at('both'));
    await copyFile(at('ct', 'a.nii.gz'), at('both', 'a.nii.gz'));
    await writeDicomSeries(at('both', 'series'), await readVolume(at('whole.nii.gz')));
    const { code, stderr } = await predict('both', '--out', 'no');
    expect(code).toBe(3);
    expect(stderr).toContain(
      `both holds DICOM images (${join('both', 'series', 'IM1')}) and scans in other formats (${join('both', 'a.nii.gz')}); ` +
        'name the files that are meant',
    );
    expect(await readdir(folder)).not.toContain('no');
    expect(await predict(join('both', 'a.nii.gz'), '--out', 'volume-of-both')).toMatchObject({ code: 0 });
    expect(await predict(join('both', 'series'), '--out', 'series-of-both')).toMatchObject({ code: 0 });
  });
});

describe('places', () => {
  it('a link that leads nowhere is refused by name', async () => {
    await symlink('nowhere', at('dead'));
    await symlink('nowhere.nii.gz', at('dead.nii.gz'));
    for (const out of ['dead', 'dead.nii.gz', join('dead', 'masks')]) {
      const { code, stderr } = await predict('whole.nii.gz', '--out', out);
      expect(code).toBe(5);
      expect(stderr).toMatch(/dead(\.nii\.gz)? is a link that leads nowhere; remove it, or choose another place/);
    }
  });

  const disk = join(tmpdir(), `quickcolumn-small-${process.pid}`);
  const run = promisify(execFile);
  /** Why there is no small file system: only root may mount one. */
  const mount = async (): Promise<string> =>
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).then(
      () => '',
      (error: unknown) => `cannot mount a file system: ${String(error).split('\n')[0]}`,
    );
  let why = '';
  beforeAll(async () => {
    await mkdir(disk);
    why = await mount();
  });
  afterAll(async () => {
    if (why === '') await run('umount', [disk]);
    await rm(disk, { recursive: true });
  });

  it('asks for space before the first window, and keeps the mask where probabilities fill the disk', async (context) => {
    if (why !== '') context.skip(why);
    const early = await predict('ct', '--out', join(disk, 'masks'), '--probabilities');
    expect(early.code).toBe(5);
    expect(early.stderr).toMatch(
      /3 masks with probabilities can take up to \d+ MB, the disk has \d+ MB left; free some/,
    );
    expect(early.stderr).toContain('use --ignore-space to start all the same');
    expect(early.stderr).not.toContain('window');
    expect(await readdir(disk)).toEqual([]);
    // Probabilities of noise do not compress: the disk is full before the last.
    const late = await predict(
      join('ct', 'a.nii.gz'),
      '--out',
      join(disk, 'masks'),
      '--probabilities',
      '--ignore-space',
    );
    expect(late.code).toBe(5);
    expect(late.stderr).toContain('no space left on the disk (ENOSPC)');
    expect(await filesIn(join(disk, 'masks'))).toEqual(['a.json', 'a.nii.gz']);
    const sidecar = await readFile(join(disk, 'masks', 'a.json'), 'utf8');
    expect(sidecar).not.toContain('probabilities');
    expect(sidecar).toMatch(/"runtime": \{\s+"name": "\w+",\s+"version": "[^"]+",\s+"precision": "\w+"/);
  });

  it('a name that is too long is refused before the first window', async () => {
    const name = 'x'.repeat(240);
    const { code, stderr } = await predict('whole.nii.gz', '--out', 'long', '--name', name);
    expect(code).toBe(5);
    expect(stderr).toContain('the name is too long for a file; choose a shorter one');
  });
});

describe('whose scan it is', () => {
  const person = 'Doe_Jane_4711';
  beforeAll(async () => {
    await writeDicomSeries(at(person), await readVolume(at('whole.nii.gz')));
    await copyFile(at('ct', 'b.nii.gz'), at(`${person}_b.nii.gz`));
  });
  const everything = async (out: string, shown: readonly string[]): Promise<string> => {
    const files = await filesIn(at(out));
    const texts = await Promise.all(files.map(async (file) => await readFile(at(out, file), 'latin1')));
    return [...shown, ...files, ...texts].join('\n');
  };

  it('stays out of names and sidecars with --name and --name-by series', async () => {
    const plain = await predict(person, '--out', 'plain');
    expect(await everything('plain', [plain.stderr])).toContain(person);
    const named = await predict(person, '--out', 'named', '--name', 'first');
    expect(named.code, named.stderr).toBe(0);
    expect(await filesIn(at('named'))).toEqual(['first.json', 'first.nii.gz']);
    expect(await everything('named', [named.stderr, named.stdout])).not.toContain('Doe');
    const series = await predict(person, '--out', 'by-series', '--name-by', 'series');
    expect(await filesIn(at('by-series'))).toEqual(['1.2.3.1.json', '1.2.3.1.nii.gz']);
    expect(await everything('by-series', [series.stderr, series.stdout])).not.toContain('Doe');
    const two = await predict(person, 'whole.nii.gz', '--out', 'no', '--name', 'first');
    expect(two).toMatchObject({ code: 2, stderr: expect.stringContaining('one name, first, for 2 scans') });
    const away = await predict(person, '--out', 'no', '--name', '../first');
    expect(away).toMatchObject({ code: 2, stderr: expect.stringContaining("'../first' is no name of a file") });
  });

  it('stays out of everything with --anonymize, also where a scan fails', async () => {
    await writeFile(at(`${person}_c.nii.gz`), 'nothing');
    const inputs = [person, `${person}_b.nii.gz`, `${person}_c.nii.gz`];
    const options = ['--probabilities', '--anonymize-key', 'who.json'];
    const { code, stdout, stderr } = await predict(...inputs, '--out', 'hidden', ...options);
    expect(code).toBe(3);
    expect(stderr).toMatch(/1 of 3 scans could not be predicted:\n +case-3: cannot be predicted \(nifti\)/);
    expect(await everything('hidden', [stdout, stderr])).not.toMatch(/Doe|4711|Secret/);
    expect((await filesIn(at('hidden'))).filter((file) => !file.includes('prob'))).toEqual([
      'case-1.json',
      'case-1.nii.gz',
      'case-2.json',
      'case-2.nii.gz',
    ]);
    expect(JSON.parse(await readFile(at('who.json'), 'utf8'))).toMatchObject({
      cases: { 'case-1': person, 'case-2': `${person}_b`, 'case-3': `${person}_c` },
    });
    expect((await stat(at('who.json'))).mode & 0o777).toBe(0o600);
    const seg = await predict(person, '--out', 'no', '--format', 'seg', '--anonymize');
    expect(seg).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('deidentify the series first (dicom deidentify)'),
    });
  });
});
