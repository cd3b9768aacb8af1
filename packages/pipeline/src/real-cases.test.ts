/**
 * Prepare and restore on real cases at the paper's spacing; skipped where the shared data are absent.
 *
 * The aim is a lung Dice loss below 0.01. Sending hard prepared labels back misses it on coronacases_001 (about 0.022):
 * its lung masks have single-voxel vessels and edges that 1.58 × 1.58 × 2.7 mm cannot hold. A numpy reference gives the
 * same loss (test/golden/prepare_restore.py), so it belongs to the grid and not to this code. Sending the labels' shares
 * back, as predicted probabilities are sent, stays below 0.01 on both. The miss is kept here as an expected failure.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readLabels, readVolume } from '@quickcolumn/io';
import { has, needs, pathOf } from '@quickcolumn/testing';
import { covidClasses, reorient, resizeLinear, type Size3, type Volume } from '@quickcolumn/volume';
import { beforeAll, describe, expect, it } from 'vitest';
import { paperPreparation } from './config.js';
import { prepareScan } from './prepare.js';
import { restoreProbabilities } from './restore.js';

const data = join(pathOf('shared'), 'covid19-ct-seg');

interface Golden {
  readonly preparedSize: Size3;
  readonly hard: readonly number[];
  readonly soft: readonly number[];
}
const golden = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../test/golden/prepare_restore.json'), 'utf8'),
) as Record<string, Golden>;

/** Dice of left lung, right lung and infection. */
function dice(a: Uint8Array, b: Uint8Array): number[] {
  const both = [0, 0, 0, 0];
  const sum = [0, 0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    sum[a[at]]++;
    sum[b[at]]++;
    if (a[at] === b[at]) both[a[at]]++;
  }
  return [1, 2, 3].map((value) => (2 * both[value]) / sum[value]);
}

function oneHot(labels: Uint8Array, value: number): Float32Array {
  const result = new Float32Array(labels.length);
  for (let at = 0; at < labels.length; at++) if (labels[at] === value) result[at] = 1;
  return result;
}

describe.each(['coronacases_001', 'radiopaedia_4_85506_1'])('prepare and restore of %s', (name) => {
  let image: Volume;
  let hard: Volume<Uint8Array>;
  let moments = { mean: 0, variance: 0 };
  let preparedSize: Size3 = [0, 0, 0];
  let scores = { hard: [0], soft: [0] };

  beforeAll(async () => {
    if (!has('shared')) return;
    image = await readVolume(join(data, 'ct', `${name}.nii.gz`));
    const labels = await readLabels(join(data, 'labels', `${name}.nii.gz`));
    const prepared = prepareScan(image, paperPreparation, { labels, name });
    const { labels: preparedLabels = new Uint8Array(), size, undo } = prepared;
    preparedSize = size;
    hard = restoreProbabilities((c) => oneHot(preparedLabels, covidClasses[c].value), covidClasses, size, undo);
    const upright = reorient(labels);
    const share = (c: number): Float32Array =>
      resizeLinear(oneHot(upright.voxels, covidClasses[c].value), upright.size, size);
    const soft = restoreProbabilities(share, covidClasses, size, undo);
    scores = { hard: dice(hard.voxels, labels.voxels), soft: dice(soft.voxels, labels.voxels) };
    let sum = 0;
    let squares = 0;
    for (const value of prepared.image) {
      sum += value;
      squares += value * value;
    }
    moments = { mean: sum / prepared.image.length, variance: squares / prepared.image.length };
  }, 300_000);

  it('gives the exact shape and affine of the scan', needs('shared'), () => {
    expect(preparedSize).toEqual(golden[name].preparedSize);
    expect(hard.size).toEqual(image.size);
    expect(hard.affine).toEqual(image.affine);
  });

  it('gives a z-scored image', needs('shared'), () => {
    expect(moments.mean).toBeCloseTo(0, 3);
    expect(moments.variance).toBeCloseTo(1, 3);
  });

  it('loses what the numpy reference loses, to 0.0005 Dice', needs('shared'), () => {
    for (const kind of ['hard', 'soft'] as const) {
      scores[kind].forEach((score, i) =>
        expect(Math.abs(score - golden[name][kind][i]), `${kind} ${scores[kind]}`).toBeLessThan(5e-4),
      );
    }
  });

  it('loses less than 0.01 lung Dice when shares are sent back', needs('shared'), () => {
    expect(Math.min(scores.soft[0], scores.soft[1])).toBeGreaterThan(0.99);
  });

  const missed = name === 'coronacases_001';
  const title = `loses less than 0.01 lung Dice when hard labels are sent back${missed ? ' (known miss)' : ''}`;
  it(title, { ...needs('shared'), fails: missed }, () => {
    expect(Math.min(scores.hard[0], scores.hard[1])).toBeGreaterThan(0.99);
  });
});
