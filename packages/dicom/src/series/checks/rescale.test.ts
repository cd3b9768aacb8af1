/** Rescales that are incomplete, that differ, or that do not fit. */
import { describe, expect, it } from 'vitest';
import { ctSlice, type SliceOptions, sourcesOf } from '../../dicom.test.helpers.js';
import { tags } from '../../data-set/tags.js';
import { element, type WriteElement } from '../../data-set/write-data-set.js';
import { type DicomSeries, listSeries } from '../list-series.js';
import { readSeries } from '../read-series.js';

async function seriesOf(slices: readonly SliceOptions[]): Promise<DicomSeries> {
  const { series } = await listSeries(sourcesOf(slices.map((options, i) => ctSlice(i, options))));
  return series[0];
}

const both = [tags.RescaleSlope, tags.RescaleIntercept];
const values = new Int16Array(30).fill(1000);

describe('a rescale that is not complete', () => {
  it.each<[string, SliceOptions, number, string]>([
    ['without a slope', { without: [tags.RescaleSlope] }, -24, 'no readable rescale slope; taken as 1'],
    ['with an empty slope', { slope: '' }, -24, 'no readable rescale slope; taken as 1'],
    ['with a slope that is no number', { slope: 'one' }, -24, 'no readable rescale slope; taken as 1'],
    ['without an intercept', { without: [tags.RescaleIntercept] }, 1000, 'no rescale intercept; taken as 0'],
    ['without either', { without: both }, 1000, 'no rescale; their values are taken as HU'],
  ])('%s is read with a note', async (_, options, hu, note) => {
    const { volume, notes } = await readSeries(await seriesOf([0, 1, 2].map(() => ({ ...options, values }))));
    expect(volume.voxels[0]).toBe(hu);
    expect(notes.join()).toMatch(`3 slices have ${note}`);
  });

  it.each<[string, SliceOptions]>([
    ['an intercept that is no number', { intercept: '-1024HU' }],
    ['an intercept with a comma', { intercept: '-1024,0' }],
    ['a slope that is no number, and no intercept', { slope: 'x', without: [tags.RescaleIntercept] }],
  ])('%s is refused', async (_, options) => {
    const series = await seriesOf([{}, options, {}]);
    await expect(readSeries(series)).rejects.toMatchObject({ reason: 'pixels' });
    await expect(readSeries(series)).rejects.toThrow('a rescale that is no number: slice-1.dcm');
  });

  it.each<[string, SliceOptions, SliceOptions, string]>([
    ['without a rescale', { without: both }, {}, '1 slice has no complete rescale'],
    ['without an intercept', { without: [tags.RescaleIntercept] }, {}, '1 slice has no complete rescale'],
    ['without a slope among slopes of 2', { without: [tags.RescaleSlope] }, { slope: '2' }, 'and 3 have one: slice-1'],
  ])('one slice %s among others is refused', async (_, odd, others, message) => {
    const series = await seriesOf([others, odd, others, others]);
    expect(series.problems.map(({ kind }) => kind)).toEqual(['mixed-rescale']);
    await expect(readSeries(series)).rejects.toThrow(message);
  });

  it('one slice without a slope among slopes of 1 is the same as they are', async () => {
    const { notes } = await readSeries(await seriesOf([{}, { without: [tags.RescaleSlope] }, {}]));
    expect(notes).toEqual(['1 slice has no readable rescale slope; taken as 1: slice-1.dcm']);
  });
});

describe('multi-frame images', () => {
  const group = (z: number, more: readonly WriteElement[] | undefined): WriteElement[] => [
    element(tags.PlanePositionSequence, 'SQ', [[element(tags.ImagePositionPatient, 'DS', `-30\\-20\\${z}`)]]),
    ...(more === undefined ? [] : [element(tags.PixelValueTransformationSequence, 'SQ', [more])]),
  ];
  const slope = element(tags.RescaleSlope, 'DS', '1');
  const intercept = element(tags.RescaleIntercept, 'DS', '-1000');
  const multiFrame = async (rescales: readonly (readonly WriteElement[] | undefined)[]): Promise<DicomSeries> =>
    await seriesOf([
      {
        values: new Int16Array(30 * rescales.length).fill(1000),
        without: [...both, tags.ImagePositionPatient],
        more: [
          element(tags.NumberOfFrames, 'IS', String(rescales.length)),
          element(
            tags.PerFrameFunctionalGroupsSequence,
            'SQ',
            rescales.map((rescale, i) => group(2 * i, rescale)),
          ),
        ],
      },
    ]);

  it('take slope 1 where a frame has an intercept alone', async () => {
    const { volume, notes } = await readSeries(await multiFrame([[intercept], [intercept], [intercept]]));
    expect(volume.voxels[0]).toBe(0);
    expect(notes.join()).toMatch('3 slices have no readable rescale slope; taken as 1');
  });

  it('are refused where one frame has no rescale', async () => {
    const { problems } = await multiFrame([[slope, intercept], undefined, [slope, intercept]]);
    expect(problems.map(({ kind }) => kind)).toEqual(['mixed-rescale']);
  });
});

describe('one slice with another rescale', () => {
  /** A disc of tissue in air that grows slowly, 24 × 20 pixels. */
  const disc = (k: number, offset: number): Int16Array =>
    Int16Array.from({ length: 480 }, (_, i) => {
      const [x, y] = [(i % 24) - 12, Math.floor(i / 24) - 10];
      return (Math.hypot(x, y) < 4 + 0.4 * k ? 40 + (i % 7) : -1000) + offset;
    });
  const slices = (odd: SliceOptions): SliceOptions[] =>
    [0, 1, 2, 3, 4, 5, 6].map((k) => ({
      columns: 24,
      rows: 20,
      values: disc(k, 1024),
      ...(k === 3 ? odd : {}),
    }));

  it('is refused when the rescale of the others would fit', async () => {
    const series = await seriesOf(slices({ intercept: '0' }));
    expect(series.notes.join()).toMatch(
      '1 slice has another rescale (slope 1, intercept 0) than most (slope 1, intercept -1024): slice-3.dcm',
    );
    await expect(readSeries(series)).rejects.toMatchObject({ reason: 'mixed-rescale' });
    await expect(readSeries(series)).rejects.toThrow('with their own they do not: slice-3.dcm');
    await expect(readSeries(await seriesOf(slices({ slope: '3' })))).rejects.toMatchObject({ reason: 'mixed-rescale' });
  });

  it('is read, with a note, when its stored values go with it', async () => {
    const { volume, notes } = await readSeries(await seriesOf(slices({ intercept: '0', values: disc(3, 0) })));
    expect(volume.voxels[3 * 480]).toBe(-1000);
    expect(notes.join()).toMatch('1 slice has another rescale');
  });
});
