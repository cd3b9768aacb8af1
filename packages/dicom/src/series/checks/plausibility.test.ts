/** Headers that contradict the positions, and pixels that contradict their neighbours: read, but not silently. */
import { describe, expect, it } from 'vitest';
import { ctSlice, type SliceOptions, sourcesOf } from '../../dicom.test.helpers.js';
import { tags } from '../../data-set/tags.js';
import { element, type WriteElement } from '../../data-set/write-data-set.js';
import { listSeries } from '../list-series.js';
import { readSeries } from '../read-series.js';

const text = (tag: number, vr: string, value: string): WriteElement => element(tag, vr, value);

async function notesOf(slices: readonly SliceOptions[]): Promise<readonly string[]> {
  const { series } = await listSeries(sourcesOf(slices.map((options, i) => ctSlice(i, options))));
  expect(series).toHaveLength(1);
  return (await readSeries(series[0])).notes;
}

/** Slices with numbers from 1 and locations that are their heights. */
const good = (count: number, more: (k: number) => SliceOptions = () => ({})): SliceOptions[] =>
  Array.from({ length: count }, (_, k) => {
    const own = more(k);
    const location = text(tags.SliceLocation, 'DS', String(-2 * k + 100));
    return { position: [-30, -20, 2 * k], ...own, more: [location, ...(own.more ?? [])] };
  });

it('nothing is noted of a series without a fault', async () => {
  const position = text(tags.PatientPosition, 'CS', 'HFS');
  const diameter = text(tags.ReconstructionDiameter, 'DS', '4.2');
  const stated = text(tags.ImagesInAcquisition, 'IS', '12');
  expect(await notesOf(good(12, () => ({ more: [position, diameter, stated] })))).toEqual([]);
});

describe('slices that are missing at the ends', () => {
  it.each<[string, SliceOptions[], string]>([
    [
      'the first',
      good(12)
        .slice(4)
        .map((slice, i) => ({ ...slice, instanceNumber: i + 5 })),
      'begin with 5',
    ],
    [
      'half, evenly',
      good(6, (k) => ({ instanceNumber: 2 * k + 1, position: [-30, -20, 4 * k] })),
      'gaps, between 1 and 3, 3 and 5, 5 and 7 and 2 more',
    ],
    [
      'the last, by the images in the acquisition',
      good(6, () => ({ more: [text(tags.ImagesInAcquisition, 'IS', '12')] })),
      'the files state 12 images in acquisition; 6 are there',
    ],
    [
      'the last, by the images in the series',
      good(6, () => ({ more: [text(tags.NumberOfSeriesRelatedInstances, 'IS', '7')] })),
      'the files state 7 images in the series; 6 are there',
    ],
  ])('%s: noted', async (_, slices, note) => {
    expect((await notesOf(slices)).join()).toMatch(note);
  });

  it('scout views count, and are no gap', async () => {
    const files = [
      ctSlice(0, { imageType: 'ORIGINAL\\PRIMARY\\LOCALIZER', position: [0, 0, 500] }),
      ...[1, 2, 3, 4].map((i) => ctSlice(i)),
    ];
    const { series } = await listSeries(sourcesOf(files), { repair: { localizer: 'drop' } });
    expect(series[0].notes).toEqual(['1 of 5 images are scout views: slice-0.dcm; left out']);
  });
});

describe('an order that contradicts the positions', () => {
  it('instance numbers of two slices swapped', async () => {
    const numbers = [1, 2, 7, 4, 5, 6, 3, 8];
    const notes = await notesOf(good(8, (k) => ({ instanceNumber: numbers[k] })));
    expect(notes).toEqual(['positions and instance numbers give different orders: slice-2.dcm, slice-6.dcm']);
  });

  it('instance numbers that fall are no contradiction', async () => {
    expect(await notesOf(good(8, (k) => ({ instanceNumber: 8 - k })))).toEqual([]);
  });

  it('positions of two slices swapped, by the slice locations', async () => {
    const swapped = (k: number): number => (k === 2 ? 6 : k === 6 ? 2 : k);
    const values = new Int16Array(30);
    const notes = await notesOf(
      good(8, (k) => ({ position: [-30, -20, 2 * swapped(k)], without: [tags.InstanceNumber], values })),
    );
    expect(notes).toEqual(['positions and slice locations disagree: slice-6.dcm, slice-2.dcm']);
  });

  it('acquisitions that lie between each other', async () => {
    const notes = await notesOf(good(8, (k) => ({ more: [text(tags.AcquisitionNumber, 'IS', String(1 + (k % 2)))] })));
    expect(notes).toEqual(['slices of 2 acquisitions (AcquisitionNumber) lie between each other']);
  });
});

describe('thickness and distance', () => {
  it.each<[string, SliceOptions[], string]>([
    [
      'a gap between slices',
      good(5, () => ({ more: [text(tags.SliceThickness, 'DS', '1')] })),
      'slices of 1 mm lie 2.00 mm apart',
    ],
    [
      'a thickness of many slices',
      good(5, () => ({ more: [text(tags.SliceThickness, 'DS', '50')] })),
      'slices of 50 mm lie 2.00 mm apart',
    ],
    [
      'thicknesses that differ',
      good(5, (k) => ({ more: [text(tags.SliceThickness, 'DS', k === 2 ? '5' : '2')] })),
      'slices of different thickness: 2 mm, 5 mm',
    ],
    [
      'another stated distance',
      good(5, () => ({ more: [text(tags.SpacingBetweenSlices, 'DS', '5')] })),
      'the files state 5 mm between slices; their positions lie 2.00 mm apart',
    ],
  ])('%s: noted', async (_, slices, note) => {
    expect(await notesOf(slices)).toEqual([note]);
  });

  it('overlapping slices are usual', async () => {
    expect(await notesOf(good(5, () => ({ more: [text(tags.SliceThickness, 'DS', '5')] })))).toEqual([]);
  });
});

describe('orientation and patient position', () => {
  const posed = (position: string, orientation: number[]): SliceOptions[] =>
    good(4, () => ({
      orientation,
      more: [text(tags.PatientPosition, 'CS', position)],
      without: [tags.InstanceNumber],
    }));

  it.each([
    ['HFS', [-1, 0, 0, 0, 1, 0]],
    ['HFS', [0, 1, 0, 1, 0, 0]],
    ['FFS', [1, 0, 0, 0, -1, 0]],
    ['HFP', [1, 0, 0, 0, -1, 0]],
  ])('%s with %j is noted', async (position, orientation) => {
    expect((await notesOf(posed(position, orientation))).join()).toMatch(
      `the orientation (${orientation.join('\\')}) contradicts the patient position ${position}; sides may be swapped`,
    );
  });

  it.each([
    ['HFS', [1, 0, 0, 0, 1, 0]],
    ['HFS', [1, 0, 0, 0, 0.98, -0.199]],
    ['HFP', [-1, 0, 0, 0, -1, 0]],
    ['FFS', [1, 0, 0, 0, 1, 0]],
    ['FFS', [-1, 0, 0, 0, 1, 0]],
    ['HFDR', [0, 1, 0, -1, 0, 0]],
    ['unknown', [-1, 0, 0, 0, 1, 0]],
  ])('%s with %j is usual', async (position, orientation) => {
    const notes = await notesOf(posed(position, orientation)).catch(() => ['a tilted gantry']);
    expect(notes.join()).not.toMatch('patient position');
  });

  it('planes that are not axial though the image type says so', async () => {
    const notes = await notesOf(good(4, (k) => ({ orientation: [1, 0, 0, 0, 0, -1], position: [-30, 2 * k, 0] })));
    expect(notes.join()).toMatch('the image type says AXIAL, but the planes are not axial');
  });
});

it('a pixel spacing that contradicts the reconstruction diameter', async () => {
  const slices = good(4, () => ({ spacing: '8\\7', more: [text(tags.ReconstructionDiameter, 'DS', '4.2')] }));
  expect(await notesOf(slices)).toEqual(['6 columns of 7 mm are 42.0 mm; the reconstruction diameter is 4.2 mm']);
});

it('slice locations with the sign of the heights turned', async () => {
  const slices = good(5, (k) => ({
    position: [-30, -20, 2 * k + 10],
    more: [text(tags.SliceLocation, 'DS', String(-2 * k - 10))],
  }));
  expect(await notesOf(slices)).toEqual([
    'slice locations are the heights with the other sign; head and feet may be swapped',
  ]);
});

describe('slices of different protocols', () => {
  it.each([
    ['convolution kernel', (k: number) => text(tags.ConvolutionKernel, 'SH', k === 2 ? 'B70f' : 'B30f')],
    ['tube voltage', (k: number) => text(tags.KVP, 'DS', k < 2 ? '80' : '140')],
  ])('%s: noted', async (name, attribute) => {
    expect(await notesOf(good(5, (k) => ({ more: [attribute(k)] })))).toEqual([`within the series differ: ${name}`]);
  });
});

describe('stored bits', () => {
  const us = (tag: number, value: number): WriteElement => element(tag, 'US', [value]);
  const values = new Int16Array(30).fill(1000);

  it('that differ within the series', async () => {
    const notes = await notesOf(good(5, (k) => ({ values, more: [us(tags.PixelRepresentation, k === 3 ? 0 : 1)] })));
    expect(notes).toEqual([
      'pixels are stored in different ways: most with 16 of 16 bits, highest bit 15, signed; ' +
        '16 of 16 bits, highest bit 15, unsigned (slice-3.dcm)',
    ]);
  });

  it('that are not the lowest', async () => {
    const bits = [us(tags.BitsStored, 12), us(tags.HighBit, 15)];
    const notes = await notesOf(good(4, () => ({ more: bits, values: new Int16Array(30).fill(16) })));
    expect(notes.join()).toMatch('highest bit 15 for 12 stored bits; values are taken from these bits');
  });

  it('that are too few for the values', async () => {
    const bits = [us(tags.BitsStored, 12), us(tags.HighBit, 11)];
    const notes = await notesOf(good(4, () => ({ more: bits, values: new Int16Array(30).fill(3000 + 4096) })));
    expect(notes).toEqual([
      'pixels have values in bits beside the stored ones (12 stored bits of 16, highest 11); these bits are left out',
    ]);
    expect(await notesOf(good(4, () => ({ more: bits, values: new Int16Array(30).fill(-1000) })))).toEqual([]);
  });
});
