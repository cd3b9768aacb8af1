/** Every variant of NRRD and MetaImage against what ITK reads; files and numbers by test/golden/make-volume-files-golden.mjs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readVolume } from '../index.js';

interface Golden {
  readonly shape: number[];
  readonly dtype: string;
  readonly affine: number[];
  readonly voxels: number[];
}

const folder = fileURLToPath(new URL('../golden/volumes/', import.meta.url));
const { files } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../golden/volumes.json', import.meta.url)), 'utf8'),
) as {
  files: Record<string, Golden>;
};

const arrays: Readonly<Record<string, string>> = { int64: 'Float64Array', uint64: 'Float64Array' };

describe('readVolume agrees with ITK', () => {
  it.each(Object.entries(files))('%s', async (file, golden) => {
    // What ITK takes every file without an orientation for.
    const volume = await readVolume(folder + file, { assume: { orientation: 'LPS' } });
    expect(volume.size).toEqual(golden.shape);
    const wanted = arrays[golden.dtype] ?? `${golden.dtype}Array`;
    expect(volume.voxels[Symbol.toStringTag].toLowerCase()).toBe(wanted.toLowerCase());
    for (const [i, value] of golden.affine.entries()) {
      expect(Math.abs(volume.affine[i] - value), `affine[${i}] ${volume.affine[i]} ${value}`).toBeLessThan(1e-9);
    }
    // Every value is exact in the type it is read as.
    expect(Array.from(volume.voxels)).toEqual(golden.voxels);
  });

  it('covers every data type in both byte orders', () => {
    for (const type of ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64']) {
      for (const ending of ['', '-big']) {
        expect(Object.keys(files)).toContain(`nrrd-${type}${ending}.nrrd`);
        expect(Object.keys(files)).toContain(`meta-${type}${ending}.mha`);
      }
    }
  });
});
