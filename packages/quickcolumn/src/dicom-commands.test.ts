/** DICOM on the command line: `dicom list`, and `predict` from DICOM with the mask that the same scan gives as NIfTI. */
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabels, readVolume, writeVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { reorient } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withLock } from '@quickcolumn/workflows';
import { filesIn, quickcolumn } from './command.test.helpers.js';
import { writeDicomSeries, zipFolder } from './dicom-files.test.helpers.js';
import { deidentify, type JobEvent } from './index.js';

const tiny = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

describe('quickcolumn and DICOM', () => {
  let folder = '';
  const predict = ['predict', '--model', join('run', 'model.onnx')];

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-cli-dicom-')), 'work');
    await mkdir(folder);
    await writePhantomCases(join(folder, 'data'), 3, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(join(folder, 'tiny.yaml'), tiny);
    const { code, stderr } = await quickcolumn(
      folder,
      'train',
      '--config',
      'tiny.yaml',
      '--out',
      'run',
      '--no-evaluate',
    );
    if (code !== 0) throw new Error(stderr);
    const scan = reorient(await readVolume(join(folder, 'data', 'ct', 'phantom_0001.nii.gz')), 'LPS');
    const voxels = Int16Array.from(scan.voxels, Math.round);
    await writeVolume(join(folder, 'scan.nii.gz'), { ...scan, voxels });
    await writeDicomSeries(join(folder, 'scans'), { ...scan, voxels });
  });

  afterAll(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it('lists what is there, without the patient', async () => {
    const { code, stdout } = await quickcolumn(folder, 'dicom', 'list', 'scans');
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 +CT +24 +40×36×24 +7.000×7.000×10.000 +LPS +usable +1.2.3.1/);
    expect(stdout).not.toMatch(/Secret|4711/);
    const json = await quickcolumn(folder, 'dicom', 'list', 'scans', '--json', '--patient');
    expect(JSON.parse(json.stdout)).toMatchObject({
      series: [{ size: [40, 36, 24], usable: true, patient: { patientName: 'Secret^Patient' } }],
    });
  });

  it('predicts the same mask from DICOM as from NIfTI, and a segmentation', async () => {
    const nifti = await quickcolumn(folder, ...predict, 'scan.nii.gz', '--out', 'nifti');
    expect(nifti.code, nifti.stderr).toBe(0);
    const dicom = await quickcolumn(folder, ...predict, 'scans', '--out', 'masks', '--format', 'nifti,seg');
    expect(dicom.code, dicom.stderr).toBe(0);
    expect(await filesIn(join(folder, 'masks'))).toEqual(['scans.json', 'scans.nii.gz', 'scans.seg.dcm']);
    expect(dicom.stdout.trim().split('\n')).toEqual([join('masks', 'scans.nii.gz'), join('masks', 'scans.seg.dcm')]);
    const [a, b] = [
      await readLabels(join(folder, 'nifti', 'scan.nii.gz')),
      await readLabels(join(folder, 'masks', 'scans.nii.gz')),
    ];
    expect(b.size).toEqual(a.size);
    expect(b.affine.map((value) => value.toFixed(4))).toEqual(a.affine.map((value) => value.toFixed(4)));
    expect(Buffer.from(b.voxels).equals(Buffer.from(a.voxels))).toBe(true);
    const seg = await readFile(join(folder, 'masks', 'scans.seg.dcm'), 'latin1');
    expect(seg).toContain('Secret^Patient');
    const sidecar = await readFile(join(folder, 'masks', 'scans.json'), 'utf8');
    expect(sidecar + dicom.stdout + dicom.stderr).not.toMatch(/Secret|4711/);
    const labels = [
      'dicom',
      'labels',
      join('masks', 'scans.seg.dcm'),
      '--images',
      'scans',
      '--out',
      'back/labels.nii.gz',
    ];
    const back = await quickcolumn(folder, ...labels, '--image-out', 'back/ct.nii.gz');
    expect(back.code, back.stderr).toBe(0);
    expect(back.stdout).toMatch(/1 +left lung +1 +\d+/);
    const returned = await readLabels(join(folder, 'back', 'labels.nii.gz'));
    expect(Buffer.from(returned.voxels).equals(Buffer.from(b.voxels))).toBe(true);
    const image = await readVolume(join(folder, 'back', 'ct.nii.gz'));
    expect(image.voxels).toEqual((await readVolume(join(folder, 'scan.nii.gz'))).voxels);
    expect((await quickcolumn(folder, ...labels)).code).toBe(5);
    const list = await quickcolumn(folder, 'dicom', 'list', 'masks');
    expect(list.stdout).toContain('object without image: SEG');
    const again = await quickcolumn(folder, ...predict, 'scans', '--out', 'masks', '--format', 'seg');
    expect(again.code).toBe(5);
  });

  it('deidentifies a study, and lists what it refuses', async () => {
    const study = join(folder, 'Doe_John');
    await cp(join(folder, 'scans'), study, { recursive: true });
    for (const name of await readdir(study)) await rename(join(study, name), join(study, `Doe_${name}`));
    const capture = (await readFile(join(study, 'Doe_IM1'))).toString('latin1');
    const refusedPath = join('Doe_John', 'Doe_screen');
    const screen = capture
      .replace('ORIGINAL\\PRIMARY\\AXIAL', 'DERIVED\\SECONDARY\\SAVE')
      .replace('1.2.3.1.1\0', '1.2.3.1.99');
    await writeFile(join(folder, refusedPath), screen, 'latin1');
    await writeFile(join(study, 'notes.txt'), 'not DICOM');
    const command = ['dicom', 'deidentify', 'Doe_John', '--out', 'given', '--key', 'secret/key.txt'];
    const first = await quickcolumn(folder, ...command);
    expect(first.code, first.stderr).toBe(3);
    expect(first.stderr).toContain('1 of 25 files were not deidentified:');
    expect(first.stderr).toContain(`${refusedPath}: a screen save or dose report by its image type`);
    expect(first.stderr).toContain(
      'the others are written, or use --accept screen to let it pass when the pixels show no text',
    );
    expect((await stat(join(folder, 'secret', 'key.txt'))).mode & 0o777).toBe(0o600);
    const [series, ...others] = await readdir(join(folder, 'given'));
    expect(others).toEqual([]);
    expect(series).toMatch(/^2\.25\.\d+$/);
    const names = await filesIn(join(folder, 'given', series));
    expect(names).toHaveLength(24);
    expect(names[0]).toBe('00001.dcm');
    const contents = await Promise.all(names.map((name) => readFile(join(folder, 'given', series, name), 'latin1')));
    for (const bytes of contents) expect(bytes).not.toMatch(/Secret|4711|1\.2\.3\.1/);
    const back = await quickcolumn(folder, 'dicom', 'list', 'given');
    expect(back.stdout).toMatch(/1 +CT +24 +40×36×24 +7.000×7.000×10.000 +LPS +usable +2\.25/);

    expect((await quickcolumn(folder, ...command)).code).toBe(5);
    await unlink(join(folder, refusedPath));
    const again = await quickcolumn(folder, ...command, '--force', '--dates', 'shift', '--keep', 'patient');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toMatch(new RegExp(`PATIENT-\\w{10} +24 +${join('given', series)}`));
    expect(again.stderr).toContain('1 files are not DICOM');
    const other = await quickcolumn(folder, 'dicom', 'deidentify', 'Doe_John', '--out', 'other');
    expect(other).toMatchObject({ code: 0, stderr: expect.stringContaining('a key for this run alone') });
    expect(await readdir(join(folder, 'other'))).not.toEqual([series]);
  });

  it('writes nothing where all is refused, or the key would be given away', async () => {
    const first = (await readFile(join(folder, 'scans', 'IM1'))).toString('latin1');
    await writeFile(join(folder, 'report.dcm'), first.replace('5.1.4.1.1.2\0', '5.1.4.1.1.7\0'), 'latin1');
    const refused = await quickcolumn(folder, 'dicom', 'deidentify', 'report.dcm', '--out', 'nothing');
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/report\.dcm: a secondary capture.*; not deidentified\n.*nothing is written/);
    const inside = ['--out', 'nothing', '--key', join('nothing', 'key.txt')];
    const key = await quickcolumn(folder, 'dicom', 'deidentify', 'scans', ...inside);
    expect(key).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('with what is given away; keep it elsewhere'),
    });
    await writeFile(join(folder, 'no-key.txt'), 'hello');
    const noKey = await quickcolumn(folder, 'dicom', 'deidentify', 'scans', '--out', 'nothing', '--key', 'no-key.txt');
    expect(noKey).toMatchObject({ code: 3, stderr: expect.stringContaining('no key; expected 64 hexadecimal digits') });
    const empty = await quickcolumn(folder, 'dicom', 'deidentify', 'no-key.txt', '--out', 'nothing');
    expect(empty).toMatchObject({ code: 3, stderr: expect.stringContaining('no-key.txt: no DICOM files') });
    expect(await readdir(folder)).not.toContain('nothing');
    const choice = await quickcolumn(folder, 'dicom', 'deidentify', 'scans', '--out', 'nothing', '--keep', 'names');
    expect(choice).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected one or more of uids, device') });
  });

  it('leaves nothing of a deidentification that is interrupted, and respects the lock', async () => {
    const stop = new AbortController();
    const out = join(folder, 'stopped', 'out');
    const request = { inputs: [join(folder, 'scans')], out };
    const onEvent = ({ kind }: JobEvent): void => (kind === 'progress' ? stop.abort() : undefined);
    const stopped = deidentify(request, { signal: stop.signal, onEvent });
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(folder)).not.toContain('stopped');
    await withLock({ place: out, doing: 'something else' }, async () => {
      await expect(deidentify(request)).rejects.toMatchObject({ code: 'busy' });
    });
  });

  it('predicts from an archive', async () => {
    await zipFolder(join(folder, 'scans'), join(folder, 'study.zip'));
    const { code, stderr } = await quickcolumn(
      folder,
      ...predict,
      'study.zip',
      '--out',
      'zip',
      '--format',
      'seg,nifti',
    );
    expect(code, stderr).toBe(0);
    expect(await filesIn(join(folder, 'zip'))).toEqual(['study.json', 'study.nii.gz', 'study.seg.dcm']);
    const [a, b] = [join(folder, 'zip', 'study.nii.gz'), join(folder, 'masks', 'scans.nii.gz')];
    expect(Buffer.from((await readLabels(a)).voxels).equals(Buffer.from((await readLabels(b)).voxels))).toBe(true);
  });

  it('takes files one by one as one series', async () => {
    const files = (await readdir(join(folder, 'scans'))).map((name) => join('scans', name));
    const { code, stderr } = await quickcolumn(folder, ...predict, ...files, '--out', 'loose.nii.gz');
    expect(code, stderr).toBe(0);
    expect((await readLabels(join(folder, 'loose.nii.gz'))).size).toEqual([40, 36, 24]);
  });

  it('refuses what it cannot do, before it does anything', async () => {
    const seg = await quickcolumn(folder, ...predict, 'scan.nii.gz', '--out', 'no', '--format', 'seg');
    expect(seg.code).toBe(3);
    expect(seg.stderr).toContain('refers to the images of a DICOM series');
    const format = await quickcolumn(folder, ...predict, 'scans', '--out', 'no', '--format', 'png');
    expect(format.code).toBe(2);
    const repair = await quickcolumn(folder, 'dicom', 'list', 'scans', '--repair', 'missing=guess');
    expect(repair.code).toBe(2);
    expect(repair.stderr).toContain('expected one or more of damaged=drop, missing=interpolate');
    await mkdir(join(folder, 'empty'));
    const empty = await quickcolumn(folder, ...predict, 'empty', '--out', 'no');
    expect(empty.code).toBe(3);
    expect(empty.stderr).toContain('.nrrd or .nhdr files and no DICOM images');
    expect(await readdir(folder)).not.toContain('no');
  });

  it('says nothing of files, which may be named after a patient, with --anonymize', async () => {
    const named = join(folder, 'named');
    await cp(join(folder, 'scans'), named, { recursive: true });
    await truncate(join(named, 'IM20'), 900);
    await rename(join(named, 'IM20'), join(named, 'Doe_Jane_0'));
    const options = ['--repair', 'damaged=drop,missing=interpolate', '--out'];
    const open = await quickcolumn(folder, ...predict, 'named', ...options, 'open');
    expect(open).toMatchObject({ code: 0, stderr: expect.stringContaining('Doe_Jane_0') });
    const hidden = await quickcolumn(folder, ...predict, 'named', ...options, 'hidden', '--anonymize');
    expect(hidden).toMatchObject({ code: 0, stderr: expect.stringMatching(/noted of the series names its files/) });
    const sidecar = await readFile(join(folder, 'hidden', 'case-1.json'), 'utf8');
    expect(hidden.stderr + hidden.stdout + sidecar).not.toMatch(/Doe|named/);
  });

  it('refuses a series with damaged slices, names them, and drops them when asked', async () => {
    const damaged = join(folder, 'damaged');
    await cp(join(folder, 'scans'), damaged, { recursive: true });
    for (const k of [20, 21]) await truncate(join(damaged, `IM${k}`), 900);
    await truncate(join(damaged, 'IM22'), 0);
    await rm(join(damaged, 'IM23'));
    await symlink('../scans/IM23', join(damaged, 'IM23'));
    await truncate(join(damaged, 'IM24'), 140);
    const refused = await quickcolumn(folder, ...predict, 'damaged', '--out', 'dropped');
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/no usable CT series: 5 of 24 files are damaged: IM20, IM21 \(.*IM22 \(is empty\)/);
    expect(refused.stderr).toMatch(
      /IM23 \(is a symbolic link that leads out of the folder.*, or use --repair damaged=drop to leave them out/,
    );
    const list = await quickcolumn(folder, 'dicom', 'list', 'damaged');
    expect(list.stdout).toMatch(/1 +CT +19 .*NOT usable/);
    expect(list.stdout).toMatch(/series 1: 5 of 24 files are damaged: .* \(--repair damaged=drop\)/);
    expect(list.stdout).toContain('1 series, 5 unusable files, 0 other files');
    const done = await quickcolumn(folder, ...predict, 'damaged', '--out', 'dropped', '--repair', 'damaged=drop');
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toMatch(/damaged: 5 of 24 files are damaged: .*; left out/);
    expect((await readLabels(join(folder, 'dropped', 'damaged.nii.gz'))).size).toEqual([40, 36, 19]);
  });

  it('refuses a segmentation of images without UIDs before it computes anything', async () => {
    await cp(join(folder, 'scans'), join(folder, 'nameless'), { recursive: true });
    for (const name of await readdir(join(folder, 'nameless'))) {
      const path = join(folder, 'nameless', name);
      const bytes = await readFile(path);
      // (0008,0018) UI becomes (0008,0019), which nobody reads.
      bytes[bytes.indexOf(Buffer.from('080018005549', 'hex')) + 2] = 0x19;
      await writeFile(path, bytes);
    }
    const seg = await quickcolumn(folder, ...predict, 'nameless', '--out', 'unnamed', '--format', 'seg,nifti');
    expect(seg.code).toBe(3);
    expect(seg.stderr).toMatch(
      /24 of 24 images have no valid SOP Instance UID.*or use --format nifti to write the mask/,
    );
    expect(await readdir(folder)).not.toContain('unnamed');
    const nifti = await quickcolumn(folder, ...predict, 'nameless', '--out', 'unnamed', '--format', 'nifti');
    expect(nifti.code, nifti.stderr).toBe(0);
  });

  it('keeps two patients of one series UID apart', async () => {
    await cp(join(folder, 'scans'), join(folder, 'patients'), { recursive: true });
    for (let k = 13; k <= 24; k++) {
      const path = join(folder, 'patients', `IM${k}`);
      const bytes = await readFile(path);
      bytes.write('P-4712', bytes.indexOf('P-4711'));
      await writeFile(path, bytes);
    }
    const both = await quickcolumn(folder, ...predict, 'patients', '--series', '1.2.3.1', '--out', 'half');
    expect(both.code).toBe(3);
    expect(both.stderr).toContain('2 series have the UID 1.2.3.1; choose one of them, or use --series to choose one');
    const list = await quickcolumn(folder, 'dicom', 'list', 'patients');
    expect(list.stdout).toContain('series 2: note: 12 more images have the same series UID but another patient');
    expect(list.stdout).toContain('series 2: note: instance numbers begin with 13; slices before it may be missing');
    expect(list.stdout).not.toMatch(/Secret|471/);
    const one = await quickcolumn(folder, ...predict, 'patients', '--series', '2', '--out', 'half');
    expect(one.code, one.stderr).toBe(0);
    expect(one.stderr).toContain('12 more images have the same series UID but another patient; they are left out');
  });

  it('needs a choice between series, and a repair for a hole', async () => {
    const scan = reorient(await readVolume(join(folder, 'scan.nii.gz')), 'LPS');
    await mkdir(join(folder, 'two'));
    await writeDicomSeries(join(folder, 'two', 'b'), scan, '1.2.3.2');
    await rename(join(folder, 'scans'), join(folder, 'two', 'a'));
    const two = await quickcolumn(folder, ...predict, 'two', '--out', 'chosen');
    expect(two.code).toBe(3);
    expect(two.stderr).toMatch(/2 usable series; choose one of them, or use --series to/);
    await unlink(join(folder, 'two', 'b', 'IM7'));
    const hole = await quickcolumn(folder, ...predict, 'two', '--series', '1.2.3.2', '--out', 'chosen');
    expect(hole.code).toBe(3);
    expect(hole.stderr).toMatch(/1 slice is missing.*, or use --repair missing=interpolate to repair it/);
    const repaired = ['--series', '1.2.3.2', '--out', 'chosen', '--format', 'seg', '--repair', 'missing=interpolate'];
    const done = await quickcolumn(folder, ...predict, 'two', ...repaired);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toContain('interpolated');
    expect(await filesIn(join(folder, 'chosen'))).toEqual(['two.json', 'two.seg.dcm']);
  });
});
