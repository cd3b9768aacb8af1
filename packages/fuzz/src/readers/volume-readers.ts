/**
 * The readers of volumes, one for each format there is: a new one is fuzzed as soon as it is listed. Seeds are files that our
 * writers make, those of the tests, and those of the shared folder.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  encodeVolumeBlob,
  readLabels,
  readVolume,
  volumeBase,
  type VolumeFormatName,
  volumeFormatNames,
  volumeFormatOf,
  volumePath,
} from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/errors';
import { voxelCount } from '@quickcolumn/volume';
import type { FuzzReader, FuzzSeed } from './reader.js';
import { filesBelow, sharedFormats } from '../seeds/seed-files.js';
import { varyBytes, varyHead, varyInside } from '../mutation/vary.js';

/** Larger files say nothing new and slow every case. */
const largestSeedBytes = 30_000;

const golden = fileURLToPath(new URL('../../../io/src/golden', import.meta.url));
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

async function madeSeeds(format: VolumeFormatName): Promise<FuzzSeed[]> {
  const name = volumePath('made', format);
  const blob = await encodeVolumeBlob({ voxels, size: [6, 5, 4], affine }, name);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const made = { name, extension: name.slice(volumeBase(name).length), bytes };
  if (!isGzip(bytes)) return [made];
  // The same without its compression: a mutation of compressed bytes alone finds little.
  const extension = made.extension.replace(/\.gz$/, '');
  return [made, { name: `made${extension}`, extension, bytes: gunzipSync(bytes) }];
}

/** Files of the tests and of others. A part of a pair alone is always refused, so it says nothing. */
function foundSeeds(format: VolumeFormatName): FuzzSeed[] {
  const isSeed = (file: string): boolean => volumeFormatOf(file) === format && !/\.(hdr|img)(\.gz)?$/i.test(file);
  return filesBelow([golden, sharedFormats], isSeed, largestSeedBytes)
    .filter(({ bytes }) => bytes.length > 0)
    .map((seed) => ({ ...seed, extension: seed.name.slice(volumeBase(seed.name).length) }));
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Of formats whose header is text, half of the cases are that text mutated; the others, and binary headers, any bytes. */
const vary: FuzzReader['vary'] = ({ bytes }, random, other) => {
  const text = Buffer.from(bytes.subarray(0, 8192)).toString('latin1');
  const isText = /^[\t\r\n -~]{16}/.test(text);
  if (!isText) return varyInside(bytes, random, (inside) => varyBytes(inside, random, other));
  if (random.next() < 0.4) return varyBytes(bytes, random, other);
  // The header ends with a blank line (NRRD) or with ElementDataFile (MetaImage).
  const end = /\r?\n\r?\n|ElementDataFile[^\n]*\n/.exec(text);
  return varyHead(bytes, random, end === null ? bytes.length : end.index + end[0].length);
};

/** What the detached headers among the seeds refer to. */
const beside = Object.fromEntries(
  filesBelow([join(golden, 'volumes')], (file) => /\.(raw|zraw|gz)$/.test(file), largestSeedBytes).map(
    ({ name, bytes }) => [name, bytes],
  ),
);

export const volumeReaders: readonly FuzzReader[] = volumeFormatNames.map((format) => ({
  name: format,
  seeds: async () => [...(await madeSeeds(format)), ...foundSeeds(format)],
  vary,
  beside,
  read: readAndCheck,
}));
