/** NRRD and MetaImage files of other projects against what ITK reads; only where the shared folder is present. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needs, pathOf } from '@quickcolumn/testing';
import { describe, expect, it } from 'vitest';
import { readVolume } from '../index.js';

interface Expected {
  readonly shape: number[];
  readonly dtype: string;
  readonly affine: number[];
  /** Of the voxels' bytes, little-endian. */
  readonly sha256: string;
}

const folder = resolve(pathOf('shared'), 'formats');
const { files } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../golden/shared-volumes.json', import.meta.url)), 'utf8'),
) as { files: Record<string, Expected> };

describe('files of other projects', needs('shared'), () => {
  it.each(Object.entries(files))('%s', async (name, expected) => {
    const { voxels, size, affine } = await readVolume(resolve(folder, name));
    expect(size).toEqual(expected.shape);
    expect(voxels[Symbol.toStringTag].toLowerCase()).toBe(`${expected.dtype}array`);
    for (const [i, value] of expected.affine.entries()) expect(Math.abs(affine[i] - value)).toBeLessThan(1e-9);
    const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(expected.sha256);
  });
});
