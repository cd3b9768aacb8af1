/** Real scans have no defect, and what a careless converter makes of them has one; only where the shared folder is present. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { scanDefects } from '@quickcolumn/defects';
import { readVolume } from '@quickcolumn/io';
import { needs, pathOf } from '@quickcolumn/testing';
import { permuteAndFlip, spacingMm, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';

const folder = join(pathOf('shared'), 'covid19-ct-seg', 'ct');
const files = existsSync(folder) ? readdirSync(folder) : [];

describe('real scans', needs('shared'), () => {
  it.each(files)('%s has none that is not there', async (file) => {
    const isCut = file.startsWith('coronacases_004');
    // Of that one the experts' label map has 31 cm² of lung in the lowest slice.
    const expected = isCut ? ['the lowest slice shows 28 cm² of lung; it goes on beyond the scan'] : [];
    expect(scanDefects(await readVolume(join(folder, file))).map(({ message }) => message)).toEqual(expected);
  });

  it.each(['coronacases_007.nii.gz', 'radiopaedia_4_85506_1.nii.gz'])('%s has, mistaken', async (file) => {
    const { voxels, size, affine } = await readVolume(join(folder, file));
    const kinds = (scan: Volume): string[] => scanDefects(scan).map(({ kind }) => kind);
    const mistaken = (permutation: readonly [number, number, number], ...flipped: number[]): Volume => {
      const flip = [flipped.includes(0), flipped.includes(1), flipped.includes(2)] as const;
      const turned = permuteAndFlip(voxels, size, { permutation, flip });
      const [x, y, z] = permutation.map((axis) => spacingMm(affine)[axis]);
      return { ...turned, affine: [-x, 0, 0, 0, 0, -y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1] };
    };
    expect(kinds(mistaken([0, 1, 2], 1))).toEqual(['anatomy']);
    expect(kinds(mistaken([0, 1, 2], 2))).toEqual(['anatomy']);
    expect(kinds(mistaken([1, 0, 2]))).toEqual(['anatomy']);
    expect(kinds(mistaken([2, 1, 0], 0))).toEqual(['anatomy']);
    const changed = (map: (hu: number) => number): Volume => ({ voxels: Float32Array.from(voxels, map), size, affine });
    expect(kinds(changed((hu) => hu - 1024))).toEqual(['calibration']);
    expect(kinds(changed((hu) => 2 * hu))).toEqual(['calibration']);
    expect(kinds(changed((hu) => hu / 2))).toEqual(['calibration']);
    expect(kinds(changed((hu) => hu + 1024))[0]).toMatch(/value-range|calibration/);
  });
});
