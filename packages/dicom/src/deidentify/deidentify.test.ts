/**
 * Deidentified files against what they were made of: nothing that tells the patient in any byte, references that hold, the
 * same pixels and the same volume; judged by dciodvfy where it is present.
 */
import { spawnSync } from 'node:child_process';
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { has, needs, pathOf } from '@quickcolumn/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DataSet, items, text, valueBytes } from '../data-set/data-set.js';
import { readFile } from '../data-set/read-file.js';
import { tags } from '../data-set/tags.js';
import { transferSyntaxOf } from '../data-set/transfer-syntax.js';
import { element, encodeFile } from '../data-set/write-data-set.js';
import { ctSlice, memorySource, sourcesOf, unpackLidc } from '../dicom.test.helpers.js';
import { encodeSegmentation } from '../segmentation/write-segmentation.js';
import { readSegmentation } from '../segmentation/read-segmentation.js';
import { readStructures } from '../segmentation/read-structures.js';
import { paintRegions } from '../segmentation/regions.js';
import { listSeries } from '../series/list-series.js';
import { type DicomVolume, readSeries } from '../series/read-series.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { openSources } from '../sources/sources.js';
import { type DeidentifiedFile, deidentify, type DeidentifyOptions } from './deidentify.js';
import { tellingSlice, told } from './deidentify.test.helpers.js';
import { shiftTemporal } from './dates.js';

const key = Buffer.alloc(32, 7);

async function deidentified(bytes: Uint8Array, options: Partial<DeidentifyOptions> = {}): Promise<DeidentifiedFile> {
  return await deidentify(memorySource('Secret_Patient.dcm', bytes), { key, ...options });
}

async function dataSetOf(bytes: Uint8Array): Promise<DataSet> {
  return (await readFile(memorySource('out.dcm', bytes))).dataSet;
}

async function scanOf(files: readonly Uint8Array[]): Promise<DicomVolume> {
  const { series } = await listSeries(sourcesOf(files));
  expect(series.flatMap(({ problems }) => problems)).toEqual([]);
  return await readSeries(series[0]);
}

describe('a deidentified file', () => {
  it.each([
    ['1.2.840.10008.1.2.1', 'explicit'],
    ['1.2.840.10008.1.2', 'implicit'],
    ['1.2.840.10008.1.2.2', 'big endian'],
    ['1.2.840.10008.1.2.1.99', 'deflated'],
  ])('tells nothing in any byte: %s (%s)', async (uid) => {
    const syntax = transferSyntaxOf(uid);
    const original = tellingSlice(0, { syntax });
    const readable = (bytes: Uint8Array): string => {
      const start = Buffer.from(bytes).indexOf('QUICKCOLUMN') + 'QUICKCOLUMN '.length;
      return `${Buffer.from(bytes).toString('latin1')}${syntax?.deflated ? inflateRawSync(bytes.subarray(start)).toString('latin1') : ''}`;
    };
    expect(readable(original)).toMatch(told);
    for (const dates of ['remove', 'shift'] as const) {
      const { bytes } = await deidentified(original, { dates });
      const all = readable(bytes);
      // Times of day stay where dates are shifted.
      expect(dates === 'shift' ? all.replaceAll('235958', '') : all).not.toMatch(told);
      expect(all).not.toContain('1.2.3.4');
      expect(all).not.toContain('20200102');
    }
    const { bytes } = await deidentified(original);
    expect(bytes.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
    const [before, after] = [await readFile(memorySource('a', original)), await readFile(memorySource('b', bytes))];
    expect(after.syntax.uid).toBe(uid);
    expect(valueBytes(after.dataSet, tags.PixelData)).toEqual(valueBytes(before.dataSet, tags.PixelData));
    const [item] = items(after.dataSet, tags.SourceImageSequence);
    expect(text(item, tags.ReferencedSOPInstanceUID)).toMatch(/^2\.25\.\d+$/);
    expect(item.elements.has(0x00091001)).toBe(false);
  });

  it('says what was done', async () => {
    const { bytes } = await deidentified(ctSlice(0), { dates: 'shift', keep: ['patient', 'device'] });
    const dataSet = await dataSetOf(bytes);
    expect(text(dataSet, tags.PatientIdentityRemoved)).toBe('YES');
    expect(text(dataSet, tags.LongitudinalTemporalInformationModified)).toBe('MODIFIED');
    const codes = items(dataSet, tags.DeidentificationMethodCodeSequence);
    expect(codes.map((code) => text(code, tags.CodeValue))).toEqual(['113100', '113107', '113108', '113109']);
    expect(text(dataSet, tags.DeidentificationMethod)).toContain('Basic Application Confidentiality Profile');
    expect(text(await dataSetOf((await deidentified(ctSlice(0))).bytes), tags.PatientName)).toMatch(
      /^PATIENT-[0-9A-F]{10}$/,
    );
  });

  it('has nothing of the meta information, the preamble and what follows the data set', async () => {
    const original = Buffer.from(ctSlice(0));
    original.write('Secret', 0);
    const { bytes } = await deidentified(Buffer.concat([original, Buffer.from('\0\0\0\0Secret')]));
    expect(Buffer.from(bytes).toString('latin1')).not.toContain('Secret');
  });

  it('keeps what it is told to, cleaned', async () => {
    const more = [
      element(tags.PatientSex, 'CS', 'F'),
      element(0x00101010, 'AS', '063Y'),
      element(tags.DeviceSerialNumber, 'LO', 'SN-99'),
      element(tags.StudyDescription, 'LO', 'Thorax of Mr Patient'),
      element(tags.SeriesDescription, 'LO', 'Lung 1.0 B70f'),
      element(0x00081080, 'LO', 'since 12.03.2019'),
      element(tags.ContentLabel, 'CS', 'PATIENT'),
      element(0x00080080, 'LO', 'Hospital'),
    ];
    const slice = ctSlice(0, { more });
    const shown = async (options: Partial<DeidentifyOptions>): Promise<(string | undefined)[]> => {
      const dataSet = await dataSetOf((await deidentified(slice, options)).bytes);
      // A segmentation must have a label.
      return more.map(({ tag }) => text(dataSet, tag)?.replace(/^REMOVED$/, '') || undefined);
    };
    const nothing = more.map(() => undefined);
    expect(await shown({})).toEqual(nothing);
    const only = (...values: readonly (readonly [number, string])[]): (string | undefined)[] =>
      nothing.map((_, i) => values.find(([place]) => place === i)?.[1]);
    expect(await shown({ keep: ['patient'] })).toEqual(only([0, 'F'], [1, '063Y']));
    expect(await shown({ keep: ['device'] })).toEqual(only([2, 'SN-99']));
    expect(await shown({ keep: ['descriptors'] })).toEqual(only([4, 'Lung 1.0 B70f']));
    expect(await shown({ keep: ['institution'] })).toEqual(only([7, 'Hospital']));
    const { seriesUid } = await deidentified(slice, { keep: ['uids'] });
    expect(seriesUid).toBe('1.2.3.4.1');
  });

  it('has dates at the same distances, shifted by days that are the patient’s', async () => {
    const on = (date: string, patient: string): Uint8Array =>
      ctSlice(0, {
        more: [
          element(tags.StudyDate, 'DA', date),
          element(tags.PatientID, 'LO', patient),
          element(tags.AcquisitionDateTime, 'DT', `${date}101112.5+0100`),
          element(tags.SeriesDate, 'DA', 'last week'),
        ],
      });
    const dates = async (bytes: Uint8Array): Promise<(string | undefined)[]> => {
      const dataSet = await dataSetOf((await deidentified(bytes, { dates: 'shift' })).bytes);
      const found = [tags.StudyDate, tags.StudyTime, tags.AcquisitionDateTime, tags.SeriesDate];
      return found.map((tag) => text(dataSet, tag));
    };
    const [first, later, other] = [
      await dates(on('20200228', 'A')),
      await dates(on('20200301', 'A')),
      await dates(on('20200228', 'B')),
    ];
    const day = (date: string = ''): number => Date.parse(date.replace(/(....)(..)(..)/, '$1-$2-$3')) / 86_400_000;
    expect(day(later[0]) - day(first[0])).toBe(2);
    expect(day('20200228') - day(first[0])).toBeGreaterThan(0);
    expect(other[0]).not.toBe(first[0]);
    expect(first[1]).toBe('101112');
    expect(first[2]).toBe(`${first[0]}101112.5+0100`);
    expect(first[3]).toBeUndefined();
    const kept = await dataSetOf((await deidentified(on('20200228', 'A'), { dates: 'keep' })).bytes);
    expect(text(kept, tags.StudyDate)).toBe('20200228');
    expect(text(kept, tags.LongitudinalTemporalInformationModified)).toBe('UNMODIFIED');
  });

  it.each([
    ['DA', '20200301', 1, '20200229'],
    ['DA', '2020.03.01', 1, '20200229'],
    ['DA', '20200230', 1, undefined],
    ['DA', '01.03.2020', 1, undefined],
    ['TM', '101112.25', 1, '101112.25'],
    ['TM', '10:11', 1, undefined],
    ['DT', '2020030110', 60, '2020010110'],
    ['DT', '2020', 1, undefined],
  ])('%s %s, %i days back, is %s', (vr, value, days, expected) => {
    expect(shiftTemporal(vr, value, days)).toBe(expected);
  });

  it('is the same with the same key, another with another', async () => {
    const [a, b] = [await deidentified(ctSlice(0)), await deidentified(ctSlice(0))];
    expect(Buffer.from(a.bytes).equals(b.bytes)).toBe(true);
    const c = await deidentified(ctSlice(0), { key: Buffer.alloc(32, 8) });
    expect(
      [c.seriesUid, c.instanceUid, c.patientId].filter((id) => [a.seriesUid, a.instanceUid, a.patientId].includes(id)),
    ).toEqual([]);
    await expect(deidentified(ctSlice(0), { key: Buffer.alloc(5) })).rejects.toThrow('a key of 5 bytes; expected 32');
  });
});

describe('what is refused', () => {
  const withType = (type: string): Uint8Array => ctSlice(0, { imageType: type });
  const ofClass = (classUid: string, modality: string = 'CT'): Uint8Array =>
    ctSlice(0, { more: [element(tags.SOPClassUID, 'UI', classUid), element(tags.Modality, 'CS', modality)] });
  const root = '1.2.840.10008.5.1.4.1.1.';

  it.each([
    ['burnt-in text', ctSlice(0, { more: [element(tags.BurnedInAnnotation, 'CS', 'YES')] }), 'burned-in', /burnt in/],
    ['overlays in pixels', ctSlice(0, { more: [element(0x60020102, 'US', [12])] }), 'burned-in', /overlays/],
    ['a secondary capture', ofClass(`${root}7`), 'screen', /secondary capture/],
    ['a screen save', withType('DERIVED\\SECONDARY\\SCREEN SAVE'), 'screen', /screen save or dose report/],
    ['a dose report', withType('ORIGINAL\\SECONDARY\\AXIAL\\DOSE_INFO'), 'screen', /screen save or dose report/],
    ['another picture', withType('DERIVED\\SECONDARY\\OTHER'), 'screen', /screen save or dose report/],
    ['colours', ctSlice(0, { more: [element(tags.PhotometricInterpretation, 'CS', 'RGB')] }), 'screen', /colour/],
    ['a page', ctSlice(0, { without: [tags.ImagePositionPatient] }), 'screen', /without a position/],
    ['ultrasound', ofClass(`${root}6.1`, 'US'), 'modality', /modality US/],
    ['another modality in a CT image', ofClass(`${root}2`, 'MR'), 'modality', /modality MR/],
  ] as const)('%s', async (_, bytes, kind, message) => {
    await expect(deidentified(bytes)).rejects.toMatchObject({
      code: 'dicom',
      reason: 'identifying',
      message: expect.stringMatching(message),
      fields: { options: { [`accept ${kind}`]: 'let it pass when the pixels show no text' } },
    });
    const { bytes: passed } = await deidentified(bytes, { accept: ['burned-in', 'screen', 'modality'] });
    expect(Buffer.from(passed).toString('latin1')).not.toContain('Secret');
  });

  it('is let pass by its own name alone', async () => {
    const capture = ofClass(`${root}7`);
    expect((await deidentified(capture, { accept: ['screen'] })).seriesUid).toMatch(/^2\.25\./);
    await expect(deidentified(capture, { accept: ['modality', 'burned-in'] })).rejects.toThrow('secondary capture');
  });

  it.each([
    ['a PDF', `${root}104.1`],
    ['a structured report', `${root}88.22`],
    ['a presentation state', `${root}11.1`],
    ['a private class', '1.2.840.113619.4.26'],
  ])('%s, whatever is accepted', async (_, classUid) => {
    const accept = ['burned-in', 'screen', 'modality'] as const;
    await expect(deidentified(ofClass(classUid, 'OT'), { accept })).rejects.toMatchObject({
      reason: 'identifying',
      message: expect.stringContaining(`an object of class ${classUid}`),
    });
  });

  it('is not a reformatted series, and heads are noted', async () => {
    expect((await deidentified(withType('DERIVED\\SECONDARY\\AXIAL'))).mayShowFace).toBe(false);
    const part = (name: string): Uint8Array => ctSlice(0, { more: [element(tags.BodyPartExamined, 'CS', name)] });
    expect((await deidentified(part('HEADNECK'))).mayShowFace).toBe(true);
    expect((await deidentified(part('HEART'))).mayShowFace).toBe(false);
  });
});

/** Patient space of ctSlice: 0.7 × 0.8 mm, first centre at (−30, −20, 0). */
function structuresOn({ images, studyUid, seriesUid, frameOfReferenceUid }: DicomVolume): Uint8Array {
  const square = [[-29.5, -19.7], [-27.5, -19.7], [-27.5, -18.1], [-29.5, -18.1]]; // biome-ignore format: points
  const references = images.map(({ classUid, instanceUid }) => [
    element(tags.ReferencedSOPClassUID, 'UI', classUid),
    element(tags.ReferencedSOPInstanceUID, 'UI', instanceUid),
  ]);
  const contour = [
    element(0x30060016, 'SQ', [references[1]]),
    element(tags.ContourGeometricType, 'CS', 'CLOSED_PLANAR'),
    element(tags.ContourNumberOfPoints, 'IS', '4'),
    element(tags.ContourData, 'DS', square.map(([x, y]) => `${x}\\${y}\\2`).join('\\')),
  ];
  return encodeFile(
    [
      element(tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.481.3'),
      element(tags.SOPInstanceUID, 'UI', '1.2.3.4.50'),
      element(tags.Modality, 'CS', 'RTSTRUCT'),
      element(tags.PatientName, 'PN', 'Secret^Patient'),
      element(tags.PatientID, 'LO', 'P-4711'),
      element(0x30060002, 'SH', 'Secret label'),
      element(tags.StudyInstanceUID, 'UI', studyUid),
      element(tags.SeriesInstanceUID, 'UI', '1.2.3.4.51'),
      element(0x30060010, 'SQ', [
        [
          element(tags.FrameOfReferenceUID, 'UI', frameOfReferenceUid),
          element(0x30060012, 'SQ', [
            [
              element(tags.ReferencedSOPClassUID, 'UI', '1.2.840.10008.3.1.2.3.1'),
              element(tags.ReferencedSOPInstanceUID, 'UI', studyUid),
              element(0x30060014, 'SQ', [
                [element(tags.SeriesInstanceUID, 'UI', seriesUid), element(0x30060016, 'SQ', references)],
              ]),
            ],
          ]),
        ],
      ]),
      element(tags.StructureSetROISequence, 'SQ', [
        [
          element(tags.ROINumber, 'IS', '3'),
          element(tags.ReferencedFrameOfReferenceUID, 'UI', frameOfReferenceUid),
          element(tags.ROIName, 'LO', 'GTV Secret'),
        ],
      ]),
      element(tags.ROIContourSequence, 'SQ', [
        [element(tags.ContourSequence, 'SQ', [contour]), element(tags.ReferencedROINumber, 'IS', '3')],
      ]),
    ],
    { classUid: '1.2.840.10008.5.1.4.1.1.481.3', instanceUid: '1.2.3.4.50' },
  );
}

const segmentation = {
  classes: [{ value: 1, name: 'left lung', color: [70, 130, 220] as const }],
  algorithm: 'QC-HC U-Net',
  version: '0.1.0',
};

describe('a study', () => {
  it('keeps the volume, and its segmentation and structure set fit it still', async () => {
    const slices = Array.from({ length: 4 }, (_, i) => tellingSlice(i));
    const scan = await scanOf(slices);
    const { size, affine } = scan.volume;
    const voxels = Uint8Array.from({ length: scan.volume.voxels.length }, (_, i) => (i % 7 === 0 ? 1 : 0));
    const seg = await encodeSegmentation({ voxels, size, affine }, scan, segmentation);
    const structures = structuresOn(scan);
    const frame = { ...scan.volume, frameOfReferenceUid: scan.frameOfReferenceUid };
    const source = (bytes: Uint8Array): DicomSource => memorySource('object.dcm', bytes);
    const painted = paintRegions('rt', await readStructures(source(structures), frame), frame).labels.voxels;
    expect(painted.some((value) => value > 0)).toBe(true);

    const results = await Promise.all([...slices, seg, structures].map((bytes) => deidentified(bytes)));
    for (const { bytes } of results) expect(Buffer.from(bytes).toString('latin1')).not.toMatch(told);
    expect(new Set(results.map(({ patientId }) => patientId)).size).toBe(1);
    const [newSeg, newStructures] = results.slice(4).map(({ bytes }) => bytes);
    const copy = await scanOf(results.slice(0, 4).map(({ bytes }) => bytes));
    expect(copy.volume.voxels).toEqual(scan.volume.voxels);
    expect(copy.volume.affine).toEqual(scan.volume.affine);
    const newFrame = { ...copy.volume, frameOfReferenceUid: copy.frameOfReferenceUid };
    const regions = await readSegmentation(source(newSeg), copy.volume);
    const back = paintRegions('seg', regions, copy.volume);
    expect(back.labels.voxels).toEqual(voxels);
    expect(back.regions.map(({ name }) => name)).toEqual(['Segment 1']);
    const again = paintRegions('rt', await readStructures(source(newStructures), newFrame), newFrame);
    expect(again.labels.voxels).toEqual(painted);
    expect(again.regions.map(({ name }) => name)).toEqual(['ROI 3']);

    const [references] = items(await dataSetOf(newSeg), tags.ReferencedSeriesSequence);
    const referenced = items(references, tags.ReferencedInstanceSequence);
    expect(referenced.map((item) => text(item, tags.ReferencedSOPInstanceUID))).toEqual(
      copy.images.map(({ instanceUid }) => instanceUid),
    );
    expect(text(references, tags.SeriesInstanceUID)).toBe(copy.seriesUid);
    expect(Buffer.from(newStructures).toString('latin1')).toContain(copy.images[1].instanceUid);
    const named = await deidentified(seg, { keep: ['descriptors'] });
    const kept = paintRegions('seg', await readSegmentation(source(named.bytes), copy.volume), copy.volume);
    expect(kept.regions.map(({ name }) => name)).toEqual(['left lung']);
  });
});

const folder = has('shared') ? join(pathOf('shared'), 'formats') : '';
const listed = has('shared')
  ? Object.entries(
      JSON.parse(readFileSync(join(folder, 'expected_dicom.json'), 'utf8')) as Record<string, { modality: string }>,
    )
  : [];

const scans = listed.filter(([, { modality }]) => modality === 'CT' || modality === 'SEG').map(([name]) => name);

describe('real files', needs('shared'), () => {
  it.each(scans)('%s: the same pixels in the same transfer syntax', async (name) => {
    const original = readFileSync(join(folder, name));
    const { bytes } = await deidentified(original, { accept: ['burned-in', 'screen'] });
    const [before, after] = [await readFile(memorySource('a', original)), await readFile(memorySource('b', bytes))];
    expect(after.syntax).toBe(before.syntax);
    const pixels = ({ dataSet }: typeof before): Buffer => {
      const found = dataSet.elements.get(tags.PixelData);
      return Buffer.from(dataSet.bytes.subarray(found?.offset, (found?.offset ?? 0) + (found?.length ?? 0)));
    };
    expect(pixels(before).length).toBeGreaterThan(0);
    expect(pixels(after).equals(pixels(before))).toBe(true);
    const latin1 = Buffer.from(bytes).toString('latin1');
    for (const tag of [tags.PatientName, tags.PatientID, tags.SeriesInstanceUID, tags.SOPInstanceUID]) {
      const value = text(before.dataSet, tag);
      // '0010' stands anywhere.
      if (value !== undefined && value.length > 4) expect(latin1).not.toContain(value);
    }
  });

  it('LIDC: the same volume, and nothing of its identifiers', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'quickcolumn-deidentify-lidc-'));
    try {
      const { sources } = await openSources([await unpackLidc(temporary)]);
      const files: Uint8Array[] = [];
      for (const source of sources) files.push((await deidentify(source, { key })).bytes);
      for (const bytes of files) {
        expect(Buffer.from(bytes).toString('latin1')).not.toMatch(/LIDC|1\.3\.6\.1\.4\.1|20000101|2819497684894126/);
      }
      const { series } = await listSeries(sources);
      const [before, after] = [await readSeries(series[0]), await scanOf(files)];
      expect(after.volume.affine).toEqual(before.volume.affine);
      expect(Buffer.compare(bytesOf(after), bytesOf(before))).toBe(0);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
});

describe('files judged by dciodvfy', needs('dciodvfy'), () => {
  let temporary = '';
  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'quickcolumn-deidentify-'));
  });
  afterAll(() => rm(temporary, { recursive: true, force: true }));

  async function errorsOf(bytes: Uint8Array): Promise<string[]> {
    const path = join(temporary, 'file.dcm');
    await writeFile(path, bytes);
    const { stdout, stderr } = spawnSync(pathOf('dciodvfy'), [path], { encoding: 'latin1' });
    expect(stdout + stderr).not.toBe('');
    return (stdout + stderr).split('\n').filter((line) => line.startsWith('Error'));
  }

  async function newErrors(original: Uint8Array): Promise<string[]> {
    const before = new Set(await errorsOf(original));
    const found: string[] = [];
    for (const dates of ['remove', 'shift', 'keep'] as const) {
      const { bytes } = await deidentified(original, { dates, accept: ['burned-in', 'screen'] });
      found.push(...(await errorsOf(bytes)).filter((line) => !before.has(line)));
    }
    return found;
  }

  it('have no error that was not there, with any dates', async () => {
    const slices = Array.from({ length: 3 }, (_, i) => ctSlice(i));
    const scan = await scanOf(slices);
    const { size, affine, voxels } = scan.volume;
    const labels = { voxels: Uint8Array.from(voxels, (_, i) => i % 2), size, affine };
    expect(await newErrors(slices[0])).toEqual([]);
    expect(await newErrors(await encodeSegmentation(labels, scan, segmentation))).toEqual([]);
  });

  it('of others neither', needs('shared'), async () => {
    for (const name of scans) expect(await newErrors(readFileSync(join(folder, name))), name).toEqual([]);
  });
});

function bytesOf({ volume: { voxels } }: DicomVolume): Buffer {
  return Buffer.from(voxels.buffer, voxels.byteOffset, voxels.byteLength);
}
