/** Segmentations out and in again, judged by dciodvfy, dcmqi (itk-wasm) and Orthanc where these are present. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { needs, pathOf } from '@quickcolumn/testing';
import type { Volume } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dicomCielab } from './cielab.js';
import { ctSlice, memorySource, type SliceOptions, sourcesOf, unpackLidc } from '../dicom.test.helpers.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';
import { checkSegmentable } from './referable.js';
import { items, text } from '../data-set/data-set.js';
import { listSeries } from '../series/list-series.js';
import { readFile as readDicomFile } from '../data-set/read-file.js';
import { readSegmentation } from './read-segmentation.js';
import { type DicomVolume, readSeries } from '../series/read-series.js';
import { paintRegions } from './regions.js';
import type { SeriesRepair } from '../series/repair.js';
import { openSources } from '../sources/sources.js';
import { tags } from '../data-set/tags.js';
import { encodeSegmentation, type SegmentationOptions } from './write-segmentation.js';

const options: SegmentationOptions = {
  classes: [
    { value: 1, name: 'left lung', color: [70, 130, 220] },
    { value: 2, name: 'right lung', color: [80, 180, 120] },
    { value: 3, name: 'infection', color: [225, 70, 60] },
  ],
  algorithm: 'QC-HC U-Net',
  version: '0.1.0',
};

/** Seven planes of 6 × 5 voxels: 30 bits a frame, so frames begin inside bytes. */
async function smallScan(): Promise<DicomVolume> {
  const { series } = await listSeries(sourcesOf(Array.from({ length: 7 }, (_, i) => ctSlice(i))));
  return await readSeries(series[0]);
}

function labelsOn({ volume }: DicomVolume, label: (i: number) => number): Volume<Uint8Array> {
  const { size, affine } = volume;
  return { voxels: Uint8Array.from({ length: volume.voxels.length }, (_, i) => label(i)), size, affine };
}

/** Labels 0 to 3 without an order; planes 2 and 5 are empty, class 3 is only on plane 4. */
const mixed = (i: number): number => {
  const plane = Math.floor(i / 30);
  const value = (i * 7919) % 3;
  if (plane === 2 || plane === 5) return 0;
  return plane === 4 && i % 4 === 0 ? 3 : value;
};

/** The real series with lungs and vessels by thresholds: shapes as complex as those of a model. */
interface RealSegmentation {
  readonly scan: DicomVolume;
  readonly labels: Volume<Uint8Array>;
  /** The DICOM file. */
  readonly bytes: Uint8Array;
}

const lidcFolder = join(tmpdir(), `quickcolumn-lidc-${process.pid}`);
afterAll(() => rm(lidcFolder, { recursive: true, force: true }));

async function makeLidc(): Promise<RealSegmentation> {
  const { sources } = await openSources([await unpackLidc(lidcFolder)]);
  const { series } = await listSeries(sources);
  const scan = await readSeries(series[0]);
  const { voxels, size } = scan.volume;
  const labels = labelsOn(scan, (i) => {
    const [hu, x] = [voxels[i], i % size[0]];
    if (i < 20 * size[0] * size[1] || hu < -980 || hu > -500) return 0;
    return hu > -700 ? 3 : x < size[0] / 2 ? 2 : 1;
  });
  return { scan, labels, bytes: await encodeSegmentation(labels, scan, options) };
}

/** Made once, by the first test that asks for it. */
let lidc: Promise<RealSegmentation> | undefined;
const realSegmentation = (): Promise<RealSegmentation> => (lidc ??= makeLidc());

describe('a segmentation', () => {
  it('comes back voxel by voxel, without empty frames', async () => {
    const scan = await smallScan();
    const labels = labelsOn(scan, mixed);
    const source = memorySource('seg.dcm', await encodeSegmentation(labels, scan, options));
    const { dataSet } = await readDicomFile(source);
    expect(text(dataSet, tags.NumberOfFrames)).toBe('11');
    const { labels: back, regions } = paintRegions('seg.dcm', await readSegmentation(source, scan.volume), scan.volume);
    expect(back.voxels).toEqual(labels.voxels);
    expect(regions.map(({ name }) => name)).toEqual(['left lung', 'right lung', 'infection']);
  });

  it('refers to every image, and each frame to its own', async () => {
    const scan = await smallScan();
    const bytes = await encodeSegmentation(labelsOn(scan, mixed), scan, options);
    const { dataSet } = await readDicomFile(memorySource('seg.dcm', bytes));
    const [series] = items(dataSet, tags.ReferencedSeriesSequence);
    expect(
      items(series, tags.ReferencedInstanceSequence).map((item) => text(item, tags.ReferencedSOPInstanceUID)),
    ).toEqual(scan.images.map(({ instanceUid }) => instanceUid));
    const frames = items(dataSet, tags.PerFrameFunctionalGroupsSequence).map((frame) => {
      const position = text(items(frame, tags.PlanePositionSequence)[0], tags.ImagePositionPatient);
      const source = items(items(frame, tags.DerivationImageSequence)[0], tags.SourceImageSequence)[0];
      return [position, text(source, tags.ReferencedSOPInstanceUID)];
    });
    expect(frames[0]).toEqual(['-30\\-20\\0', '1.2.3.4.1.1']);
    expect(frames[10]).toEqual(['-30\\-20\\8', '1.2.3.4.1.5']);
    expect(text(dataSet, tags.PatientName)).toBe('Secret^Patient');
  });

  it('without any label still is a valid object', async () => {
    const scan = await smallScan();
    const empty = labelsOn(scan, () => 0);
    const source = memorySource('seg.dcm', await encodeSegmentation(empty, scan, options));
    const { labels } = paintRegions('seg.dcm', await readSegmentation(source, scan.volume), scan.volume);
    expect(labels.voxels).toEqual(empty.voxels);
  });

  it('is refused for another grid, and for a class without a name', async () => {
    const scan = await smallScan();
    const labels = labelsOn(scan, () => 4);
    await expect(encodeSegmentation(labels, scan, options)).rejects.toThrow('label 4 belongs to no class');
    const moved = { ...labels, affine: labels.affine.map((value, i) => (i === 3 ? value + 1 : value)) };
    await expect(encodeSegmentation(moved, scan, options)).rejects.toThrow('not on the grid of the series');
  });

  it('has codes of the context groups for segmentations', async () => {
    const scan = await smallScan();
    const { dataSet } = await readDicomFile(
      memorySource('seg.dcm', await encodeSegmentation(labelsOn(scan, mixed), scan, options)),
    );
    const codes = items(dataSet, tags.SegmentSequence).map((segment) => {
      const [category] = items(segment, tags.SegmentedPropertyCategoryCodeSequence);
      const [type] = items(segment, tags.SegmentedPropertyTypeCodeSequence);
      const [side] = items(type, tags.SegmentedPropertyTypeModifierCodeSequence);
      const shown = [category, type, ...(side === undefined ? [] : [side])];
      return shown.map((code) => text(code, tags.CodeValue)).join(' ');
    });
    expect(codes).toEqual(['123037004 39607008 7771000', '123037004 39607008 24028007', '49755003 23583003']);
  });

  it('has colours in CIELab of D50', () => {
    expect(dicomCielab([255, 255, 255])).toEqual([65_535, 32_896, 32_896]);
    expect(dicomCielab([0, 0, 0])).toEqual([0, 32_896, 32_896]);
    // Pure red is Lab (54.29, 80.81, 69.89) under D50.
    const [l, a, b] = dicomCielab([255, 0, 0]);
    expect([(l * 100) / 65_535, (a * 255) / 65_535 - 128, (b * 255) / 65_535 - 128].map((v) => v.toFixed(1))).toEqual([
      '54.3',
      '80.8',
      '69.9',
    ]);
  });
});

const attribute = (tag: number, vr: string, value: string): WriteElement => element(tag, vr, value);

async function scanOf(slice: SliceOptions): Promise<DicomVolume> {
  const { series } = await listSeries(sourcesOf([0, 1, 2].map((i) => ctSlice(i, slice))));
  return await readSeries(series[0]);
}

describe('a source that a segmentation cannot refer to is refused, before and while it is written', () => {
  it.each<[string, SliceOptions, string]>([
    ['no SOP Instance UIDs', { without: [tags.SOPInstanceUID] }, '3 of 3 images have no valid SOP Instance UID'],
    ['no SOP Class UIDs', { without: [tags.SOPClassUID] }, '3 of 3 images have no valid SOP Instance UID or SOP Class'],
    ['a UID that is none', { more: [attribute(tags.SOPInstanceUID, 'UI', '1.2.03')] }, 'no valid SOP Instance UID'],
    [
      'one UID for all images',
      { more: [attribute(tags.SOPInstanceUID, 'UI', '1.2.3')] },
      'have the same SOP Instance UID',
    ],
    ['no study UID', { without: [tags.StudyInstanceUID] }, 'the study has no valid Study Instance UID'],
    ['no series UID', { without: [tags.SeriesInstanceUID] }, 'the series has no valid Series Instance UID'],
    [
      'a frame of reference that is none',
      { more: [attribute(tags.FrameOfReferenceUID, 'UI', 'x')] },
      'Frame of Reference',
    ],
    [
      'an identifier that is too long',
      { more: [attribute(tags.PatientID, 'LO', 'x'.repeat(70))] },
      'PatientID is not valid',
    ],
    ['a name with a tabulator', { more: [attribute(tags.PatientName, 'PN', 'A\tB')] }, 'PatientName is not valid (PN)'],
  ])('%s', async (_, source, problem) => {
    const scan = await scanOf(source);
    const labels = labelsOn(scan, (i) => i % 3);
    for (const attempt of [checkSegmentable(scan), encodeSegmentation(labels, scan, options)]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'dicom',
        reason: 'write',
        fields: { options: { 'format nifti': expect.any(String) as string } },
      });
      await expect(attempt).rejects.toThrow(problem);
    }
  });
});

/** Data of a NRRD file (raw or gzip), x fastest. */
function nrrdVoxels(path: string): Uint8Array | Int16Array {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('\n\n');
  const header = bytes.toString('latin1', 0, at);
  const body = /encoding: *gzip/.test(header) ? gunzipSync(bytes.subarray(at + 2)) : bytes.subarray(at + 2);
  if (!/type: *(short|int16)/.test(header)) return Uint8Array.from(body);
  return new Int16Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.length));
}

/** Voxels of label 1; dcmqi fills planes without a frame with the padding value (5). */
function ones(path: string): number {
  let count = 0;
  for (const value of nrrdVoxels(path)) if (value === 1) count++;
  return count;
}

const dcmqi = join(pathOf('shared'), 'formats/QIICR_dcmqi/data/segmentations');

describe('segmentations by dcmqi', needs('shared'), () => {
  async function seriesGrid(folder: string): Promise<DicomVolume> {
    const { sources } = await openSources([join(dcmqi, folder)]);
    const { series } = await listSeries(sources);
    return await readSeries(series[0]);
  }
  const source = (name: string): ReturnType<typeof memorySource> => memorySource(name, readFileSync(join(dcmqi, name)));

  it('liver.dcm gives the mask it was made of', async () => {
    const { volume } = await seriesGrid('ct-3slice');
    const { labels, regions } = paintRegions('liver.dcm', await readSegmentation(source('liver.dcm'), volume), volume);
    expect(regions).toMatchObject([{ number: 1, name: expect.stringMatching(/liver/i) as string }]);
    const expected = nrrdVoxels(join(dcmqi, 'liver_seg.nrrd'));
    expect(labels.voxels.length).toBe(expected.length);
    let different = 0;
    for (let i = 0; i < expected.length; i++) if (expected[i] > 0 !== labels.voxels[i] > 0) different++;
    expect(different).toBe(0);
  });

  it.each(['noppv', 'ppv5'])('label maps are read: sparse-labelmap-%s.dcm', async (name) => {
    const { volume } = await seriesGrid('24x38x3/image');
    const regions = await readSegmentation(source(`sparse-labelmap-${name}.dcm`), volume);
    const { labels } = paintRegions(name, regions, volume);
    const count = labels.voxels.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
    expect(count).toBe(ones(join(dcmqi, `sparse_labelmap_${name}_seg.nrrd`)));
  });

  it('overlapping segments are refused', async () => {
    const { volume } = await seriesGrid('ct-3slice');
    const regions = await readSegmentation(source('partial_overlaps.dcm'), volume);
    expect(() => paintRegions('x', regions, volume)).toThrow(/overlap/);
  });
});

describe('dciodvfy', needs('dciodvfy'), () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-dciodvfy-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function errorsOf(bytes: Uint8Array): Promise<string[]> {
    const path = join(folder, 'seg.dcm');
    await writeFile(path, bytes);
    const { stdout, stderr } = spawnSync(pathOf('dciodvfy'), [path], { encoding: 'utf8' });
    expect(stdout + stderr).toContain('Segmentation');
    return (stdout + stderr).split('\n').filter((line) => line.startsWith('Error'));
  }

  it('finds no error in a small one, nor in an empty one', async () => {
    const scan = await smallScan();
    expect(await errorsOf(await encodeSegmentation(labelsOn(scan, mixed), scan, options))).toEqual([]);
    expect(
      await errorsOf(
        await encodeSegmentation(
          labelsOn(scan, () => 0),
          scan,
          options,
        ),
      ),
    ).toEqual([]);
  });

  it.each<[string, SliceOptions, string]>([
    ['no frame of reference', { without: [tags.FrameOfReferenceUID] }, 'the images have no frame of reference UID'],
    [
      'a sex in words',
      { more: [attribute(tags.PatientSex, 'CS', 'FEMALE')] },
      'PatientSex of the source is not valid (CS)',
    ],
    ['a birth date with dashes', { more: [attribute(tags.PatientBirthDate, 'DA', '1960-01-01')] }, 'PatientBirthDate'],
    ['a month 13', { more: [attribute(tags.StudyDate, 'DA', '20201301')] }, 'StudyDate of the source'],
    ['an hour 25', { more: [attribute(tags.StudyTime, 'TM', '250000')] }, 'StudyTime of the source'],
    ['a long accession number', { more: [attribute(tags.AccessionNumber, 'SH', 'x'.repeat(30))] }, 'AccessionNumber'],
    [
      'a name in Latin 1 without a character set',
      {
        more: [element(tags.PatientName, 'PN', Buffer.from('M\xfcller^X', 'latin1'))],
        without: [tags.SpecificCharacterSet],
      },
      'the DICOM segmentation states ISO_IR 100',
    ],
  ])('finds no error where the source has %s, which is noted', async (_, source, note) => {
    const scan = await scanOf(source);
    const notes: string[] = [];
    const bytes = await encodeSegmentation(
      labelsOn(scan, (i) => i % 3),
      scan,
      { ...options, onNote: (message) => notes.push(message) },
    );
    expect(await errorsOf(bytes)).toEqual([]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(note);
  });

  it.each<[string, SeriesRepair, readonly (readonly [number, number, number])[]]>([
    [
      'with a plane interpolated',
      { missing: 'interpolate' },
      [
        [0, 0, 0],
        [0, 0, 2],
        [0, 0, 6],
      ],
    ],
    [
      'resampled to even spacing',
      { uneven: 'resample' },
      [
        [0, 0, 0],
        [0, 0, 2],
        [0, 0, 4],
        [0, 0, 5],
        [0, 0, 8],
      ],
    ],
    [
      'of a tilted gantry, sheared',
      { tilt: 'shear' },
      [
        [0, 0, 0],
        [0, 1, 4],
        [0, 2, 8],
      ],
    ],
    [
      'of a tilted gantry, upright',
      { tilt: 'resample' },
      [
        [0, 0, 0],
        [0, 1, 4],
        [0, 2, 8],
      ],
    ],
  ])('finds no error in one of a series %s', async (_, repair, positions) => {
    const { series } = await listSeries(sourcesOf(positions.map((position, i) => ctSlice(i, { position }))));
    const scan = await readSeries(series[0], { repair });
    const labels = labelsOn(scan, (i) => i % 3);
    const bytes = await encodeSegmentation(labels, scan, options);
    expect(await errorsOf(bytes)).toEqual([]);
    const regions = await readSegmentation(memorySource('seg.dcm', bytes), scan.volume);
    expect(paintRegions('seg.dcm', regions, scan.volume).labels.voxels).toEqual(labels.voxels);
  });

  it('finds no error in one of a multi-frame image', needs('shared'), async () => {
    const { sources } = await openSources([join(dcmqi, '24x38x3/multiframe')]);
    const { series } = await listSeries(sources);
    const scan = await readSeries(series[0]);
    const bytes = await encodeSegmentation(
      labelsOn(scan, (i) => i % 3),
      scan,
      options,
    );
    expect(await errorsOf(bytes)).toEqual([]);
  });

  it('finds no error in one of a real series', needs('shared'), async () => {
    expect(await errorsOf((await realSegmentation()).bytes)).toEqual([]);
  });
});

interface ItkSegmentation {
  readonly segImage: {
    readonly size: number[];
    readonly origin: number[];
    readonly spacing: number[];
    readonly data: ArrayLike<number>;
  };
}

describe('dcmqi in itk-wasm', needs('dcmqi', 'shared'), () => {
  it('reads the segmentation of a real series, voxel by voxel', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-dcmqi-'));
    const { scan, labels, bytes } = await realSegmentation();
    const path = join(folder, 'seg.dcm');
    await writeFile(path, bytes);
    const entry = pathToFileURL(join(dirname(pathOf('dcmqi')), 'dist/index-node.js')).href;
    const itk = (await import(entry)) as { readSegmentationNode(path: string): Promise<ItkSegmentation> };
    const { segImage } = await itk.readSegmentationNode(path);
    await rm(folder, { recursive: true, force: true });
    // It returns the planes from the first to the last that has a frame.
    const [columns, rows, planes] = segImage.size;
    const first = Math.round((segImage.origin[2] - scan.volume.affine[11]) / scan.volume.affine[10]);
    expect([columns, rows]).toEqual(labels.size.slice(0, 2));
    const [from, to] = [first * columns * rows, (first + planes) * columns * rows];
    let different = 0;
    for (let i = 0; i < labels.voxels.length; i++) {
      const theirs = i >= from && i < to ? segImage.data[i - from] : 0;
      if (theirs !== labels.voxels[i]) different++;
    }
    expect(different).toBe(0);
  });
});

describe('Orthanc', needs('Orthanc', 'shared'), () => {
  let folder = '';
  let server: ReturnType<typeof spawn> | undefined;
  let base = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-orthanc-'));
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const settings = {
      Name: 'quickcolumn-test',
      StorageDirectory: join(folder, 'storage'),
      IndexDirectory: join(folder, 'storage'),
      HttpPort: port,
      HttpServerEnabled: true,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      DicomServerEnabled: false,
      Plugins: [],
      // Where Orthanc 1.10 closes a connection behind its answer, the end of a large one is lost now and then.
      KeepAlive: true,
      KeepAliveTimeout: 60,
    };
    await mkdir(join(folder, 'storage'));
    await writeFile(join(folder, 'orthanc.json'), JSON.stringify(settings));
    server = spawn(pathOf('Orthanc'), [join(folder, 'orthanc.json')], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 150; attempt++) {
      if (
        await fetch(`${base}/system`).then(
          (answer) => answer.ok,
          () => false,
        )
      )
        return;
      await new Promise((done) => setTimeout(done, 200));
    }
    throw new Error('Orthanc did not start');
  });

  afterAll(async () => {
    const ended = new Promise((done) => server?.once('exit', done));
    if (server?.kill() === true) await ended;
    await rm(folder, { recursive: true, force: true });
  });

  async function store(bytes: Uint8Array): Promise<{ ID: string; Status: string; ParentStudy: string }> {
    const answer = await fetch(`${base}/instances`, { method: 'POST', body: Buffer.from(bytes) });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { ID: string; Status: string; ParentStudy: string };
  }

  it('stores the segmentation of a real series in its study and gives it back', async () => {
    const { scan, labels, bytes } = await realSegmentation();
    const image = await store(await readFile(scan.firstSource.name));
    const stored = await store(bytes);
    expect(stored.Status).toBe('Success');
    expect(stored.ParentStudy).toBe(image.ParentStudy);
    const file = await fetch(`${base}/instances/${stored.ID}/file`);
    const back = new Uint8Array(await file.arrayBuffer());
    expect(Buffer.from(back).equals(Buffer.from(bytes))).toBe(true);
    const regions = await readSegmentation(memorySource('orthanc.dcm', back), scan.volume);
    expect(
      Buffer.from(paintRegions('orthanc', regions, scan.volume).labels.voxels).equals(Buffer.from(labels.voxels)),
    ).toBe(true);
  });
});

async function freePort(): Promise<number> {
  return await new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}
