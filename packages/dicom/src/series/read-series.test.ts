/** Pixels on their way to HU: padding, masks and signs, and what a series refuses. */
import { describe, expect, it } from 'vitest';
import { ctSlice, memorySource, sourcesOf } from '../dicom.test.helpers.js';
import { listSeries } from './list-series.js';
import { readSeries, type ReadSeriesOptions } from './read-series.js';
import { tags } from '../data-set/tags.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';

async function firstVoxels(more: WriteElement[], values: number[], options: ReadSeriesOptions = {}): Promise<number[]> {
  const stored = new Int16Array(30);
  stored.set(values);
  const { series } = await listSeries(sourcesOf([ctSlice(0, { values: stored, more })]));
  const { volume } = await readSeries(series[0], options);
  return Array.from(volume.voxels.slice(0, values.length));
}

const us = (tag: number, value: number): WriteElement => element(tag, 'US', [value]);

describe('stored values', () => {
  it('are masked and sign-extended from the stored bits', async () => {
    const bits = [us(tags.BitsStored, 12), us(tags.HighBit, 11)];
    // 0xf800: −2048 in 12 bits below four bits of an overlay.
    expect(await firstVoxels(bits, [0x7ff, -2048, 0x5800 - 0x10000, 0x1001])).toEqual([1023, -3072, -3072, -1023]);
  });

  it('may lie above the lowest bit', async () => {
    const bits = [us(tags.BitsStored, 12), us(tags.HighBit, 15), us(tags.PixelRepresentation, 0)];
    expect(await firstVoxels(bits, [16, 32 + 5])).toEqual([-1023, -1022]);
  });

  it('of 16 unsigned bits may not fit int16', async () => {
    expect(await firstVoxels([us(tags.PixelRepresentation, 0)], [-1, 1024])).toEqual([64_511, 0]);
  });
});

describe('padding', () => {
  const padding = [element(tags.PixelPaddingValue, 'SS', [-2000])];

  it('below air stays, as converters leave it; a number replaces it', async () => {
    expect(await firstVoxels(padding, [-2000, 0])).toEqual([-3024, -1024]);
    expect(await firstVoxels(padding, [-2000, 0], { padding: -1024 })).toEqual([-1024, -1024]);
  });

  it('above air becomes air, over its whole range', async () => {
    const high = [element(tags.PixelPaddingValue, 'SS', [3000]), element(tags.PixelPaddingRangeLimit, 'SS', [3100])];
    expect(await firstVoxels(high, [3000, 3050, 3100, 3101])).toEqual([-1024, -1024, -1024, 2077]);
    expect(await firstVoxels(high, [3000], { padding: 'keep' })).toEqual([1976]);
  });
});

describe('a series is refused', () => {
  it.each([
    ['another modality', { more: [element(tags.Modality, 'CS', 'MR')] }, 'modality', /modality MR/],
    ['colour', { more: [us(tags.SamplesPerPixel, 3)], values: new Int16Array(90) }, 'color', /not grey/],
    ['values that are no HU', { more: [element(tags.RescaleType, 'LO', 'Z_EFF')] }, 'pixels', /values are Z_EFF/],
    ['a slope of 0', { slope: '0' }, 'pixels', /slope of 0/],
    ['no position', { without: [tags.ImagePositionPatient] }, 'geometry', /no usable position/],
  ] as const)('%s', async (_, options, reason, message) => {
    const { series } = await listSeries(sourcesOf([ctSlice(0, options)]));
    await expect(readSeries(series[0])).rejects.toMatchObject({ code: 'dicom', reason });
    await expect(readSeries(series[0])).rejects.toThrow(message);
  });

  it.each(['60000', '1000000000', '-1', '1.5'])('with %s frames, at once', async (frames) => {
    const file = ctSlice(0, { more: [element(tags.NumberOfFrames, 'IS', frames)] });
    const { damaged } = await listSeries([memorySource('frames.dcm', file)]);
    expect(damaged).toMatchObject([{ error: { code: 'dicom', reason: 'damaged', path: 'frames.dcm' } }]);
  });

  it('whose pixels are cut short', async () => {
    const bytes = ctSlice(0);
    const { series, damaged } = await listSeries([memorySource('cut.dcm', bytes.subarray(0, bytes.length - 10))]);
    expect(series).toEqual([]);
    expect(damaged).toMatchObject([{ error: { reason: 'truncated', path: 'cut.dcm' } }]);
    expect(damaged[0].error.message).toBe('cut.dcm: 50 of 60 bytes of pixels are there; the file is cut short');
  });
});

it('says nothing about the patient', async () => {
  const listing = await listSeries(sourcesOf([ctSlice(0), ctSlice(3)]));
  const shown = JSON.stringify({ ...listing, series: listing.series.map((series) => ({ ...series, slices: [] })) });
  expect(shown).not.toMatch(/Secret|4711/);
});
