/** Headers that do not say where the patient's left is, or in which unit: refused by name, or read as the user assumes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allAxisCodes, axisCodes, type Volume } from '@quickcolumn/volume';
import { readLabels, readVolume, volumeFiles, writeVolume } from '../index.js';
import { niftiBytes } from '../nifti/nifti.test.helpers.js';

const affine = [-0.5, 0, 0, 5, 0, 2, 0, -6, 0, 0, 3, 7, 0, 0, 0, 1];
const volume: Volume = { voxels: Uint8Array.from({ length: 24 }, (_, i) => i), size: [4, 3, 2], affine };
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const put = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

/** A NIfTI header with these codes (qform and sform) and units. */
function nifti(name: string, { codes = 1, units = 2, version = 1 as 1 | 2 }): string {
  const bytes = niftiBytes(volume, { version });
  const view = new DataView(bytes.buffer);
  if (version === 1) {
    view.setInt16(252, codes, true);
    view.setInt16(254, codes, true);
    bytes[123] = units;
  } else {
    view.setInt32(344, codes, true);
    view.setInt32(348, codes, true);
    view.setInt32(500, units, true);
  }
  return put(name, bytes);
}

describe('orientation', () => {
  it.each([1, 2] as const)('NIfTI-%i with both codes 0 is refused, and read as assumed', async (version) => {
    const path = nifti('bare.nii', { codes: 0, version });
    const wanted = {
      code: 'nifti',
      message: `${path}: qform_code, sform_code: both are 0: the header does not say where the patient's left is; expected one above 0`,
      fields: { path, options: { 'assumeOrientation <codes>': expect.stringContaining('voxel axes run to') } },
    };
    await expect(readVolume(path)).rejects.toMatchObject(wanted);
    await expect(readLabels(path)).rejects.toMatchObject(wanted);
    const read = await readVolume(path, { assume: { orientation: 'LPS' } });
    expect(read.affine).toEqual([-0.5, 0, 0, 0, 0, -2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]);
    expect(read.notes).toEqual(['its header gives no orientation; assumed LPS']);
    expect((await readLabels(path, { assume: { orientation: 'SRA' } })).affine).toEqual([
      0, 2, 0, 0, 0, 0, 3, 0, 0.5, 0, 0, 0, 0, 0, 0, 1,
    ]);
  });

  it('any of the 48 can be assumed, and nothing else', async () => {
    const path = nifti('bare.nii', { codes: 0 });
    expect(new Set(allAxisCodes).size).toBe(48);
    for (const codes of allAxisCodes) {
      expect(axisCodes((await readVolume(path, { assume: { orientation: codes } })).affine)).toBe(codes);
    }
    await expect(readVolume(path, { assume: { orientation: 'LLS' } })).rejects.toThrow(/three letters/);
  });

  it('a header that says it is believed', async () => {
    const read = await readVolume(nifti('said.nii', {}), { assume: { orientation: 'PIR', units: 'm' } });
    expect(read.affine).toEqual(affine);
    expect(read.notes).toEqual([]);
  });

  it.each([
    [
      'bare.nrrd',
      `NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nspacings: 1 1 2\nencoding: raw\n\n12345678`,
      'space',
    ],
    [
      'bare.mha',
      'NDims = 3\nDimSize = 2 2 2\nElementSpacing = 1 1 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n12345678',
      'TransformMatrix',
    ],
  ])('%s alike', async (name, text, field) => {
    const path = put(name, text);
    await expect(readVolume(path)).rejects.toMatchObject({
      field,
      message: expect.stringMatching(/say(s)? where the patient's left is/),
      fields: { options: { 'assumeOrientation <codes>': expect.any(String) } },
    });
    // Keys of caches need to know its files, whatever its orientation.
    expect(await volumeFiles(path)).toEqual([path]);
    const read = await readVolume(path, { assume: { orientation: 'RAS' } });
    expect(read.affine).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]);
    expect(read.notes).toEqual(['its header gives no orientation; assumed RAS']);
    const mask = join(folder, `mask-${name}`);
    await writeVolume(mask, read, { like: read.properties });
    expect((await readVolume(mask)).affine).toEqual(read.affine);
  });
});

describe('units', () => {
  it.each([
    [1, '1 (metres)'],
    [3, '3 (micrometres)'],
    [5, '5 (not defined by NIfTI)'],
    // Seconds in the other bits change nothing.
    [9, '1 (metres)'],
  ])('xyzt_units of %i are refused', async (units, shown) => {
    const path = nifti('units.nii', { units });
    await expect(readVolume(path)).rejects.toMatchObject({
      message: `${path}: xyzt_units: ${shown} as the unit of lengths; expected 2 (millimetres)`,
      fields: { options: { 'assumeUnits <unit>': expect.any(String) } },
    });
  });

  it.each([0, 2, 10])('xyzt_units of %i are millimetres', async (units) => {
    expect((await readVolume(nifti('units.nii', { units }))).affine).toEqual(affine);
  });

  it('are scaled as assumed', async () => {
    const path = nifti('units.nii', { units: 1 });
    const metres = await readVolume(path, { assume: { units: 'm' } });
    expect(metres.affine.slice(0, 12)).toEqual(affine.slice(0, 12).map((value) => value * 1000 + 0));
    expect(metres.affine[15]).toBe(1);
    expect(metres.notes).toEqual(['its header does not say millimetres; assumed m']);
    expect((await readVolume(path, { assume: { units: 'mm' } })).affine).toEqual(affine);
    const um = await readVolume(nifti('units.nii', { units: 0 }), { assume: { units: 'um' } });
    expect(um.affine[11]).toBeCloseTo(0.007, 12);
  });

  it.each([
    [
      'units.nrrd',
      'NRRD0004\ntype: uint8\ndimension: 3\nspace: RAS\nspace units: "m" "m" "m"\nsizes: 2 2 2\nspace directions: (1,0,0) (0,1,0) (0,0,2)\nencoding: raw\n\n12345678',
    ],
    [
      'units.mha',
      'NDims = 3\nDimSize = 2 2 2\nElementSpacing = 1 1 2\nTransformMatrix = -1 0 0 0 -1 0 0 0 1\nDistanceUnits = m\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n12345678',
    ],
  ])('%s alike', async (name, text) => {
    const path = put(name, text);
    await expect(readVolume(path)).rejects.toMatchObject({
      fields: { options: { 'assumeUnits <unit>': expect.any(String) } },
    });
    const read = await readVolume(path, { assume: { units: 'm' } });
    expect(read.affine.map((value) => value + 0)).toEqual([1000, 0, 0, 0, 0, 1000, 0, 0, 0, 0, 2000, 0, 0, 0, 0, 1]);
    const mask = join(folder, `mask-${name}`);
    await writeVolume(mask, read, { like: read.properties });
    expect((await readVolume(mask)).affine).toEqual(read.affine);
  });
});

it('a mask like an assumed scan says what was assumed', async () => {
  const path = nifti('both.nii', { codes: 0, units: 1 });
  const scan = await readVolume(path, { assume: { orientation: 'LPS', units: 'm' } });
  expect(scan.notes).toHaveLength(2);
  for (const name of ['mask.nii.gz', 'mask.nrrd', 'mask.mha']) {
    await writeVolume(join(folder, name), scan, { like: scan.properties, force: true });
    const mask = await readVolume(join(folder, name));
    expect(mask.affine).toEqual(scan.affine);
    expect(mask.notes).toEqual([]);
  }
});
