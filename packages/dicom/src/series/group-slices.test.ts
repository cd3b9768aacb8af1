/** Patients, studies and series that share a UID, or have none. */
import { describe, expect, it } from 'vitest';
import { ctSlice, type SliceOptions, sourcesOf } from '../dicom.test.helpers.js';
import { tags } from '../data-set/tags.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';
import { type DicomListing, listSeries } from './list-series.js';
import { readSeries } from './read-series.js';

const text = (tag: number, vr: string, value: string): WriteElement => element(tag, vr, value);

async function list(slices: readonly SliceOptions[]): Promise<DicomListing> {
  return await listSeries(sourcesOf(slices.map((options, i) => ctSlice(i, options))));
}

const counts = ({ series }: DicomListing): number[] => series.map(({ slices }) => slices.length);

describe('two that share a series UID are two series', () => {
  it.each([
    ['patients by identifier', text(tags.PatientID, 'LO', 'P-4712')],
    ['patients by name', text(tags.PatientName, 'PN', 'Other^Person')],
    ['studies', text(tags.StudyInstanceUID, 'UI', '1.2.3.5')],
    ['frames of reference', text(tags.FrameOfReferenceUID, 'UI', '1.2.3.4.10')],
  ])('%s', async (_, changed) => {
    // The second takes up where the first ends: nothing in the positions tells them apart.
    const listing = await list([0, 1, 2, 3, 4, 5].map((i) => (i < 3 ? {} : { more: [changed] })));
    expect(counts(listing)).toEqual([3, 3]);
    const [first, second] = listing.series;
    expect(first.key).not.toBe(second.key);
    expect(first.notes.join()).toMatch(/3 more images have the same series UID but another /);
    expect((await readSeries(first)).volume.size[2]).toBe(3);
    expect(JSON.stringify([first.notes, first.key, second.notes])).not.toMatch(/Secret|4711|Other|4712/);
  });

  it('the same name in another spelling is the same patient', async () => {
    const spelled = [text(tags.PatientName, 'PN', 'SECRET^PATIENT^^ '), text(tags.PatientID, 'LO', 'p-4711 ')];
    expect(counts(await list([{}, { more: spelled }, {}]))).toEqual([3]);
  });
});

describe('contradictions within a series are refused', () => {
  it.each([
    ['another birth date', text(tags.PatientBirthDate, 'DA', '19600101'), 'birth date or sex'],
    ['another sex', text(tags.PatientSex, 'CS', 'F'), 'birth date or sex'],
    ['another scanner', text(tags.DeviceSerialNumber, 'LO', '77'), 'or the scanner, differ within the series'],
    ['another modality', text(tags.Modality, 'CS', 'OT'), 'images of the same series have another modality'],
  ])('%s', async (_, changed, message) => {
    const { series } = await list([{}, {}, {}, { more: [changed] }]);
    const [{ problems }] = series;
    expect(problems.map(({ kind }) => kind)).toContain('mixed-patients');
    expect(problems.map((problem) => problem.message).join()).toMatch(message);
    await expect(readSeries(series[0])).rejects.toMatchObject({ code: 'dicom', reason: 'mixed-patients' });
    expect(JSON.stringify(problems)).not.toMatch(/Secret|4711|1960/);
  });
});

describe('series without a UID', () => {
  const without = [tags.SeriesInstanceUID];

  it('are one where nothing tells them apart', async () => {
    expect(counts(await list([{ without }, { without }, { without }]))).toEqual([3]);
  });

  it.each([
    ['series numbers', text(tags.SeriesNumber, 'IS', '7')],
    ['descriptions', text(tags.SeriesDescription, 'LO', 'lung 1.0')],
    ['kernels', text(tags.ConvolutionKernel, 'SH', 'B70f')],
    ['patients', text(tags.PatientID, 'LO', 'P-4712')],
    ['studies', text(tags.StudyInstanceUID, 'UI', '1.2.3.5')],
  ])('are two where their %s differ', async (_, changed) => {
    const slices = [0, 1, 2, 3].map((i) => (i < 2 ? { without } : { without, more: [changed] }));
    expect(counts(await list(slices))).toEqual([2, 2]);
  });
});

it('a series has the same key in every listing', async () => {
  const [a, b] = [await list([{}, {}]), await list([{}, {}])];
  expect(a.series[0].key).toBe(b.series[0].key);
});
