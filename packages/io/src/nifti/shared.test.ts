/** Files of other projects against expected_nifti.json (what nibabel read); only where the shared folder is present. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { has, needs, pathOf } from '@quickcolumn/testing';
import { axisCodes, spacingMm } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { NiftiError, readVolume } from '../index.js';

interface Expected {
  readonly shape?: number[];
  readonly dtype?: string;
  readonly axcodes?: string;
  readonly affine?: number[][];
  readonly zooms?: number[];
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly nibabel: string;
}

const folder = resolve(pathOf('shared'), 'formats');
const listFile = resolve(folder, 'expected_nifti.json');
const list = has('shared') ? (JSON.parse(readFileSync(listFile, 'utf8')) as Record<string, Expected>) : {};

/** The part of the file that must be named in the error, or undefined for a file that must be read. */
function expectedField(name: string, expected: Expected): string | undefined {
  if (name.endsWith('empty.nii.gz')) return 'file';
  if (name.endsWith('not-nifti.nii')) return 'sizeof_hdr';
  if (expected.shape === undefined) return '?';
  const extra = expected.shape.findIndex((size, axis) => axis >= 3 && size > 1);
  if (extra >= 0) return `dim[${extra + 1}]`;
  return /complex|\('R'/.test(expected.dtype ?? '') ? 'datatype' : undefined;
}

describe('files of other projects', needs('shared'), () => {
  it.each(Object.entries(list))('%s', async (name, expected) => {
    const path = resolve(folder, name);
    const field = expectedField(name, expected);
    if (field !== undefined) {
      const error: unknown = await readVolume(path).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NiftiError);
      expect(error).toMatchObject({ code: 'nifti', path, field });
      return;
    }
    const volume = await readVolume(path);
    expect([...volume.size]).toEqual(expected.shape?.slice(0, 3));
    expect(axisCodes(volume.affine)).toBe(expected.axcodes);
    const affine = expected.affine?.flat() ?? [];
    expect(affine).toHaveLength(16);
    for (const [i, value] of affine.entries()) expect(Math.abs(volume.affine[i] - value)).toBeLessThan(2e-5);
    for (const [axis, zoom] of (expected.zooms ?? []).slice(0, 3).entries()) {
      // pixdim and sform are stored apart and rounded apart.
      expect(Math.abs(spacingMm(volume.affine)[axis] - zoom)).toBeLessThan(1e-3);
    }
    let [min, max, sum] = [Infinity, -Infinity, 0];
    for (const value of volume.voxels) {
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
    const close = (actual: number, wanted: number | undefined): void =>
      expect(Math.abs(actual - (wanted ?? NaN))).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(actual)));
    close(min, expected.min);
    close(max, expected.max);
    close(sum / volume.voxels.length, expected.mean);
  });
});
