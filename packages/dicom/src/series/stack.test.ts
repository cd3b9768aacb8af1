/** The series assembler: order, and every defect named, refused, and repaired when asked. */
import { describe, expect, it } from 'vitest';
import type { DicomError } from '../dicom-error.js';
import { ctSlice, type SliceOptions, sourcesOf } from '../dicom.test.helpers.js';
import { type DicomSeries, listSeries } from './list-series.js';
import { readSeries } from './read-series.js';
import type { SeriesRepair } from './repair.js';

type Position = readonly [number, number, number];
const constant = (value: number, length: number = 30): Int16Array => new Int16Array(length).fill(value);

async function seriesOf(slices: readonly SliceOptions[]): Promise<DicomSeries> {
  const { series, damaged } = await listSeries(sourcesOf(slices.map((options, i) => ctSlice(i, options))));
  expect(damaged).toEqual([]);
  expect(series).toHaveLength(1);
  return series[0];
}

const upright = (z: number, value: number = 1000): SliceOptions => ({
  position: [-30, -20, z],
  values: constant(value),
});

describe('a good series', () => {
  it('is sorted by position, whatever the file order and instance numbers', async () => {
    const heights = [4, 0, 6, 2];
    const series = await seriesOf(heights.map((z, i) => ({ ...upright(z, 1024 + z), instanceNumber: 10 - i })));
    expect(series.problems).toEqual([]);
    const { volume, sources } = await readSeries(series);
    expect(volume.size).toEqual([6, 5, 4]);
    expect([0, 1, 2, 3].map((k) => volume.voxels[30 * k])).toEqual([0, 2, 4, 6]);
    expect(volume.voxels).toBeInstanceOf(Int16Array);
    // LPS (−30, −20, 0) is RAS (30, 20, 0); columns are 0.7 mm apart, rows 0.8.
    expect(volume.affine).toEqual([-0.7, 0, 0, 30, 0, -0.8, 0, 20, 0, 0, 2, 0, 0, 0, 0, 1]);
    expect(sources.map(({ images }) => images[0].instanceUid)).toEqual([
      '1.2.3.4.1.2',
      '1.2.3.4.1.4',
      '1.2.3.4.1.1',
      '1.2.3.4.1.3',
    ]);
  });

  it('is sorted along its own normal: sagittal', async () => {
    const orientation = [0, 1, 0, 0, 0, -1];
    const series = await seriesOf(
      [5, 2, 8].map((x) => ({ position: [x, -20, 40] as Position, orientation, values: constant(x) })),
    );
    const { volume } = await readSeries(series);
    // row × column = (−1, 0, 0): the planes run to the patient's right.
    expect(volume.affine).toEqual([0, 0, 3, -8, -0.7, 0, 0, 20, 0, -0.8, 0, 40, 0, 0, 0, 1]);
    expect(volume.voxels[0]).toBe(8 - 1024);
  });

  it('may have positions rounded to 0.1 mm', async () => {
    const series = await seriesOf([0, 1.3, 2.5, 3.8, 5, 6.3, 7.5].map((z) => upright(z)));
    expect(series.problems).toEqual([]);
    expect(series.spacingMm?.[2]).toBeCloseTo(1.25, 6);
  });

  it('applies the rescale of each slice', async () => {
    const series = await seriesOf([
      { ...upright(0, 100), slope: '2', intercept: '-1000' },
      { ...upright(2, 100), slope: '0.5', intercept: '3' },
    ]);
    const { volume } = await readSeries(series);
    expect([volume.voxels[0], volume.voxels[30]]).toEqual([-800, 53]);
    expect(volume.voxels).toBeInstanceOf(Float32Array);
  });

  it('of one slice takes its thickness', async () => {
    const { grid, notes } = await seriesOf([upright(0)]);
    expect(grid?.size).toEqual([6, 5, 1]);
    expect(notes).toEqual(['a single slice; 2 mm are its slice thickness']);
  });
});

interface Defect {
  readonly name: string;
  readonly slices: readonly SliceOptions[];
  readonly kind: string;
  readonly message: RegExp;
  /** What the error offers. */
  readonly options?: Readonly<Record<string, string>>;
  readonly repairs: readonly {
    readonly repair: SeriesRepair;
    /** First voxel of each plane, in HU. */
    readonly planes?: readonly number[];
    readonly fails?: RegExp;
  }[];
}

const tilted = [0, 1, 2].map((k): SliceOptions => ({ position: [-30, -20 + 0.8 * k, 4 * k], values: constant(1024) }));

const defects: readonly Defect[] = [
  {
    name: 'a missing slice',
    slices: [0, 2, 6, 8].map((z) => upright(z, 1024 + 10 * z)),
    options: { 'repair missing=interpolate': 'repair it' },
    kind: 'missing',
    message: /1 slice is missing, between 2.00 and 6.00 mm$/,
    repairs: [{ repair: { missing: 'interpolate' }, planes: [0, 20, 40, 60, 80] }],
  },
  {
    name: 'identical duplicates',
    slices: [0, 2, 2, 4].map((z) => upright(z, 1024 + z)),
    options: { 'repair duplicates=identical': 'repair it', 'repair duplicates=first': 'repair it' },
    kind: 'duplicates',
    message: /1 of 3 places hold more than one slice, different images: 2.00 mm \(slice-1.dcm, slice-2.dcm\)/,
    repairs: [
      { repair: { duplicates: 'identical' }, planes: [0, 2, 4] },
      { repair: { duplicates: 'first' }, planes: [0, 2, 4] },
    ],
  },
  {
    name: 'differing duplicates',
    slices: [upright(0), { ...upright(2, 1030), instanceNumber: 9 }, upright(2, 1040), upright(4)],
    options: { 'repair duplicates=identical': 'repair it', 'repair duplicates=first': 'repair it' },
    kind: 'duplicates',
    message: /more than one slice/,
    repairs: [
      {
        repair: { duplicates: 'identical' },
        fails: /slice-1.dcm: lies at the same place as slice-2.dcm but its pixels differ/,
      },
      { repair: { duplicates: 'first' }, planes: [-24, 16, -24] },
    ],
  },
  {
    name: 'uneven spacing',
    slices: [0, 2, 4, 5, 8].map((z) => upright(z, 1024 + 10 * z)),
    options: { 'repair uneven=resample': 'repair it' },
    kind: 'uneven',
    message: /distances from 1.000 to 3.000 mm, median 2.000; after 4.00 mm, 5.00 mm/,
    repairs: [{ repair: { uneven: 'resample' }, planes: [0, 20, 40, 60, 80] }],
  },
  {
    name: 'a tilted gantry',
    slices: tilted,
    options: { 'repair tilt=shear': 'repair it', 'repair tilt=resample': 'repair it' },
    kind: 'tilt',
    message: /the gantry was tilted: .* 11.31° from upright$/,
    repairs: [
      { repair: { tilt: 'shear' }, planes: [0, 0, 0] },
      // One row more per plane: what a plane does not reach is air.
      { repair: { tilt: 'resample' }, planes: [0, -1024, -1024] },
    ],
  },
  {
    name: 'a scout view among the slices',
    slices: [
      upright(0),
      upright(2),
      { ...upright(50), imageType: 'ORIGINAL\\PRIMARY\\LOCALIZER', orientation: [1, 0, 0, 0, 0, -1] },
    ],
    options: { 'repair localizer=drop': 'leave them out' },
    kind: 'localizer',
    message: /1 of 3 images are scout views: slice-2.dcm/,
    repairs: [{ repair: { localizer: 'drop' }, planes: [-24, -24] }],
  },
  {
    name: 'only scout views',
    slices: [{ ...upright(0), imageType: 'ORIGINAL\\PRIMARY\\LOCALIZER' }],
    kind: 'localizer',
    message: /all 1 images/,
    repairs: [],
  },
  {
    name: 'two orientations',
    slices: [upright(0), upright(2), { ...upright(4), orientation: [0, 1, 0, 0, 0, -1] }],
    kind: 'mixed-orientation',
    message: /2 of 1.000.*1 of 0.000.*slice-2.dcm/,
    repairs: [],
  },
  {
    name: 'two sizes',
    slices: [upright(0), upright(2), { ...upright(4), columns: 5, values: constant(0, 25) }],
    kind: 'mixed-size',
    message: /2 of 6×5, 1 of 5×5 \(slice-2.dcm\)/,
    repairs: [],
  },
  {
    name: 'two pixel spacings',
    slices: [upright(0), { ...upright(2), spacing: '0.9\\0.9' }],
    kind: 'mixed-spacing',
    message: /0.7000×0.8000 mm/,
    repairs: [],
  },
  {
    name: 'a slice beside the others',
    slices: [upright(0), { ...upright(2), position: [-20, -20, 2] }, upright(4)],
    kind: 'scattered',
    message: /1 slices do not lie on one line/,
    repairs: [],
  },
  {
    name: 'directions that are none',
    slices: [{ ...upright(0), orientation: [0, 0, 0, 0, 0, 0] }],
    kind: 'geometry',
    message: /no usable position/,
    repairs: [],
  },
];

describe('a defect is named and refused, and repaired only when asked', () => {
  it.each(defects)('$name', async ({ slices, kind, message, repairs, options }) => {
    const series = await seriesOf(slices);
    expect(series.problems.map((problem) => problem.kind)).toContain(kind);
    expect(series.grid).toBeUndefined();
    await expect(readSeries(series)).rejects.toMatchObject({ code: 'dicom' });
    await expect(readSeries(series)).rejects.toThrow(message);
    const hints = await readSeries(series).catch((error: DicomError) => error.fields['options']);
    expect(hints).toEqual(options ?? {});
    for (const { repair, planes, fails } of repairs) {
      if (fails !== undefined) {
        await expect(readSeries(series, { repair })).rejects.toThrow(fails);
        continue;
      }
      const { volume, notes } = await readSeries(series, { repair });
      const voxels = volume.size[0] * volume.size[1];
      expect(planes?.map((_, k) => volume.voxels[k * voxels])).toEqual(planes);
      expect(volume.size[2]).toBe(planes?.length);
      expect(notes).not.toEqual([]);
    }
  });

  it('states the sheared grid of a tilted gantry exactly', async () => {
    const { volume } = await readSeries(await seriesOf(tilted), { repair: { tilt: 'shear' } });
    expect(volume.affine.map((value) => Number(value.toFixed(9)))).toEqual([
      -0.7, 0, 0, 30, 0, -0.8, -0.8, 20, 0, 0, 4, 0, 0, 0, 0, 1,
    ]);
  });

  it('sets a tilted gantry upright by whole rows here', async () => {
    const { volume } = await readSeries(await seriesOf(tilted), { repair: { tilt: 'resample' } });
    expect(volume.size).toEqual([6, 7, 3]);
    expect([0, 1, 2].map((k) => volume.voxels[42 * k + 6 * k])).toEqual([0, 0, 0]);
    expect(volume.affine.slice(8, 12)).toEqual([0, 0, 4, 0]);
  });
});
