import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defects, scanDefects } from '@quickcolumn/defects';
import { readLabels, readVolume, writeVolume } from '@quickcolumn/io';
import { type ListedCase, readCaseList } from '@quickcolumn/cases';
import type { LabelMap } from '@quickcolumn/pipeline';
import { compareGrids, covidClasses, reorient } from '@quickcolumn/volume';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { affine, putLabels, putScan } from '../datasets.test.helpers.js';
import {
  checkDataset,
  type CheckReport,
  type Finding,
  thumbnail,
  type Thumbnail,
  thumbnailSheet,
  writeFixed,
} from '../index.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-check-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A case with all classes on the image's grid; `changes` make it worse. */
async function putCase(name: string, seed: number, changes: Partial<ListedCase> = {}): Promise<ListedCase> {
  return {
    name,
    imagePath: await putScan(join(root, 'ct', `${name}.nii.gz`), seed),
    labelPath: await putLabels(join(root, 'labels', `${name}.nii.gz`), [1, 2, 3]),
    patient: name,
    split: 'train',
    ...changes,
  };
}

const check = async (...cases: ListedCase[]): Promise<CheckReport> => await checkDataset(cases, covidClasses);

async function findingsOf(...cases: ListedCase[]): Promise<readonly Finding[]> {
  return (await check(...cases)).findings;
}

const shifted = (mm: number): number[] => affine.map((value, at) => (at === 3 ? value + mm : value));

describe('checkDataset', () => {
  it('finds nothing in a good dataset, and tells its facts', async () => {
    const { cases, findings } = await check(await putCase('a', 1), await putCase('b', 2));
    expect(findings).toEqual([]);
    expect(cases[0]).toMatchObject({
      name: 'a',
      size: [12, 10, 8],
      spacingMm: [2, 2, 5],
      axes: 'LPS',
      scale: 'hu',
      min: -1000,
      geometry: 'same',
      classVoxels: [660, 100, 100, 100],
    });
  });

  it('tells the exact difference of grids, and what is harmless', async () => {
    const entry = await putCase('a', 1);
    const at = async (matrix: readonly number[]): Promise<Finding> => {
      await putLabels(entry.labelPath ?? '', [1, 2, 3], { affine: matrix });
      const [finding, ...more] = await findingsOf(entry);
      expect(more).toEqual([]);
      return finding;
    };
    const rounded = await at(shifted(0.25));
    expect(rounded).toMatchObject({ kind: 'grid', severity: 'error', fixable: true });
    expect(rounded.message).toMatch(
      /by up to 0\.2500 mm: origin by \(0\.2500, 0\.0000, 0\.0000\) mm, spacing by up to 0\.00000/,
    );
    const moved = await at(shifted(7));
    expect(moved).toMatchObject({ kind: 'grid', fixable: false });
    expect(moved.message).toMatch(/up to 7\.0000 mm.*labels of another scan/);
    const coarser = await at(affine.map((value, i) => (i === 10 ? 5.5 : value)));
    expect(coarser.message).toMatch(/spacing by up to 0\.50000 mm/);
    await putLabels(entry.labelPath ?? '', [1, 2, 3], { size: [12, 10, 9] });
    expect((await findingsOf(entry))[0].message).toContain('the image has 12×10×8 voxels, the labels 12×10×9');
  });

  it('sees through another order of axes', async () => {
    const entry = await putCase('a', 1);
    const { properties: _properties, ...labels } = await readLabels(entry.labelPath ?? '');
    await writeVolume(entry.labelPath ?? '', reorient(labels, 'SRA'), { force: true });
    const [finding] = await findingsOf(entry);
    expect(finding).toMatchObject({ kind: 'grid', fixable: true });
    expect(finding.message).toMatch(/axes are SRA, the image's LPS/);
  });

  it('names undeclared values, near-empty classes and odd intensities', async () => {
    const entry = await putCase('a', 1);
    await putLabels(entry.labelPath ?? '', [1, 2, 9], { count: 200 });
    const [values, empty] = await findingsOf(entry);
    expect(values.message).toMatch(/label values 9 \(200 voxels\) that no class declares.*3 infection/);
    expect(empty).toMatchObject({ kind: 'near-empty', severity: 'warning', message: 'a: no voxel of infection' });
    await putLabels(entry.labelPath ?? '', [1, 2, 3], { count: 20 });
    expect((await findingsOf(entry)).map(({ message }) => message)).toContain('a: 20 voxels (0.400 ml) of infection');
    await putLabels(entry.labelPath ?? '', [1, 2, 3]);
    await putScan(entry.imagePath, 1, { low: 0, high: 3000 });
    expect((await findingsOf(entry))[0].message).toMatch(/neither HU nor 0–255 \(HU \+ 1024\?\)/);
    await putScan(entry.imagePath, 1, { low: 5, high: 5 });
    expect((await findingsOf(entry))[0].message).toMatch(/every voxel is 5/);
  });

  it('goes by what the values are mapped to', async () => {
    const entry = await putCase('a', 1);
    await putLabels(entry.labelPath ?? '', [1, 2, 9]);
    const kinds = async (labels: LabelMap): Promise<string[]> =>
      (await checkDataset([entry], covidClasses, { nearEmptyMl: 0.001, labels })).findings.map(({ kind }) => kind);
    expect(await kinds({})).toEqual(['label-value', 'near-empty']);
    expect(await kinds({ 9: 'infection' })).toEqual([]);
    expect(await kinds({ 9: null })).toEqual(['near-empty']);
  });

  it('takes a declared label to ignore for what it is', async () => {
    const entry: ListedCase = {
      name: 'partly',
      imagePath: await putScan(join(root, 'ct', 'partly.nii'), 3),
      labelPath: await putLabels(join(root, 'labels', 'partly.nii'), [1, 2, 3, 9]),
      patient: 'p',
      split: 'train',
    };
    const kinds = async (options: object): Promise<string[]> =>
      (await checkDataset([entry], covidClasses, { nearEmptyMl: 0.001, ...options })).findings.map(({ kind }) => kind);
    expect(await kinds({})).toEqual(['label-value']);
    expect(await kinds({ ignoreLabel: 8 })).toEqual(['label-value']);
    expect(await kinds({ ignoreLabel: 9 })).toEqual([]);
  });

  it('judges scans as prediction and training do, and takes what is accepted for a warning', async () => {
    const entry = await putCase('a', 1);
    await putScan(entry.imagePath, 1, { low: 0, high: 3000 });
    const [finding] = await findingsOf(entry);
    const { message } = scanDefects(await readVolume(entry.imagePath))[0];
    expect(finding).toMatchObject({ kind: 'value-range', severity: 'error', message: `a: ${message}` });
    const { findings } = await checkDataset([entry], covidClasses, { accept: ['value-range'] });
    expect(findings[0]).toMatchObject({ severity: 'warning', message: `a: ${message}; accepted` });
    await putScan(entry.imagePath, 1, { affine: affine.map((value, i) => (i < 12 ? value / 1000 : value)) });
    expect((await findingsOf(entry)).map(({ kind }) => kind)).toContain('extent');
    expect(new Set((await findingsOf(entry)).map(({ kind }) => defects[kind].outcome))).toEqual(new Set(['refused']));
  });

  it('tells of mixed scales once', async () => {
    const windowed = await putCase('b', 2);
    await putScan(windowed.imagePath, 2, { low: 0, high: 255 });
    const findings = await findingsOf(await putCase('a', 1), windowed);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ kind: 'mixed-scales', severity: 'warning', cases: ['b'] });
  });

  it('finds the same voxels under other names, types and orders of axes, and patients on both sides', async () => {
    const a = await putCase('a', 1);
    const b = await putCase('b', 1, { split: 'test' });
    const { properties: _properties, ...scan } = await readVolume(b.imagePath);
    await writeVolume(b.imagePath, reorient({ ...scan, voxels: Float32Array.from(scan.voxels) }, 'RSA'), {
      force: true,
    });
    const turned = { affine: (await readVolume(b.imagePath)).affine };
    await putLabels(b.labelPath ?? '', [1, 2, 3], { size: [12, 8, 10], ...turned });
    const [duplicate] = await findingsOf(a, b);
    expect(duplicate).toMatchObject({ kind: 'duplicate', severity: 'error', cases: ['a', 'b'] });
    expect(duplicate.message).toMatch(/in train and test/);
    expect((await findingsOf(a, { ...b, split: 'train' }))[0].message).toMatch(/as patients a, b/);
    expect((await findingsOf(a, { ...b, split: 'train', patient: 'a' }))[0].severity).toBe('warning');
    const other = await putCase('c', 3, { split: 'test', patient: 'a' });
    expect((await findingsOf(a, other))[0].message).toBe('patient a is in train (a) and in test (c)');
    const named = await putCase('radiopaedia_10_1_1', 5, { patient: 'somebody' });
    expect((await findingsOf(named))[0].message).toMatch(
      /listed as patient somebody, but its name says radiopaedia_10/,
    );
  });

  it('goes on behind files that cannot be read', async () => {
    const broken = await putCase('a', 1);
    await writeFile(broken.imagePath, 'nothing');
    const bare = { ...(await putCase('b', 2)), labelPath: undefined };
    const { cases, findings } = await check(broken, bare, await putCase('c', 3));
    expect(findings.map(({ kind }) => kind)).toEqual(['unreadable', 'no-label']);
    expect(cases.map(({ name }) => name)).toEqual(['b', 'c']);
  });
});

describe('writeFixed', () => {
  it('repairs what is harmless into another folder and leaves originals as they are', async () => {
    const good = await putCase('a', 1);
    const rounded = await putCase('b', 2);
    await putLabels(rounded.labelPath ?? '', [1, 2, 3], { affine: shifted(0.3) });
    const turned = await putCase('c', 3);
    const { properties: _properties, ...labels } = await readLabels(turned.labelPath ?? '');
    await writeVolume(turned.labelPath ?? '', reorient(labels, 'RAS'), { force: true });
    const moved = await putCase('d', 4);
    await putLabels(moved.labelPath ?? '', [1, 2, 3], { affine: shifted(9) });
    const cases = [good, rounded, turned, moved];
    const before = await Promise.all(cases.map(async ({ labelPath }) => await readFile(labelPath ?? '')));

    const out = join(root, 'fixed');
    expect(await writeFixed(cases, await check(...cases), out)).toEqual(['b', 'c']);
    expect(await Promise.all(cases.map(async ({ labelPath }) => await readFile(labelPath ?? '')))).toEqual(before);
    const fixed = await readCaseList(join(out, 'cases.csv'));
    expect(fixed.map(({ labelPath }) => labelPath?.startsWith(out))).toEqual([false, true, true, false]);
    const again = await check(...fixed);
    expect(again.cases.map(({ geometry }) => geometry)).toEqual(['same', 'same', 'same', 'different']);
    expect((await readLabels(fixed[2].labelPath ?? '')).voxels).toEqual(labels.voxels);
    await expect(writeFixed(cases, await check(...cases), out)).rejects.toThrow(/exists/);
  });
});

describe('thumbnails', () => {
  it('are one PNG with a tile a case; cases on other grids are left out', async () => {
    const cases = [await putCase('a', 1), await putCase('b', 2), await putCase('c', 3), await putCase('d', 4)];
    await putLabels(cases[3].labelPath ?? '', [1], { affine: shifted(9) });
    const tiles: Thumbnail[] = [];
    await checkDataset(cases, covidClasses, {
      onVolumes: (volumes) => {
        const tile = thumbnail(volumes, covidClasses);
        expect(tile === undefined).toBe(!compareGrids(volumes.image, volumes.labels ?? volumes.image).same);
        if (tile !== undefined) tiles.push(tile);
      },
    });
    expect(tiles.map(({ caption }) => caption)).toEqual(['a HU Z2', 'b HU Z2', 'c HU Z2']);
    const sheet = Buffer.from(thumbnailSheet(tiles, 2) ?? []);
    expect(sheet.subarray(1, 4).toString()).toBe('PNG');
    const [width, height] = [sheet.readUInt32BE(16), sheet.readUInt32BE(20)];
    expect(width).toBe(2 * (tiles[0].width + 6) + 6);
    expect(height).toBe(2 * (tiles[0].height + 19) + 6);
    expect(thumbnailSheet([])).toBeUndefined();
  });
});
