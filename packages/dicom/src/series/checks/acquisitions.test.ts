/** Several slices at one place: a whole acquisition is taken, or none. */
import { describe, expect, it } from 'vitest';
import { ctSlice, type SliceOptions, sourcesOf } from '../../dicom.test.helpers.js';
import { tags } from '../../data-set/tags.js';
import { element, type WriteElement } from '../../data-set/write-data-set.js';
import { type DicomSeries, listSeries } from '../list-series.js';
import { readSeries } from '../read-series.js';

interface PhaseSlice extends SliceOptions {
  readonly z: number;
  /** In HU, the same for a whole phase. */
  readonly hu: number;
}

async function seriesOf(slices: readonly PhaseSlice[]): Promise<DicomSeries> {
  const files = slices.map(({ z, hu, ...options }, i) =>
    ctSlice(i, { position: [-30, -20, z], values: new Int16Array(30).fill(hu + 1024), ...options }),
  );
  const { series } = await listSeries(sourcesOf(files));
  expect(series).toHaveLength(1);
  return series[0];
}

/** HU of every plane with `duplicates=first`, and the notes. */
async function first(slices: readonly PhaseSlice[]): Promise<{ planes: number[]; notes: string }> {
  const series = await seriesOf(slices);
  expect(series.problems.map(({ kind }) => kind)).toEqual(['duplicates']);
  const { volume, notes } = await readSeries(series, { repair: { duplicates: 'first' } });
  return { planes: Array.from({ length: volume.size[2] }, (_, k) => volume.voxels[30 * k]), notes: notes.join() };
}

const places = [0, 1, 2, 3, 4, 5];
/** Two phases of 100 and 200 HU whose instance numbers both begin with 1. */
const phases = (label: (phase: number, k: number) => readonly WriteElement[]): PhaseSlice[] =>
  // Stored so that neither the order of files nor their UIDs follow the phases.
  places.flatMap((k) =>
    (k % 2 === 0 ? [1, 0] : [0, 1]).map((phase) => ({
      z: 2 * k,
      hu: 100 * (phase + 1),
      instanceNumber: k + 1,
      more: label(phase, k),
    })),
  );
const text = (tag: number, vr: string, value: string): WriteElement => element(tag, vr, value);

describe('duplicates=first takes the first whole acquisition', () => {
  it.each<[string, (phase: number, k: number) => readonly WriteElement[], string]>([
    ['acquisition number', (p) => [text(tags.AcquisitionNumber, 'IS', String(p + 3))], 'AcquisitionNumber 3'],
    ['temporal position', (p) => [text(tags.TemporalPositionIdentifier, 'IS', String(p + 1))], 'Temporal'],
    [
      'cardiac phase',
      (p) => [element(tags.NominalPercentageOfCardiacPhase, 'FD', [40 + 30 * p])],
      'NominalPercentageOfCardiacPhase 40',
    ],
    ['temporal index', (p) => [element(tags.TemporalPositionIndex, 'UL', [p + 1])], 'TemporalPositionIndex 1'],
    ['trigger time', (p) => [text(tags.TriggerTime, 'DS', String(300 + 100 * p))], 'TriggerTime 300'],
    ['kernel', (p) => [text(tags.ConvolutionKernel, 'SH', p === 0 ? 'B30f' : 'B70f')], 'ConvolutionKernel B30f'],
    [
      'time of acquisition',
      (p, k) => [text(tags.AcquisitionTime, 'TM', `1010${p === 0 ? 10 + k : 30 - k}.25`)],
      'the earliest AcquisitionTime',
    ],
    [
      'time of content, past midnight',
      (p, k) => [
        text(tags.ContentDate, 'DA', p === 0 ? '20200101' : '20200102'),
        text(tags.ContentTime, 'TM', p === 0 ? `2359${10 + k}` : `0000${10 + k}`),
      ],
      'the earliest ContentTime',
    ],
    [
      'acquisition numbers of single rotations, and times',
      (p, k) => [
        text(tags.AcquisitionNumber, 'IS', String(6 * p + k)),
        text(tags.AcquisitionDateTime, 'DT', `202001021010${p === 0 ? 10 + k : 30 + k}`),
      ],
      'the earliest AcquisitionDateTime',
    ],
  ])('by %s', async (_, label, by) => {
    const { planes, notes } = await first(phases(label));
    expect(planes).toEqual(places.map(() => 100));
    expect(notes).toMatch(`the first acquisition was taken, by ${by}`);
  });

  it('by instance numbers that are all different: one phase after the other', async () => {
    const slices = phases(() => []).map((slice) => ({
      ...slice,
      instanceNumber: (slice.instanceNumber ?? 0) + (slice.hu === 100 ? 0 : 6),
    }));
    expect((await first(slices)).planes).toEqual(places.map(() => 100));
  });

  it('one of the copies of an image', async () => {
    const copy = phases(() => []).filter(({ hu }) => hu === 100);
    const files = copy.map(({ z, hu, ...options }, i) =>
      ctSlice(i, { position: [-30, -20, z], values: new Int16Array(30).fill(hu + 1024), ...options }),
    );
    const { series } = await listSeries(sourcesOf([...files, ...files.slice(2, 4)]));
    const { notes } = await readSeries(series[0], { repair: { duplicates: 'first' } });
    expect(notes.join()).toMatch(/copies of one image.*by one of each copy/);
  });

  it('the first that covers every place, where another does not', async () => {
    const slices = phases((p) => [text(tags.AcquisitionNumber, 'IS', String(p + 1))]);
    const { planes } = await first(slices.filter(({ z, hu }) => z !== 4 || hu !== 100));
    expect(planes).toEqual(places.map(() => 200));
  });
});

describe('duplicates=first refuses', () => {
  const refusal = 'nothing tells which of them are one whole acquisition';
  it('phases whose instance numbers repeat, when nothing else tells', async () => {
    await expect(first(phases(() => []))).rejects.toThrow(refusal);
    await expect(first(phases(() => []))).rejects.toMatchObject({ reason: 'duplicates' });
  });

  it('times that overlap', async () => {
    const label = (p: number, k: number): WriteElement[] => [text(tags.ContentTime, 'TM', `1010${10 + 2 * k + p}`)];
    await expect(first(phases(label))).rejects.toThrow(refusal);
  });

  it('two acquisitions of which neither covers every place', async () => {
    const slices = phases((p) => [text(tags.AcquisitionNumber, 'IS', String(p + 1))]);
    const parts = slices.filter(({ z, hu }) => (hu === 100 ? z <= 6 : z >= 6));
    await expect(first(parts)).rejects.toThrow(refusal);
  });

  it('instance numbers that do not follow the places', async () => {
    const numbers = [7, 1, 5, 8, 3, 9, 10, 4, 11, 2, 12, 6];
    const slices = phases(() => []).map((slice, i) => ({ ...slice, instanceNumber: numbers[i] }));
    await expect(first(slices)).rejects.toThrow(refusal);
  });
});
