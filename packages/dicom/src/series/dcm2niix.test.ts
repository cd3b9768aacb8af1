/** The same series through dcm2niix, an independent converter: the same HU in the same places. Debian's `dcm2niix`. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readVolume } from '@quickcolumn/io';
import { needs, pathOf } from '@quickcolumn/testing';
import { compareGrids, reorient, type Volume } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ctSlice, unpackLidc, writeSlices } from '../dicom.test.helpers.js';
import { listSeries } from './list-series.js';
import { readSeries } from './read-series.js';
import { openSources } from '../sources/sources.js';

describe('against dcm2niix', needs('dcm2niix'), () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-dcm2niix-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function bothWays(dicom: string, name: string): Promise<{ ours: Volume; theirs: Volume }> {
    const { sources } = await openSources([dicom]);
    const { series } = await listSeries(sources);
    const ours = (await readSeries(series[0])).volume;
    const out = join(folder, name);
    await mkdir(out);
    const { status, stdout } = spawnSync(pathOf('dcm2niix'), ['-z', 'n', '-b', 'n', '-f', 'scan', '-o', out, dicom]);
    expect(status, stdout.toString()).toBe(0);
    const files = (await readdir(out)).filter((file) => file.endsWith('.nii'));
    expect(files).toEqual(['scan.nii']);
    return { ours, theirs: await readVolume(join(out, files[0])) };
  }

  function expectSame(ours: Volume, theirs: Volume): void {
    const [a, b] = [reorient(ours, 'LPS'), reorient(theirs, 'LPS')];
    expect(compareGrids(a, b, 1e-3)).toEqual({ same: true });
    let different = 0;
    for (let i = 0; i < a.voxels.length; i++) if (a.voxels[i] !== b.voxels[i]) different++;
    expect(different).toBe(0);
  }

  it('a small oblique series', async () => {
    const [c, s] = [Math.cos(0.2), Math.sin(0.2)];
    const slices = Array.from({ length: 8 }, (_, k) =>
      ctSlice(k, {
        orientation: [1, 0, 0, 0, c, s],
        position: [-30, -20 - 3 * s * k, 3 * c * k],
        rows: 40,
        columns: 48,
        values: Int16Array.from({ length: 1920 }, (__, i) => ((i * 7 + k * 31) % 2000) - 24),
      }),
    );
    await writeSlices(join(folder, 'oblique'), slices);
    const { ours, theirs } = await bothWays(join(folder, 'oblique'), 'oblique-nifti');
    expectSame(ours, theirs);
  });

  it('the LIDC series', needs('shared'), async () => {
    const { ours, theirs } = await bothWays(await unpackLidc(join(folder, 'lidc')), 'lidc-nifti');
    expect(ours.size).toEqual([512, 512, 133]);
    expectSame(ours, theirs);
  });
});
