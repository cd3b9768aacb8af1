/**
 * Every DICOM file of the shared folder against expected_dicom.json (what pydicom or a checked decoder read): pixel
 * hash, size, spacing, place; or the refusal that each other file must get. No file may be read silently wrong.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { has, needs, pathOf } from '@quickcolumn/testing';
import { spacingMm } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memorySource, unpackLidc } from './dicom.test.helpers.js';
import { type DicomListing, listSeries } from './series/list-series.js';
import { decodeFrame } from './codecs/pixels.js';
import { looksLikeDicom, readFile } from './data-set/read-file.js';
import { readSeries } from './series/read-series.js';
import { sliceHeaders } from './series/slice-header.js';
import { openSources } from './sources/sources.js';

interface Expected {
  readonly modality: string;
  readonly rows: number | null;
  readonly cols: number | null;
  readonly frames: number;
  readonly ts: string;
  readonly slope: number | null;
  readonly intercept: number | null;
  readonly spacing: readonly number[] | null;
  readonly ipp: readonly number[] | null;
  readonly px_sha?: string;
}

const folder = join(pathOf('shared'), 'formats');
const listFile = join(folder, 'expected_dicom.json');
const expectedFiles = has('shared') ? (JSON.parse(readFileSync(listFile, 'utf8')) as Record<string, Expected>) : {};

/** One slice of the same image in many syntaxes; the lossless ones must decode to this hash. */
const ctImage = 'b76703cf422e7a4b';
/** Largest and mean difference of the stored values from the original that each lossy variant may have. */
const lossyVariants: Readonly<Record<string, readonly [number, number]>> = { '.91': [70, 4], '.81': [3, 2] };

async function listing(...paths: string[]): Promise<DicomListing> {
  const { sources } = await openSources(paths);
  return await listSeries(sources, { anyModality: true });
}

function sha(values: readonly ArrayLike<number>[]): string {
  const hash = createHash('sha256');
  for (const frame of values) hash.update(new Uint8Array(Int32Array.from(frame).buffer));
  return hash.digest('hex').slice(0, 16);
}

async function storedFrames(path: string): Promise<{ values: ArrayLike<number>[]; shape: number[] } | undefined> {
  const file = await readFile(memorySource(path, readFileSync(path)));
  const slices = sliceHeaders(file);
  if (slices === undefined) return undefined;
  const values: ArrayLike<number>[] = [];
  for (const { format, frame } of slices) values.push(await decodeFrame(file, format, frame));
  return { values, shape: [slices[0].format.columns, slices[0].format.rows, slices.length] };
}

describe('DICOM files of other projects', needs('shared'), () => {
  it.each(Object.entries(expectedFiles))('%s: pixels', async (name, expected) => {
    const frames = await storedFrames(join(folder, name));
    if (expected.rows === null) {
      expect(frames).toBeUndefined();
      return;
    }
    expect(frames?.shape).toEqual([expected.cols, expected.rows, expected.frames]);
    const values = frames?.values ?? [];
    if (expected.px_sha !== undefined) {
      expect(sha(values)).toBe(expected.px_sha);
      return;
    }
    if (/CTImage.*(Lossless|JPEG2000LosslessOnly)/.test(name)) expect(sha(values)).toBe(ctImage);
    const variant = Object.entries(lossyVariants).find(([uid]) => expected.ts.endsWith(uid));
    if (variant === undefined || !name.includes('CTImage')) return;
    const original = (await storedFrames(join(dirname(join(folder, name)), 'CTImage.dcm')))?.values[0] ?? [];
    const differences = Array.from(values[0], (value, i) => Math.abs(value - original[i]));
    const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
    expect(Math.max(...differences.slice(0, 100_000))).toBeLessThanOrEqual(variant[1][0]);
    expect(mean).toBeLessThan(variant[1][1]);
  });

  it.each(Object.entries(expectedFiles))('%s: place and scale, or refusal', async (name, expected) => {
    const { series, objects, damaged } = await listing(join(folder, name));
    expect(damaged).toEqual([]);
    if (expected.modality === 'SEG' || expected.rows === null) {
      expect(objects).toHaveLength(1);
      expect(series).toEqual([]);
      return;
    }
    expect(series).toHaveLength(1);
    expect(series[0].modality).toBe(expected.modality);
    if (expected.modality !== 'CT') await expect(readSeries(series[0])).rejects.toMatchObject({ reason: 'modality' });
    const problems = series[0].problems.map(({ kind }) => kind);
    if (name.includes('rgb/') || name.endsWith('no-pixel-spacing.dcm')) {
      expect(problems).toContain('color');
      return;
    }
    if (problems.length > 0) {
      // Single slices whose file states no thickness.
      expect(problems).toEqual(['geometry']);
      expect(series[0].problems[0].message).toMatch(/its third dimension is unknown/);
      return;
    }
    const { volume } = await readSeries(series[0], { anyModality: true, padding: 'keep' });
    expect(volume.size).toEqual([expected.cols, expected.rows, expected.frames]);
    if (expected.spacing === null || expected.ipp === null) return;
    const spacing = spacingMm(volume.affine);
    expect(Math.abs(spacing[0] - expected.spacing[1])).toBeLessThan(1e-9);
    expect(Math.abs(spacing[1] - expected.spacing[0])).toBeLessThan(1e-9);
    expect([-volume.affine[3], -volume.affine[7], volume.affine[11]].map((mm) => mm + 0)).toEqual(expected.ipp);
    const stored = (await storedFrames(join(folder, name)))?.values[0] ?? [];
    for (let i = 0; i < stored.length; i += 997) {
      const hu = stored[i] * (expected.slope ?? 1) + (expected.intercept ?? 0);
      expect(Math.abs(volume.voxels[i] - hu)).toBeLessThan(1e-3 + 1e-6 * Math.abs(hu));
    }
  });

  it('finds every DICOM file that is listed, and no other', () => {
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && looksLikeDicom(readFileSync(join(entry.parentPath, entry.name))))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
    // The two label.seg are copies of segmentations that the list names by another extension.
    expect(found.filter((name) => !name.endsWith('.seg')).sort()).toEqual(Object.keys(expectedFiles).sort());
  });

  const generic = 'icometrix_dicom2nifti/tests/data';
  it.each([
    ['QIICR_dcmqi/data/segmentations/ct-3slice', [512, 512, 3], [0.810547, 0.810547, 1]],
    ['QIICR_dcmqi/data/segmentations/24x38x3/image', [24, 38, 3], [0.7, 0.7, 2.5]],
    ['QIICR_dcmqi/data/segmentations/24x38x3/multiframe', [24, 38, 3], [0.7, 0.7, 2.5]],
    [`${generic}/failing/slicecount/001`, [256, 256, 2], [1, 1, 1]],
    ['niivue_niivue/packages/niivue/tests/images/enh.dcm', [64, 64, 6], [3.375, 3.375, 2.4]],
    [`${generic}/generic/anatomical/001`, [256, 256, 4], [1, 1, 1]],
    [`${generic}/generic/anatomical/001_implicit`, [256, 256, 4], [1, 1, 1]],
    [`${generic}/generic/compressed/001`, [256, 256, 4], [1, 1, 1]],
    [`${generic}/generic/compressed_rle/001`, [256, 256, 4], [1, 1, 1]],
    [`${generic}/generic/anatomical/002_non_isotropic`, [64, 28, 4], [6.39996, 4, 0.50005]],
  ])('series %s is read', async (name, size, spacing) => {
    const { series } = await listing(join(folder, name));
    expect(series[0].problems).toEqual([]);
    const { volume } = await readSeries(series[0], { anyModality: true });
    expect(volume.size).toEqual(size);
    for (const [axis, mm] of spacingMm(volume.affine).entries()) expect(mm).toBeCloseTo(spacing[axis], 4);
  });

  it.each([
    ['failing/gantrytilting/001', ['tilt']],
    ['failing/sliceincrement/001', ['missing']],
    ['failing/sliceincrement/002', ['tilt', 'missing']],
    ['failing/sliceorientation/001', ['mixed-spacing', 'mixed-orientation']],
    ['failing/notavolume/001', ['duplicates', 'geometry']],
    ['generic/rgb/001', ['color']],
  ])('series %s is refused', async (name, kinds) => {
    const { series } = await listing(join(folder, generic, name));
    expect(series[0].problems.map(({ kind }) => kind)).toEqual(kinds);
    await expect(readSeries(series[0], { anyModality: true })).rejects.toMatchObject({
      code: 'dicom',
      reason: kinds[0],
    });
  });
});

describe('the LIDC series', needs('shared'), () => {
  let temporary = '';
  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'quickcolumn-lidc-'));
    await unpackLidc(temporary);
  });
  afterAll(async () => {
    await rm(temporary, { recursive: true, force: true });
  });

  it('is read whole', async () => {
    const { series } = await listing(temporary);
    const { volume, sources, notes } = await readSeries(series[0]);
    expect(volume.size).toEqual([512, 512, 133]);
    expect(spacingMm(volume.affine).map((mm) => Number(mm.toFixed(6)))).toEqual([0.859375, 0.859375, 2.5]);
    expect(sources).toHaveLength(133);
    expect(notes).toEqual([]);
  });
});
