/** What the one way from a scan to a mask hands out, and every key of the sidecar. */
import { covidClasses, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { metadataOf, modelFrom } from './model.test.helpers.js';
import { ensembleOf } from './model/ensemble.js';
import { makingDifference } from './making.js';
import { segment, type SegmentOptions } from './segment.js';
import { withProbabilities } from './sidecar.js';

const [nx, ny, nz] = [32, 32, 16];
const lungHu = -800;
/** The network calls these z-scores left lung, right lung, infection; the scan holds them as stripes along x. */
const stripes = [-1000, lungHu, -700, 100];
const scan: Volume<Int16Array> = {
  voxels: Int16Array.from({ length: nx * ny * nz }, (_, i) => stripes[Math.floor((i % nx) / 8)]),
  size: [nx, ny, nz],
  // Axes to the left, posterior, superior, as the prepared grid has them: nothing is resampled.
  affine: [-2, 0, 0, 30, 0, -2, 0, 30, 0, 0, 4, 0, 0, 0, 0, 1],
};

/** The stripe of a voxel is the place of its value among all values of the scan. */
const byValue = modelFrom(
  (image) => {
    const values = [...new Set(image)].sort((a, b) => a - b);
    const out = new Float32Array(image.length * 4);
    for (let i = 0; i < image.length; i++) out[values.indexOf(image[i]) * image.length + i] = 1;
    return out;
  },
  { metadata: metadataOf({ classes: covidClasses }) },
);

const options: SegmentOptions = {
  files: { scan: 'scan.nii.gz', mask: 'mask.nii.gz' },
  program: { name: 'test', version: '1.2.3' },
};
const window = { patch: [32, 32, 16], overlap: [16, 16, 8] };

describe('segment', () => {
  it('gives labels, volumes, quantities and the sidecar', async () => {
    const { labels, volumes, quantities, sidecar, scale } = await segment(byValue, scan, options);
    expect([...labels.voxels.subarray(0, nx)]).toEqual(Array.from({ length: nx }, (_, x) => Math.floor(x / 8)));
    const voxels = (nx * ny * nz) / 4;
    const volumeMl = voxels * 0.016;
    expect(volumes.map((one) => one.voxels)).toEqual([voxels, voxels, voxels, voxels]);
    expect(quantities).toMatchObject({ lesion: 'infection', lesionCount: 1, lesionMeanHu: 100 });
    expect(quantities).toMatchObject({ leftLungMeanHu: lungHu, infectedShare: { left: 0, right: 0.5, both: 1 / 3 } });
    expect(scale).toBe('hu');
    expect(JSON.parse(JSON.stringify(sidecar))).toEqual({
      format: 'quickcolumn-mask',
      version: 2,
      notice: 'research use only, not a medical device',
      program: { name: 'test', version: '1.2.3' },
      units: expect.objectContaining({ Ml: 'millilitres', Hu: 'Hounsfield units' }) as unknown,
      mask: 'mask.nii.gz',
      scan: { name: 'scan.nii.gz', scale: 'hu', size: [nx, ny, nz] },
      model: { file: 'm.onnx', sha256: 'f00', weightsSha256: 'abc' },
      runtime: { name: 'played', version: '1', precision: 'float32' },
      window,
      classes: covidClasses.map(({ value, name, color, role }) => ({
        value,
        name,
        color,
        ...(role && { role }),
        voxels,
        volumeMl: Number(volumeMl.toFixed(3)),
        // One window.
        agreement: null,
      })),
      // The stripes begin at the patient's right, and the infection, 16 mm wide, has no air on its other side.
      doubts: [
        {
          id: 'lungs-exchanged',
          message: expect.stringMatching(/^the left lung lies 16 mm to the right/) as string,
          value: -16,
        },
        { id: 'outside-lungs', message: expect.stringMatching(/^13 % of infection/) as string, value: 0.125 },
      ],
      quantities: {
        lesion: 'infection',
        lesionMl: Number(volumeMl.toFixed(3)),
        infectedShare: { left: 0, right: 0.5, both: 0.3333 },
        lesionCount: 1,
        minimumLesionMl: 0.05,
        lesionMeanHu: 100,
        leftLungMeanHu: lungHu,
        rightLungMeanHu: -700,
      },
    });
  });

  it('records what was switched on and all models of an ensemble', async () => {
    const seen: unknown[] = [];
    const { sidecar, quantities } = await segment(ensembleOf([byValue, byValue]), scan, {
      ...options,
      weighting: 'gaussian',
      mirror: ['y'],
      postProcessing: { keepLargest: [{ value: 3, components: 1 }] },
      minimumLesionMl: 1000,
      onMask: (mask) => void seen.push(mask.sidecar),
      onProbability: (index) => void seen.push(index),
    });
    // The mask can be on the disk before the first probability is made.
    expect(seen).toEqual([sidecar, 0, 1, 2, 3]);
    const files = covidClasses.map(({ name }) => `${name}.nii.gz`);
    expect(withProbabilities(sidecar, files).classes.map((one) => one.probabilities)).toEqual(files);
    expect(sidecar.ensemble).toHaveLength(2);
    expect(sidecar.options).toEqual({
      weighting: 'gaussian',
      mirror: ['y'],
      postProcessing: { keepLargest: [{ value: 3, components: 1 }], removedVoxels: 0, filledVoxels: 0 },
    });
    expect(quantities).toMatchObject({ minimumLesionMl: 1000, lesionCount: 0 });
  });

  it('tells whether it was made as another mask would be', async () => {
    const making = { weighting: 'gaussian', mirror: ['y'], minimumLesionMl: 0.1 } as const;
    const { sidecar } = await segment(byValue, scan, { ...options, ...making });
    const written: unknown = JSON.parse(JSON.stringify(sidecar));
    expect(makingDifference(written, byValue, making)).toBeUndefined();
    const differences = [
      makingDifference(written, { ...byValue, files: [{ ...byValue.files[0], sha256: 'other' }] }, making),
      makingDifference(written, ensembleOf([byValue, byValue]), making),
      makingDifference(written, { ...byValue, runtime: { ...byValue.runtime, precision: 'bfloat16' } }, making),
      makingDifference(written, byValue, { ...making, overlap: [0, 0, 0] }),
      makingDifference(written, byValue, { ...making, mirror: ['x'] }),
      makingDifference(written, byValue, { ...making, minimumLesionMl: 1 }),
      makingDifference({ classes: [] }, byValue, making),
      makingDifference(null, byValue, making),
    ];
    expect(differences).toEqual([
      'another model',
      'another model',
      'another precision',
      'another window',
      'other options',
      'another smallest lesion',
      'no sidecar of this version of quickcolumn',
      'no sidecar of this version of quickcolumn',
    ]);
  });

  it('has no quantities where no class is a lesion', async () => {
    const classes = covidClasses.map(({ role: _role, ...rest }) => rest);
    const { sidecar, quantities } = await segment({ ...byValue, metadata: metadataOf({ classes }) }, scan, options);
    expect(quantities).toBeNull();
    expect(sidecar).not.toHaveProperty('quantities');
    expect(sidecar).not.toHaveProperty('options');
    expect(sidecar).not.toHaveProperty('ensemble');
  });
});

describe('a scan with defects', () => {
  const shifted = { ...scan, voxels: Int16Array.from(scan.voxels, (hu) => hu + 1024) };
  const message = 'values from 24 to 1124 are neither HU nor 0–255 (HU + 1024?)';

  it('is refused before anything is computed, and names what would let it pass', async () => {
    const estimates: unknown[] = [];
    const run = segment(byValue, shifted, {
      ...options,
      name: 'scan.nii.gz',
      onEstimate: (one) => estimates.push(one),
    });
    await expect(run).rejects.toMatchObject({
      code: 'defect',
      message: `scan.nii.gz: ${message}`,
      fields: { path: 'scan.nii.gz', kinds: ['value-range'], options: { 'accept value-range': 'use it as it is' } },
    });
    expect(estimates).toEqual([]);
    await expect(segment(byValue, shifted, { ...options, accept: ['constant'] })).rejects.toThrow(message);
  });

  it('is segmented where they are accepted; the sidecar says so, and what reading it told', async () => {
    const told: string[] = [];
    const { notes, sidecar, labels } = await segment(byValue, shifted, {
      ...options,
      accept: ['value-range'],
      readingNotes: ['assumed LPS'],
      onNote: (text) => told.push(text),
    });
    expect(told).toEqual([`${message}; accepted`]);
    expect(notes).toEqual(['assumed LPS', `${message}; accepted`]);
    expect(sidecar.notes).toEqual(notes);
    expect(labels.size).toEqual(scan.size);
  });

  it('without any has no notes', async () => {
    const { notes, sidecar } = await segment(byValue, scan, options);
    expect(notes).toEqual([]);
    expect(sidecar).not.toHaveProperty('notes');
  });

  it.each([
    ['constant', new Int16Array(scan.voxels.length)],
    ['value-range', Float64Array.from(scan.voxels, (_, at) => (at === 7 ? 1e300 : -1000))],
    ['not-finite', Float32Array.from(scan.voxels, (hu, at) => (at === 7 ? Number.NaN : hu))],
  ])('%s', async (kind, voxels) => {
    await expect(segment(byValue, { ...scan, voxels }, options)).rejects.toMatchObject({ fields: { kinds: [kind] } });
  });
});
