/** Small scans and label maps on disk for the tests of this package. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeVolume } from '@quickcolumn/io';
import type { Affine, Size3 } from '@quickcolumn/volume';

const size: Size3 = [12, 10, 8];
export const affine: Affine = [-2, 0, 0, 20, 0, -2, 0, 30, 0, 0, 5, -40, 0, 0, 0, 1];

/** A scan whose voxels depend on `seed`; in HU unless told otherwise. */
export async function putScan(
  path: string,
  seed: number,
  options: { readonly low?: number; readonly high?: number; readonly affine?: Affine } = {},
): Promise<string> {
  const { low = -1000, high = 200 } = options;
  const voxels = Int16Array.from({ length: 960 }, (_, i) => low + (((i + 1) * (seed * 37 + 11)) % (high - low + 1)));
  voxels[0] = low;
  await mkdir(dirname(path), { recursive: true });
  await writeVolume(path, { voxels, size, affine: options.affine ?? affine }, { force: true });
  return path;
}

/** Labels whose first voxels have the given values, `count` voxels each. */
export async function putLabels(
  path: string,
  values: readonly number[],
  options: { readonly count?: number; readonly affine?: Affine; readonly size?: Size3 } = {},
): Promise<string> {
  const { count = 100 } = options;
  const shape = options.size ?? size;
  const voxels = new Uint8Array(shape[0] * shape[1] * shape[2]);
  values.forEach((value, i) => voxels.fill(value, i * count, (i + 1) * count));
  await mkdir(dirname(path), { recursive: true });
  await writeVolume(path, { voxels, size: shape, affine: options.affine ?? affine }, { force: true });
  return path;
}

export async function putText(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}
