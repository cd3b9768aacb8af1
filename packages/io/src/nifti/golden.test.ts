/** Every variant of NIfTI against what nibabel reads; files and numbers by test/golden/make-nifti-golden.py. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { axisCodes } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { readLabels, readVolume } from '../index.js';
import { readNiftiFile } from './nifti.test.helpers.js';

interface Golden {
  readonly shape: number[];
  readonly dtype: string;
  readonly affine: number[];
  readonly codes: string;
  readonly voxels: number[];
}

const folder = fileURLToPath(new URL('../golden/', import.meta.url));
const { files } = JSON.parse(readFileSync(`${folder}nifti.json`, 'utf8')) as { files: Record<string, Golden> };

describe('the reader agrees with nibabel', () => {
  it.each(Object.entries(files))('%s', async (file, golden) => {
    const { volume, header } = await readNiftiFile(folder + file);
    expect(volume.size).toEqual(golden.shape);
    expect(header.datatype.name).toBe(golden.dtype);
    expect(axisCodes(volume.affine)).toBe(golden.codes);
    for (const [i, value] of golden.affine.entries()) {
      expect(Math.abs(volume.affine[i] - value), `affine[${i}] ${volume.affine[i]} ${value}`).toBeLessThan(1e-5);
    }
    // All values here are exact in the type they are read as (the slopes are powers of two or halves).
    expect(Array.from(volume.voxels)).toEqual(golden.voxels);
  });

  it('covers every supported data type in both byte orders', () => {
    const names = Object.keys(files);
    for (const type of ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64']) {
      expect(names).toContain(`nifti-${type}.nii`);
      expect(names).toContain(`nifti-${type}-big.nii`);
    }
    expect(names).toContain('nifti-uint8.nii');
    expect(names).toContain('nifti-int8.nii');
  });
});

describe('types of the voxels', () => {
  it.each([
    ['nifti-uint8.nii', Uint8Array],
    ['nifti-int8.nii', Int8Array],
    ['nifti-int16-big.nii', Int16Array],
    ['nifti-uint16.nii', Uint16Array],
    ['nifti-int64.nii', Float64Array],
    ['nifti-slope.nii', Float32Array],
    ['nifti-slope-int32.nii', Float64Array],
    ['nifti-slope-0.nii', Int16Array],
    ['nifti-slope-nan.nii', Int16Array],
  ])('%s', async (file, type) => {
    expect((await readVolume(folder + file)).voxels).toBeInstanceOf(type);
  });

  it('either part of a pair may be named', async () => {
    const fromHeader = await readVolume(`${folder}nifti-pair.hdr`);
    const fromImage = await readVolume(`${folder}nifti-pair.img`);
    const compressed = await readVolume(`${folder}nifti-pairgz.img.gz`);
    expect(fromImage.voxels).toEqual(fromHeader.voxels);
    expect(compressed.voxels).toEqual(fromHeader.voxels);
    expect((await readNiftiFile(`${folder}nifti-pair.img`)).header.singleFile).toBe(false);
  });

  it('labels are read as they are, other values are refused with their place', async () => {
    const labels = await readLabels(`${folder}nifti-uint8.nii`);
    expect(labels.voxels).toEqual(Uint8Array.from(files['nifti-uint8.nii'].voxels));
    await expect(readLabels(`${folder}nifti-float32.nii`)).rejects.toThrow(
      /nifti-float32.nii: voxels: .*voxel \(0, 0, 0\)/,
    );
    await expect(readLabels(`${folder}nifti-int16.nii`)).rejects.toThrow(/whole numbers 0 to 255/);
  });
});
