/**
 * Models that nnU-Net's and MONAI's own packages built and PyTorch exported, against what PyTorch made of the same scan with
 * the same windows; files and numbers by test/golden/make-foreign-golden.py.
 */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { axisCodes, type Size3, type Volume } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensembleOf } from '../model/ensemble.js';
import { loadModel, readModel } from '../model/load-model.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { realModel } from '../model.test.helpers.js';
import { predictScan } from '../predict.js';
import { segment } from '../segment.js';

interface GoldenModel {
  /** By the codes of the tensor's axes. */
  readonly preparedSize: Readonly<Record<string, number>>;
  readonly probabilities: readonly string[];
  readonly labels: string;
}
interface Golden extends Record<'nnunet' | 'monai', GoldenModel> {
  readonly scan: { readonly size: Size3; readonly affine: readonly number[]; readonly voxels: string };
}

const folder = fileURLToPath(new URL('./golden/', import.meta.url));
const golden = JSON.parse(readFileSync(`${folder}foreign.json`, 'utf8')) as Golden;
const bytesOf = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
const floats = (text: string): Float32Array => new Float32Array(bytesOf(text));
const scan: Volume = {
  size: golden.scan.size,
  affine: golden.scan.affine,
  voxels: new Int16Array(bytesOf(golden.scan.voxels)),
};

/** Float32 on both sides, in convolutions of another order: 7e-7 and less were measured. */
const tolerance = 2e-5;

async function predicted(
  model: LoadedModel,
): Promise<{ labels: Uint8Array; probabilities: Float32Array[]; size: Size3 }> {
  const probabilities: Float32Array[] = [];
  const onProbability = (c: number, { voxels }: Volume<Float32Array>): void => void (probabilities[c] = voxels);
  const { labels, estimate } = await predictScan(model, scan, { onProbability });
  expect(labels.affine).toEqual(scan.affine);
  return { labels: labels.voxels, probabilities, size: estimate.preparedSize };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at])), 0);
}

/** Of all voxels but those whose decision is within twice the tolerance. */
function expectSameLabels(labels: Uint8Array, { labels: text }: GoldenModel, decisive: readonly Float32Array[]): void {
  const expected = new Uint8Array(bytesOf(text));
  let compared = 0;
  for (let at = 0; at < labels.length; at++) {
    const [first, second] = decisive.map((one) => one[at]).sort((a, b) => b - a);
    if (first - second <= 2 * tolerance) continue;
    compared++;
    if (labels[at] !== expected[at]) expect(labels[at], `voxel ${at}`).toBe(expected[at]);
  }
  expect(compared).toBeGreaterThan(0.999 * labels.length);
}

describe('a model of another framework predicts what its framework does', () => {
  it('the scan is none of the simple ones', () => {
    expect(axisCodes(scan.affine)).toBe('IAR');
    expect(scan.affine.filter((value) => Math.abs(value) > 1e-6).length).toBeGreaterThan(9);
  });

  it('nnU-Net: LPS tensor, resampled, a fixed window, three logits', async () => {
    const model = await loadModel(join(folder, 'nnunet.onnx'));
    const { labels, probabilities, size } = await predicted(model);
    expect(size).toEqual(['L', 'P', 'S'].map((code) => golden.nnunet.preparedSize[code]));
    expect(probabilities).toHaveLength(3);
    probabilities.forEach((one, c) => {
      expect(largestDifference(one, floats(golden.nnunet.probabilities[c]))).toBeLessThan(tolerance);
    });
    expectSameLabels(labels, golden.nnunet, probabilities);
    expect(new Set(labels)).toEqual(new Set([0, 1, 2]));
  });

  it('MONAI: RAS tensor, any window, two sigmoid channels, weights in a file of their own', async () => {
    const model = await loadModel(join(folder, 'monai.onnx'));
    const { labels, probabilities } = await predicted(model);
    expect(probabilities).toHaveLength(3);
    const classes = golden.monai.probabilities.map(floats);
    classes.forEach((one, c) => expect(largestDifference(probabilities[c + 1], one)).toBeLessThan(tolerance));
    expectSameLabels(labels, golden.monai, [classes[0].map(() => 0.6), ...classes]);
    expect(new Set(labels)).toEqual(new Set([0, 3, 7]));
  });

  it('the settings decide: other axes, intensities or windows give other probabilities', async () => {
    const place = await mkdtemp(join(tmpdir(), 'quickcolumn-foreign-'));
    const settings = JSON.parse(readFileSync(`${folder}monai.onnx.json`, 'utf8')) as object;
    const changes = [{ axes: 'LAS' }, { intensity: { kind: 'none' } }, { overlap: [0, 0, 0] }, { padding: 1 }];
    await copyFile(join(folder, 'monai.onnx'), join(place, 'monai.onnx'));
    await copyFile(join(folder, 'monai.onnx.data'), join(place, 'monai.onnx.data'));
    for (const change of changes) {
      await writeFile(join(place, 'monai.onnx.json'), JSON.stringify({ ...settings, ...change }));
      const { probabilities } = await predicted(await loadModel(join(place, 'monai.onnx')));
      const difference = largestDifference(probabilities[1], floats(golden.monai.probabilities[0]));
      expect(difference, JSON.stringify(change)).toBeGreaterThan(100 * tolerance);
    }
    await rm(place, { recursive: true });
  });

  it('a window of another size goes into a model that takes any, and not into a fixed one', async () => {
    const any = await predictScan(await loadModel(join(folder, 'monai.onnx')), scan, { patch: [20, 16, 12] });
    expect(any.estimate.windows).toBe(1);
    const fixed = await loadModel(join(folder, 'nnunet.onnx'));
    await expect(predictScan(fixed, scan, { patch: [12, 16, 16] })).rejects.toThrow(
      'patch[2]: 16, but the model takes 8 alone; use 8',
    );
    const odd = predictScan(await loadModel(join(folder, 'monai.onnx')), scan, { patch: [9, 16, 12] });
    await expect(odd).rejects.toThrow(/monai\.onnx.*\[9, 16, 12\]/);
  });
});

describe('mirrored windows, ensembles and sidecars', () => {
  let place = '';
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'quickcolumn-foreign-'));
  });
  afterAll(async () => await rm(place, { recursive: true, force: true }));

  /** The nnU-Net model with changed settings. */
  async function variant(name: string, change: object): Promise<LoadedModel> {
    const settings = JSON.parse(readFileSync(`${folder}nnunet.onnx.json`, 'utf8')) as object;
    await copyFile(join(folder, 'nnunet.onnx'), join(place, name));
    await writeFile(join(place, `${name}.json`), JSON.stringify({ ...settings, ...change }));
    return await loadModel(join(place, name));
  }

  it('an ensemble of a model with itself is the model; models that are prepared otherwise cannot join', async () => {
    const model = await loadModel(join(folder, 'nnunet.onnx'));
    const alone = await predicted(model);
    const twice = await predicted(ensembleOf([model, model]));
    expect(largestDifference(twice.probabilities[1], alone.probabilities[1])).toBeLessThan(1e-6);
    expect(ensembleOf([model, await variant('same.onnx', {})]).files).toHaveLength(2);
    for (const [change, what] of [
      [{ spacingMm: [1, 1, 1] }, /preparation\.spacingMm is \[1,1,1\], there it is \[1,1\.3,2\.2\]/],
      [{ intensity: { kind: 'none' } }, /preparation\.intensity/],
      [{ axes: 'SAR' }, /its axes is "SAR", there it is "SPL"/],
      [{ padding: 1 }, /preparation\.padding/],
    ] as const) {
      const other = await variant('other.onnx', change);
      expect(() => ensembleOf([model, other])).toThrow(what);
    }
  });

  it('an ensemble with a model of ours is refused, with the reason', async () => {
    const foreign = await loadModel(join(folder, 'nnunet.onnx'));
    const ours = realModel(1, { classes: foreign.metadata.preparation.classes, patch: [16, 16, 16] });
    expect(() => ensembleOf([ours, foreign])).toThrow(
      /nnunet\.onnx cannot join 1\.onnx: its format is quickcolumn-foreign-model, there it is quickcolumn-model; an ensemble needs models of the same preparation/,
    );
    expect(() => ensembleOf([foreign, ours])).toThrow(/1\.onnx cannot join/);
  });

  it('the sidecar of the mask names both files and the licence', async () => {
    const model = await loadModel(join(folder, 'nnunet.onnx'));
    const { sidecar } = await segment(model, scan, {
      files: { scan: 'scan.nii.gz', mask: 'mask.nii.gz' },
      program: { name: 'test', version: '1' },
      mirror: ['x'],
      postProcessing: { keepLargest: [{ value: 1, components: 1 }] },
    });
    expect(sidecar.model).toMatchObject({
      file: 'nnunet.onnx',
      title: 'nnU-Net with random weights',
      licence: 'Apache-2.0',
      settingsSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(sidecar.window).toEqual({ patch: [12, 16, 8], overlap: [6, 8, 4] });
    expect(sidecar.runtime.name).toBe('onnx');
    expect(sidecar.options).toMatchObject({ mirror: ['x'] });
  });

  it('is no model to train from', async () => {
    await expect(readModel(join(folder, 'nnunet.onnx'))).rejects.toThrow(/no Quickcolumn metadata/);
  });
});
