/** The readers of volumes: NIfTI, NRRD and MetaImage, with seeds made here and those of the tests and the shared folder. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encodeNifti, readLabels, readVolume } from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/errors';
import { voxelCount } from '@quickcolumn/volume';
import type { FuzzReader, FuzzSeed } from './reader.js';
import { filesBelow, sharedFormats } from './seed-files.js';
import { varyBytes, varyHead, varyInside } from './vary.js';

/** Larger files say nothing new and slow every case. */
const largestSeedBytes = 30_000;

const golden = fileURLToPath(new URL('../../io/src/golden', import.meta.url));
async function readAndCheck(path: string, maxBytes: number): Promise<void> {
  const { voxels, size, affine } = await readVolume(path, { maxBytes });
  if (voxels.length !== voxelCount(size)) throw new Error(`${voxels.length} voxels for ${size.join('×')}`);
  if (affine.length !== 16 || !affine.every(Number.isFinite)) throw new Error(`affine ${affine.join(' ')}`);
  await readLabels(path, { maxBytes }).catch((error: unknown) => {
    if (!(error instanceof QuickcolumnError)) throw error;
  });
}

const affine = [-0.7, 0, 0, 90, 0, -0.7, 0, 80, 0, 0, 2.5, -300, 0, 0, 0, 1];
const voxels = Int16Array.from({ length: 6 * 5 * 4 }, (_, i) => ((i * 7919) % 2000) - 1000);

export const niftiReader: FuzzReader = {
  name: 'nifti',
  seeds: async () => {
    const one = encodeNifti({ voxels, size: [6, 5, 4], affine }, 'seed');
    const two = encodeNifti({ voxels, size: [6, 5, 4], affine }, 'seed', { version: 2 });
    const made = [one, two].flatMap((bytes, i): FuzzSeed[] => [
      { name: `made-${i + 1}.nii`, extension: '.nii', bytes },
      { name: `made-${i + 1}.nii.gz`, extension: '.nii.gz', bytes: gzipSync(bytes) },
    ]);
    return [
      ...made,
      ...filesBelow([golden, sharedFormats], /\.nii(\.gz)?$/, largestSeedBytes).filter(({ bytes }) => bytes.length > 0),
    ];
  },
  vary: ({ bytes }, random, other) => varyInside(bytes, random, (inside) => varyBytes(inside, random, other)),
  read: readAndCheck,
};

/** Half of the cases are the header's text mutated, the others any bytes. */
const varyTextVolume: FuzzReader['vary'] = ({ bytes }, random, other) => {
  if (random.next() < 0.4) return varyBytes(bytes, random, other);
  // The header ends with a blank line (NRRD) or with ElementDataFile (MetaImage).
  const text = Buffer.from(bytes.subarray(0, 8192)).toString('latin1');
  const end = /\r?\n\r?\n|ElementDataFile[^\n]*\n/.exec(text);
  return varyHead(bytes, random, end === null ? bytes.length : end.index + end[0].length);
};

/** What the detached headers among the seeds refer to. */
const beside = Object.fromEntries(
  filesBelow([join(golden, 'volumes')], /\.(raw|zraw|gz)$/, largestSeedBytes).map(({ name, bytes }) => [name, bytes]),
);

export const nrrdReader: FuzzReader = {
  name: 'nrrd',
  seeds: async () => filesBelow([golden, sharedFormats], /\.(nrrd|nhdr)$/, largestSeedBytes),
  vary: varyTextVolume,
  beside,
  read: readAndCheck,
};

export const metaImageReader: FuzzReader = {
  name: 'metaimage',
  seeds: async () => filesBelow([golden, sharedFormats], /\.(mha|mhd)$/, largestSeedBytes),
  vary: varyTextVolume,
  beside,
  read: readAndCheck,
};
