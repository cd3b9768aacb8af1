/** Names: which files are volumes, what a case and a result are called. */
import { describe, expect, it } from 'vitest';
import {
  isVolumeFile,
  readVolume,
  volumeBase,
  volumeExtensions,
  volumeFormatNames,
  volumeFormatOf,
  volumeName,
  volumePath,
} from '../index.js';
import { volumeFormats } from './formats.js';

describe('names of files', () => {
  it.each([
    ['ct/a.nii.gz', 'a', 'ct/a'],
    ['/data/A.B.NII', 'A.B', '/data/A.B'],
    ['a.hdr.gz', 'a', 'a'],
    ['a.nrrd', 'a', 'a'],
    ['ct\\a.MHA', 'a', 'ct\\a'],
    ['a.mhd', 'a', 'a'],
    ['a.nhdr', 'a', 'a'],
    ['a.img', undefined, 'a'],
    ['a.img.gz', undefined, 'a'],
    ['ct/._a.nii', undefined, 'ct/._a'],
    ['a.txt', undefined, 'a.txt'],
    ['a.nrrd.gz', undefined, 'a.nrrd.gz'],
    ['nii', undefined, 'nii'],
  ])('%s', (path, name, base) => {
    expect(volumeName(path)).toBe(name);
    expect(volumeBase(path)).toBe(base);
  });

  it('parts are files of volumes, too; what macOS leaves beside them is not', () => {
    expect(['a.img', 'a.img.gz', 'x/a.nii', 'a.dcm', 'x/._a.nii'].map(isVolumeFile)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('the format of a file is told by its name', () => {
    const files = ['x/a.nii', 'a.HDR.gz', 'a.img', 'a.nhdr', 'a.mha', 'a.dcm'];
    expect(files.map(volumeFormatOf)).toEqual(['nifti', 'nifti', 'nifti', 'nrrd', 'metaimage', undefined]);
  });

  it('a result has the usual extension of its format', () => {
    const paths = (['nifti', 'nrrd', 'metaimage'] as const).map((format) => volumePath('out/a', format));
    expect(paths).toEqual(['out/a.nii.gz', 'out/a.nrrd', 'out/a.mha']);
    expect(volumeFormatNames[0]).toBe('nifti');
    expect(() => volumePath('a', 'dicom' as never)).toThrow(/dicom is not nifti, .* or \w+$/);
  });

  it('messages name what can be read', async () => {
    expect(volumeExtensions).toMatch(/^\.nii\.gz, \.nii, \.hdr, .* or \.\w+$/);
    for (const { extensions } of volumeFormats)
      for (const ending of extensions) expect(volumeExtensions).toContain(ending);
    await expect(readVolume('scan.txt')).rejects.toMatchObject({
      code: 'format',
      fields: { path: 'scan.txt', field: 'file' },
      message: `scan.txt: file: unknown kind of file; expected ${volumeExtensions}`,
    });
  });

  it('no two formats claim one ending, and what is written can be read', () => {
    const endings = volumeFormats.flatMap(({ extensions, partExtensions = [] }) => [...extensions, ...partExtensions]);
    expect(new Set(endings).size).toBe(endings.length);
    for (const ending of endings) expect(ending).toMatch(/^\.[a-z.]+$/);
    for (const { extensions, writtenExtensions } of volumeFormats) {
      expect(extensions).toEqual(expect.arrayContaining([...writtenExtensions]));
    }
  });
});
