/**
 * DICOM: image files among good slices of their series, archives, and objects with labels. Each is listed as
 * `dicom list` does and read as `predict` and `dicom labels` do, with and without repairs.
 */
import { basename, dirname, join } from 'node:path';
import {
  type DicomSeries,
  listSeries,
  openSources,
  paintRegions,
  parseRepair,
  readPatient,
  readSegmentation,
  readSeries,
  readStructures,
} from '@quickcolumn/dicom';
import { QuickcolumnError } from '@quickcolumn/errors';
import { voxelCount } from '@quickcolumn/volume';
import { goodSeries, imageSeeds, labelSeeds, neighbours } from '../seeds/dicom-seeds.js';
import { createRandom, type Random } from '../mutation/random.js';
import type { FuzzReader, FuzzSeed } from './reader.js';
import { filesBelow, sharedFormats } from '../seeds/seed-files.js';
import { varyBytes } from '../mutation/vary.js';
import { makeZip, type ZipEntry } from '../seeds/zip-writer.js';

/** Slices of 512 × 512 are decoded in 20 to 50 ms: large enough for a code stream with all its markers, no larger. */
const largestSeedBytes = 260_000;
const repair = parseRepair(
  'damaged=drop,missing=interpolate,duplicates=first,uneven=resample,tilt=resample,localizer=drop',
);

/** Reads a series; throws its refusal, and ordinary errors for volumes that make no sense. */
async function readAndCheck(series: DicomSeries, maxBytes: number): Promise<void> {
  await readPatient(series.slices[0].source);
  const { volume, sources } = await readSeries(series, { anyModality: true, maxBytes }).catch(
    async () => await readSeries(series, { anyModality: true, repair, maxBytes }),
  );
  const { voxels, size, affine } = volume;
  if (voxels.length !== voxelCount(size)) throw new Error(`${voxels.length} voxels for ${size.join('×')}`);
  if (sources.length !== size[2]) throw new Error(`${sources.length} sources for ${size[2]} planes`);
  if (affine.length !== 16 || !affine.every(Number.isFinite)) throw new Error(`affine ${affine.join(' ')}`);
}

/** Lists the paths and reads every series. Throws the first refusal; other errors at once. */
async function readAll(paths: readonly string[], maxBytes: number): Promise<void> {
  const opened = await openSources(paths);
  try {
    const { series, damaged } = await listSeries(opened.sources, { anyModality: true });
    const refusals: unknown[] = damaged.map(({ error }) => error);
    for (const found of series) {
      await readAndCheck(found, maxBytes).catch((error: unknown) => {
        if (!(error instanceof QuickcolumnError)) throw error;
        refusals.push(error);
      });
    }
    if (refusals.length > 0) throw refusals[0];
  } finally {
    opened.close();
  }
}

const varyFile: FuzzReader['vary'] = ({ bytes }, random, other) => varyBytes(bytes, random, other);

/** Real files, as they come from scanners and other programs. */
function realFiles(pattern: RegExp): FuzzSeed[] {
  return filesBelow([sharedFormats], (file) => pattern.test(file), largestSeedBytes).filter(
    ({ bytes }) => bytes.length > 0,
  );
}

const isObject = /segmentations\/(.*\/)?[^/]+\.(dcm|seg)$/;
const isImageOfSet = /segmentations\/.*\/(image|multiframe)\//;

export const dicomReader: FuzzReader = {
  name: 'dicom',
  seeds: async () => [
    ...imageSeeds(),
    ...realFiles(/\.dcm$/).filter(({ name }) => !isObject.test(name) || isImageOfSet.test(name)),
  ],
  vary: varyFile,
  beside: Object.fromEntries(neighbours.map((bytes, i) => [`neighbour-${i}.dcm`, bytes])),
  read: async (path, maxBytes) => {
    const around = neighbours.map((_, i) => join(dirname(path), `neighbour-${i}.dcm`));
    await readAll([path, ...around], maxBytes);
  },
};

/** Names and sizes that archives lie with. */
const lies: readonly ((entry: ZipEntry, random: Random) => ZipEntry)[] = [
  (entry, random) => ({
    ...entry,
    statedBytes: random.pick([0, 1, 600, 2 ** 31, 2 ** 32 - 1, entry.bytes.length - 1]),
  }),
  (entry, random) => ({ ...entry, packedBytes: random.pick([0, 1, 100, 2 ** 31, 2 ** 32 - 1]) }),
  (entry, random) => ({ ...entry, offset: random.pick([0, 1, 30, 600, 2 ** 31, 2 ** 32 - 1]) }),
  (entry, random) => ({ ...entry, method: random.pick([0, 1, 9, 12, 14, 99]) }),
  (entry, random) => ({ ...entry, flags: random.pick([1, 8, 64, 2048, 8192, 65_535]) }),
  (entry, random) => ({
    ...entry,
    name: random.pick(['../../x', '/etc/passwd', 'C:\\x', '..\\x', '', 'a/', 'a\0b', '\u202e', 'x'.repeat(3000), '.']),
  }),
  (entry, random) => ({ ...entry, bytes: varyBytes(entry.bytes, random, neighbours[0]) }),
];

/** The series in an archive; `change` makes its entries worse. */
function archive(change: (entry: ZipEntry) => ZipEntry = (entry) => entry): Uint8Array {
  const [first, last] = neighbours;
  const [middle] = imageSeeds();
  const slices = [first, middle.bytes, last].map((bytes, i) => change({ name: `scan/IM${i}`, bytes }));
  return makeZip([{ name: 'readme.txt', bytes: new Uint8Array(600) }, ...slices]);
}

export const zipReader: FuzzReader = {
  name: 'dicom-zip',
  seeds: async () => {
    const made = [
      archive(),
      archive((entry) => ({ ...entry, method: 0 })),
      makeZip([]),
      makeZip([{ name: 'inner.zip', bytes: archive() }]),
      // Every kind of lie once, so that the others start from them.
      ...lies.map((lie, i) => archive((entry) => lie(entry, createRandom(1, i)))),
    ];
    return made.map((bytes, i) => ({ name: `made-${i}.zip`, extension: '.zip', bytes }));
  },
  vary: ({ bytes }, random, other) => {
    if (random.next() < 0.5) return varyBytes(bytes, random, other);
    const chosen = random.below(3);
    let index = 0;
    const made = archive((entry) =>
      index++ === chosen || random.next() < 0.2 ? random.pick(lies)(entry, random) : entry,
    );
    return random.next() < 0.7 ? made : varyBytes(made, random, other);
  },
  read: async (path, maxBytes) => await readAll([path], maxBytes),
};

export const labelsReader: FuzzReader = {
  name: 'dicom-labels',
  seeds: async () => [
    ...labelSeeds(),
    ...realFiles(/\.(dcm|seg)$/).filter(({ name }) => isObject.test(name) && !isImageOfSet.test(name)),
  ],
  vary: varyFile,
  read: async (path) => {
    const { volume, frameOfReferenceUid } = await goodSeries();
    const { sources } = await openSources([path]);
    const { objects, damaged } = await listSeries(sources);
    if (damaged.length > 0) throw damaged[0].error;
    const refusals: unknown[] = [];
    // Both readers see every file: which one is asked is a matter of one attribute.
    for (const { source, modality } of objects) {
      const [first, second] =
        modality === 'RTSTRUCT' ? [readStructures, readSegmentation] : [readSegmentation, readStructures];
      for (const read of [first, second]) {
        try {
          const regions = await read(source, { ...volume, frameOfReferenceUid });
          const { labels } = paintRegions(basename(path), regions, volume, { overlap: 'last' });
          if (labels.voxels.length !== voxelCount(volume.size)) throw new Error(`${labels.voxels.length} labels`);
          return;
        } catch (error) {
          if (!(error instanceof QuickcolumnError)) throw error;
          refusals.push(error);
        }
      }
    }
    if (refusals.length > 0) throw refusals[0];
    // Not DICOM, or an image: nothing was read, and nothing had to be.
    throw new QuickcolumnError('input', `${path}: no object with labels`);
  },
};
