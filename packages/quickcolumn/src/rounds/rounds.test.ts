import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readLabels, writeVolume } from '@quickcolumn/io';
import { writePhantomCases } from '@quickcolumn/phantom';
import { readModel } from '@quickcolumn/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, killAt, type Outcome, quickcolumn } from '../command.test.helpers.js';

const tiny = `profile: quick
data: { list: all.csv }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 3, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

const scan = (n: number): string => `phantom_000${n}`;

/** Phantoms 1 to 3 are labelled, 4 to 7 are not, 8 is a test. */
const list = [
  'image,label,split',
  ...[1, 2, 3].map((n) => `data/ct/${scan(n)}.nii.gz,data/labels/${scan(n)}.nii.gz,train`),
  ...[6, 4, 5, 7].map((n) => `data/ct/${scan(n)}.nii.gz,,`),
  `data/ct/${scan(8)}.nii.gz,data/labels/${scan(8)}.nii.gz,test`,
].join('\n');

describe('rounds', () => {
  let folder = '';
  const rounds = (...args: string[]): Promise<Outcome> => quickcolumn(folder, 'rounds', ...args);
  const at = (...path: string[]): string => join(folder, ...path);

  /** Saves the truth in place of the prediction, as a person would. */
  async function correct(out: string, round: number, name: string): Promise<void> {
    const truth = await readLabels(at('data', 'labels', `${name}.nii.gz`));
    await writeVolume(at(out, `round-${round}`, 'to-correct', `${name}.nii.gz`), truth, { force: true });
  }

  const weightsOf = async (out: string, round: number): Promise<string> =>
    (await readModel(at(out, `round-${round}`, 'run', 'model.onnx'))).metadata.weightsSha256;

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-rounds-')), 'work');
    await mkdir(folder);
    await writePhantomCases(at('data'), 8, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(at('tiny.yaml'), tiny);
    await writeFile(at('all.csv'), list);
  }, 120_000);
  afterAll(() => rm(dirname(folder), { recursive: true, force: true }));

  it('goes from the first labels to the last scan, and keeps what the person did', { timeout: 300_000 }, async () => {
    const started = await rounds('start', '--config', 'tiny.yaml', '--scans', '2', '--out', 'r', '--no-evaluate');
    expect(started.stderr).not.toContain('error');
    expect(started.code).toBe(0);
    expect(started.stdout).toContain('Correct these 2 of 4 scans');
    // In the order of the list, not of the names.
    expect(await readdir(at('r', 'round-2', 'to-correct'))).toEqual([`${scan(4)}.nii.gz`, `${scan(6)}.nii.gz`]);
    const firstList = await readFile(at('r', 'round-1', 'cases.csv'), 'utf8');
    expect(firstList.match(/,train-only$/gm)).toHaveLength(2);
    expect(firstList.match(/,validation$/gm)).toHaveLength(1);
    expect(firstList).not.toContain(scan(8));

    const again = await rounds('start', '--config', 'tiny.yaml', '--out', 'r');
    expect(again).toMatchObject({ code: 5, stderr: expect.stringContaining('holds training rounds already') });

    // Nobody has touched the files.
    const early = await rounds('next', '--out', 'r', '--no-evaluate');
    expect(early.code).toBe(3);
    expect(early.stderr).toMatch(
      /not changed since the model drew them: .*phantom_0006.*phantom_0004.*--accept-unchanged/,
    );

    // One is corrected, one is on another grid; then one has an unknown label: nothing is accepted.
    await correct('r', 2, scan(4));
    const place = at('r', 'round-2', 'to-correct', `${scan(6)}.nii.gz`);
    const kept = await readFile(place);
    const prediction = await readLabels(place);
    const moved = prediction.affine.map((value, i) =>
      i === 3 ? value + 7 : value,
    ) as unknown as typeof prediction.affine;
    await writeVolume(place, { ...prediction, affine: moved }, { force: true });
    const shifted = await rounds('next', '--out', 'r', '--no-evaluate');
    expect(shifted).toMatchObject({ code: 3, stderr: expect.stringContaining('is not on the grid of its scan') });
    const strange = prediction.voxels.slice();
    strange[5] = 9;
    await writeVolume(place, { ...prediction, voxels: strange }, { force: true });
    const unknown = await rounds('next', '--out', 'r', '--no-evaluate');
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toMatch(/phantom_0006\.nii\.gz have value 9 \(1 voxels\).*Nothing was accepted/s);
    await rm(place);
    expect((await rounds('next', '--out', 'r')).stderr).toContain('phantom_0006.nii.gz: is missing');
    expect(existsSync(at('r', 'labels'))).toBe(false);

    // The second one comes from elsewhere, the first one lies in place; what is there stays as it is.
    await writeFile(place, kept);
    await mkdir(at('viewer'));
    await writeVolume(at('viewer', `${scan(6)}.nii`), await readLabels(at('data', 'labels', `${scan(6)}.nii.gz`)));
    const stray = await rounds('next', '--out', 'r', 'data/ct/phantom_0007.nii.gz');
    expect(stray).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no scan of this round is named phantom_0007'),
    });
    const second = await rounds('next', '--out', 'r', '--no-evaluate', `viewer/${scan(6)}.nii`);
    expect(second.stderr).not.toContain('error');
    expect(second.code).toBe(0);
    expect(await readFile(place)).toEqual(kept);
    for (const n of [4, 6]) {
      const accepted = await readLabels(at('r', 'labels', `${scan(n)}.nii.gz`));
      expect(accepted.voxels).toEqual((await readLabels(at('data', 'labels', `${scan(n)}.nii.gz`))).voxels);
    }
    const secondList = await readFile(at('r', 'round-2', 'cases.csv'), 'utf8');
    expect(secondList.match(/,train-only$/gm)).toHaveLength(4);
    expect(secondList.match(/.*,validation$/gm)?.[0].split(',')[0]).toBe(
      firstList.match(/.*,validation$/gm)?.[0].split(',')[0],
    );
    const yaml = await readFile(at('r', 'round-2', 'run', 'config.yaml'), 'utf8');
    expect(yaml).toContain(await weightsOf('r', 1));
    expect(await readdir(at('r', 'round-3', 'to-correct'))).toEqual([`${scan(5)}.nii.gz`, `${scan(7)}.nii.gz`]);

    const last = await rounds('next', '--out', 'r', '--accept-unchanged');
    expect(last.code).toBe(0);
    expect(last.stdout).toContain('All scans are labelled. The last model is');
    const status = await rounds('status', '--out', 'r');
    expect(status.stdout.split('\n').slice(1, 4).map((row) => row.trim().split(/ {2,}/).slice(0, 4))).toEqual([
      ['1', 'trained', '2', '0'],
      ['2', 'trained', '4', '2'],
      ['3', 'trained', '6', '2'],
    ]); // biome-ignore format: a table
    const state: unknown = JSON.parse(await readFile(at('r', 'state.json'), 'utf8'));
    expect(state).toMatchObject({
      rounds: [
        { corrections: [] },
        { corrections: [{ name: scan(6), changedVoxels: expect.any(Number) }, { name: scan(4) }] },
        { corrections: [{ changedVoxels: 0, changedMl: 0 }, { changedVoxels: 0 }] },
      ],
    });
    const report = await readFile(at('r', 'report.html'), 'utf8');
    expect(report).toContain('Prediction and correction');
    expect(report).toContain('phantom_0006');
    expect((await filesIn(at('r'))).filter((file) => file.includes('tmp'))).toEqual([]);
    // Nothing is left to do, and saying it again changes nothing.
    expect((await rounds('next', '--out', 'r')).stdout).toContain('All scans are labelled');
  });

  it('killed in training and in prediction it comes to the same models', { timeout: 300_000 }, async () => {
    const options = ['--scans', '3', '--order', 'uncertain', '--first', '2', '--epochs', '6', '--no-evaluate'];
    await quickcolumn(folder, 'rounds', 'start', '--config', 'tiny.yaml', '--out', 'whole', ...options);
    await kill(
      ['start', '--config', 'tiny.yaml', '--out', 'killed', ...options],
      at('killed', 'round-1', 'run', 'history.jsonl'),
    );
    expect(existsSync(at('killed', 'round-1', 'run', 'model.onnx'))).toBe(false);
    expect((await rounds('status', '--out', 'killed')).stdout).toContain('its training is not complete. To go on:');
    await kill(['next', '--out', 'killed', '--no-evaluate'], at('killed', 'round-2', 'predicted', `${scan(6)}.nii.gz`));
    expect((await rounds('next', '--out', 'killed', '--no-evaluate')).code).toBe(0);
    expect(await weightsOf('killed', 1)).toBe(await weightsOf('whole', 1));
    expect(await readFile(at('killed', 'state.json'), 'utf8')).toBe(await readFile(at('whole', 'state.json'), 'utf8'));
    const { rounds: done } = JSON.parse(await readFile(at('whole', 'state.json'), 'utf8')) as {
      rounds: { batch: string[]; entropy: Record<string, number> }[];
    };
    const { batch, entropy } = done[1];
    expect(Object.keys(entropy)).toHaveLength(4);
    const sorted = Object.keys(entropy).sort((a, b) => entropy[b] - entropy[a]);
    expect(batch).toEqual(sorted.slice(0, 3));
    // The third labelled case joins in round 2.
    await kill(
      ['next', '--out', 'killed', '--accept-unchanged', '--no-evaluate'],
      at('killed', 'round-2', 'run', 'history.jsonl'),
    );
    expect((await rounds('next', '--out', 'killed', '--no-evaluate')).code).toBe(0);
    await rounds('next', '--out', 'whole', '--accept-unchanged', '--no-evaluate');
    expect(await weightsOf('killed', 2)).toBe(await weightsOf('whole', 2));
    expect((await readFile(at('whole', 'round-2', 'cases.csv'), 'utf8')).trim().split('\n')).toHaveLength(1 + 3 + 3);
  });

  const kill = (args: readonly string[], file: string): Promise<void> => killAt(folder, file, ['rounds', ...args]);

  it('refuses what cannot be rounds', { timeout: 300_000 }, async () => {
    const refused = async (code: number, text: string, ...args: string[]): Promise<void> =>
      expect(await rounds(...args)).toMatchObject({ code, stderr: expect.stringContaining(text) });
    await refused(2, 'needs a list of cases', 'start', '--out', 'x');
    await refused(3, 'fewer than the first 9', 'start', '--config', 'tiny.yaml', '--out', 'x', '--first', '9');
    await writeFile(at('labelled.csv'), list.split('\n').slice(0, 4).join('\n'));
    await refused(
      3,
      'nothing is left to predict',
      'start',
      '--config',
      'tiny.yaml',
      '--list',
      'labelled.csv',
      '--out',
      'x',
    );
    await writeFile(at('one.csv'), [0, 1, 4].map((line) => list.split('\n')[line]).join('\n'));
    await refused(3, 'at least 2 patients', 'start', '--config', 'tiny.yaml', '--list', 'one.csv', '--out', 'x');
    await refused(2, 'order', 'start', '--config', 'tiny.yaml', '--out', 'x', '--order', 'random');
    await refused(3, 'no training rounds here', 'next', '--out', 'x');
    await refused(3, 'no training rounds here', 'status', '--out', 'x');
    await mkdir(at('damaged'));
    await writeFile(at('damaged', 'state.json'), '{"format": "quickcolumn-rounds"}');
    await refused(3, 'or is damaged', 'status', '--out', 'damaged');
    await refused(5, 'not empty', 'start', '--config', 'tiny.yaml', '--out', 'data');
    expect(existsSync(at('x'))).toBe(false);
  });
});
