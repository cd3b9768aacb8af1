/**
 * Scans that could give a wrong mask, on the command line: prediction, training, preparation and dataset checks say the same
 * words about them, and let them pass where the user says so.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { acceptableKinds } from '@quickcolumn/defects';
import { readLabels, readVolume, writeVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { axisCodes } from '@quickcolumn/volume';
import { parse } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Outcome, quickcolumn } from './command.test.helpers.js';

let folder = '';
const model = join('run', 'model.onnx');
const here = (...args: string[]): Promise<Outcome> => quickcolumn(folder, ...args);

/** A copy of the first phantom with other values. */
async function put(name: string, change: (hu: number) => number): Promise<void> {
  const { voxels, size, affine } = await readVolume(join(folder, 'data/ct/phantom_0001.nii.gz'));
  await mkdir(join(folder, name), { recursive: true });
  await writeVolume(join(folder, name, 'phantom_0001.nii.gz'), {
    voxels: Float32Array.from(voxels, change),
    size,
    affine,
  });
}

/** The same with changes to its header. */
async function putHeader(name: string, file: string, change: (header: Buffer) => void): Promise<void> {
  const bytes = gunzipSync(await readFile(join(folder, 'data', file, 'phantom_0001.nii.gz')));
  change(bytes);
  await mkdir(join(folder, name, file), { recursive: true });
  await writeFile(join(folder, name, file, 'phantom_0001.nii.gz'), gzipSync(bytes));
}

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-cli-')), 'work');
  await mkdir(folder);
  await writePhantomCases(join(folder, 'data'), 3, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(
    join(folder, 'tiny.yaml'),
    `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 1 }
predict: { overlap: [4, 4, 4] }
`,
  );
  const { code, stderr } = await here('train', '--config', 'tiny.yaml', '--out', 'run', '--no-evaluate');
  if (code !== 0) throw new Error(stderr);
  for (const file of ['ct', 'labels']) {
    // qform_code and sform_code.
    await putHeader('bare', file, (header) => header.writeInt32LE(0, 252));
    await putHeader('metres', file, (header) => {
      header[123] = 1;
      for (let at = 280; at < 328; at += 4) header.writeFloatLE(header.readFloatLE(at) / 1000, at);
    });
  }
}, 120_000);
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

it.each([
  [
    'value-range',
    (hu: number): number => hu + 1024,
    /values from -?\d+ to \d+ are neither HU nor 0–255 \(HU \+ 1024\?\)/,
  ],
  ['calibration', (hu: number): number => hu * 2, /no HU of a chest, or a wrong rescale slope or intercept/],
])('%s: all refuse, with the same words, until it is accepted', async (kind, change, words) => {
  const ct = `ct-${kind}`;
  await put(ct, change);
  const data = ['--images', ct, '--labels', 'one-label'];
  await mkdir(join(folder, 'one-label'), { recursive: true });
  const labels = await readFile(join(folder, 'data/labels/phantom_0001.nii.gz'));
  await writeFile(join(folder, 'one-label', 'phantom_0001.nii.gz'), labels);
  const scan = join(ct, 'phantom_0001.nii.gz');
  const predict = ['predict', '--model', model, scan, '--out', `masks-${kind}`, '--force'];
  const predicted = await here(...predict);
  expect(predicted.code).toBe(3);
  expect(predicted.stderr).toMatch(words);
  expect(predicted.stderr).toContain(`, or use --accept ${kind} to use it as it is`);
  const said = new RegExp(`${scan}: (.*), or use`).exec(predicted.stderr)?.[1] ?? 'nothing';
  const prepared = await here('prepare', '--config', 'tiny.yaml', ...data);
  expect(prepared).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(`${scan}: ${said}, or use --accept ${kind}`),
  });
  const checked = await here('dataset', 'check', ...data);
  expect(checked.code).toBe(3);
  expect(checked.stdout).toContain(`error (${kind}): phantom_0001: ${said}\n`);

  const accepted = await here(...predict, '--accept', kind);
  expect(accepted.code).toBe(0);
  expect(accepted.stderr).toContain(`${said}; accepted`);
  const sidecar: unknown = JSON.parse(await readFile(join(folder, `masks-${kind}`, 'phantom_0001.json'), 'utf8'));
  expect(sidecar).toMatchObject({ notes: [`${said}; accepted`] });
  expect((await here('prepare', '--config', 'tiny.yaml', ...data, '--accept', kind)).code).toBe(0);
  expect((await here('dataset', 'check', ...data, '--accept', kind)).stdout).toContain(
    `warning (${kind}): phantom_0001: ${said}; accepted\n`,
  );
});

it('training asks, too, and its configuration keeps what was accepted', async () => {
  await put('mixed', (hu) => hu + 1024);
  for (const n of [2, 3]) {
    const name = `phantom_000${n}.nii.gz`;
    await writeFile(join(folder, 'mixed', name), await readFile(join(folder, 'data/ct', name)));
  }
  const train = [
    'train',
    '--config',
    'tiny.yaml',
    '--images',
    'mixed',
    '--labels',
    'data/labels',
    '--out',
    'mixed-run',
  ];
  const refused = await here(...train);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/mixed\/phantom_0001\.nii\.gz: values .* or use --accept value-range to use it/);
  const trained = await here(...train, '--accept', 'value-range,extent');
  expect(trained.code).toBe(0);
  expect(trained.stderr).toMatch(/phantom_0001: values .*; accepted/);
  const config: unknown = parse(await readFile(join(folder, 'mixed-run', 'config.yaml'), 'utf8'));
  expect(config).toMatchObject({ data: { accept: ['value-range', 'extent'] } });
  expect(await readFile(join(folder, 'run', 'config.yaml'), 'utf8')).not.toMatch(/accept|assume/);
});

it('a header without orientation is refused by all that read it, and read as assumed', async () => {
  const scan = 'bare/ct/phantom_0001.nii.gz';
  const data = ['--images', 'bare/ct', '--labels', 'bare/labels'];
  const words = `${scan}: qform_code, sform_code: both are 0: the header does not say where the patient's left is; expected one above 0`;
  const hint =
    ', or use --assume-orientation <codes> to say which sides of the patient the voxel axes run to, such as LPS';
  const predict = ['predict', '--model', model, scan, '--out', 'bare-masks', '--force'];
  expect(await here(...predict)).toMatchObject({ code: 3, stderr: expect.stringContaining(words + hint) });
  expect(await here('prepare', '--config', 'tiny.yaml', ...data)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(words + hint),
  });
  expect((await here('dataset', 'check', ...data)).stdout).toContain(
    `error (unreadable): phantom_0001: ${join(folder, words)}`,
  );

  const assumed = ['--assume-orientation', 'LPS'];
  expect(await here(...predict, ...assumed)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('phantom_0001: its header gives no orientation; assumed LPS'),
  });
  // The mask says what was assumed: nothing needs to be assumed of it.
  const mask = await readLabels(join(folder, 'bare-masks/phantom_0001.nii.gz'));
  expect(axisCodes(mask.affine)).toBe('LPS');
  const wanted = { notes: ['its header gives no orientation; assumed LPS'] };
  expect(JSON.parse(await readFile(join(folder, 'bare-masks/phantom_0001.json'), 'utf8'))).toMatchObject(wanted);
  expect((await here('prepare', '--config', 'tiny.yaml', ...data, ...assumed)).code).toBe(0);
  for (const command of ['check', 'stats']) expect((await here('dataset', command, ...data, ...assumed)).code).toBe(0);
  const evaluate = ['evaluate', '--truth', 'bare/labels', '--prediction', 'bare-masks', '--images', 'bare/ct'];
  expect((await here(...evaluate, '--out', 'bare-evaluation')).stderr).toContain('--assume-orientation <codes>');
  expect((await here(...evaluate, '--out', 'bare-evaluation', ...assumed)).code).toBe(0);
  expect((await here(...predict, '--assume-orientation', 'LLS')).code).toBe(2);
});

it('a header in metres likewise', async () => {
  const predict = ['predict', '--model', model, 'metres/ct/phantom_0001.nii.gz', '--out', 'metres-masks', '--force'];
  const refused = await here(...predict);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(
    'xyzt_units: 1 (metres) as the unit of lengths; expected 2 (millimetres), or use --assume-units <unit> to say',
  );
  expect((await here(...predict, '--assume-units', 'm')).code).toBe(0);
  const mask = await readVolume(join(folder, 'metres-masks/phantom_0001.nii.gz'));
  const scan = await readVolume(join(folder, 'data/ct/phantom_0001.nii.gz'));
  for (const [i, value] of scan.affine.entries()) expect(Math.abs(mask.affine[i] - value)).toBeLessThan(1e-4);
  // Metres that are taken for millimetres show no chest.
  expect((await here(...predict, '--assume-units', 'mm')).stderr).toMatch(/voxels of 0\.007×0\.007×0\.01 mm/);
});

it('kinds that nobody can accept are refused with a list', async () => {
  const { code, stderr } = await here('predict', '--model', model, 'data/ct', '--out', 'x', '--accept', 'not-finite');
  expect(code).toBe(2);
  expect(stderr).toContain(`Expected one or more of ${acceptableKinds.join(', ')}`);
});
