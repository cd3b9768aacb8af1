import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLabels, readVolume } from '@quickcolumn/io';
import { compareGrids } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatePhantom, phantomCaseSeed, writePhantomCases } from './index.js';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'phantom-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const size = [40, 36, 16] as const;

describe('writePhantomCases', () => {
  it('writes image and labels that read back as generated', async () => {
    const cases = await writePhantomCases(join(dir, 'a'), 2, 7, { size });
    expect(cases.map((c) => c.name)).toEqual(['phantom_0001', 'phantom_0002']);
    const expected = generatePhantom({ seed: phantomCaseSeed(7, 1), size });
    const image = await readVolume(cases[1].imagePath);
    const labels = await readLabels(cases[1].labelPath);
    expect(Array.from(image.voxels)).toEqual(Array.from(expected.image.voxels));
    expect(Array.from(labels.voxels)).toEqual(Array.from(expected.labels.voxels));
    expect(compareGrids(image, expected.image)).toEqual({ same: true });
    expect(compareGrids(image, labels)).toEqual({ same: true });
  });

  it('repeats byte for byte, and never overwrites without force', async () => {
    const [first] = await writePhantomCases(join(dir, 'b'), 1, 7, { size });
    const before = await readFile(first.imagePath);
    await expect(writePhantomCases(join(dir, 'b'), 1, 7, { size })).rejects.toThrow('exists');
    await writePhantomCases(join(dir, 'b'), 1, 7, { size, force: true });
    expect((await readFile(first.imagePath)).equals(before)).toBe(true);
  });

  it('refuses a wrong count', async () => {
    await expect(writePhantomCases(join(dir, 'c'), 0, 7)).rejects.toThrow('count is 0');
  });
});
