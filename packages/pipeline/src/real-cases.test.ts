/** Prepare and restore on real cases at the paper's spacing; skipped where the shared data are absent. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readLabels, readVolume } from '@quickcolumn/io';
import { describe, expect, it } from 'vitest';
import { covidClasses } from './classes.js';
import { paperPreparation } from './config.js';
import { prepareScan } from './prepare.js';
import { restoreProbabilities } from './restore.js';

const shared = process.env.QUICKCOLUMN_SHARED ?? resolve(import.meta.dirname, '../../../../shared');
const data = join(shared, 'data/covid19-ct-seg');
const present = existsSync(data);
const why = present ? '' : ` (skipped: no ${data}; set QUICKCOLUMN_SHARED)`;

/** Dice of one value against another map. */
function dice(a: Uint8Array, b: Uint8Array, value: number): number {
  let both = 0;
  let sum = 0;
  for (let at = 0; at < a.length; at++) {
    if (a[at] === value) sum++;
    if (b[at] === value) sum++;
    if (a[at] === value && b[at] === value) both++;
  }
  return (2 * both) / sum;
}

describe(`prepare and restore on real cases${why}`, () => {
  it.skipIf(!present).each(['coronacases_001', 'radiopaedia_4_85506_1'])(
    '%s loses less than 0.01 lung Dice',
    async (name) => {
      const image = await readVolume(join(data, 'ct', `${name}.nii.gz`));
      const labels = await readLabels(join(data, 'labels', `${name}.nii.gz`));
      const prepared = prepareScan(image, paperPreparation, { labels, name });
      const truth = prepared.labels ?? new Uint8Array();
      const restored = restoreProbabilities(
        (c) => Float32Array.from(truth, (value) => (value === covidClasses[c].value ? 1 : 0)),
        covidClasses,
        prepared.size,
        prepared.undo,
      );
      expect(restored.size).toEqual(image.size);
      expect(restored.affine).toEqual(image.affine);
      const scores = [1, 2, 3].map((value) => dice(restored.voxels, labels.voxels, value));
      expect(scores[0], `left lung, all ${scores.join(' ')}`).toBeGreaterThan(0.99);
      expect(scores[1], `right lung, all ${scores.join(' ')}`).toBeGreaterThan(0.99);
      expect(scores[2], `infection, all ${scores.join(' ')}`).toBeGreaterThan(0.95);
      expect(prepared.scale).toBe('hu');
      let sum = 0;
      let squares = 0;
      for (const value of prepared.image) {
        sum += value;
        squares += value * value;
      }
      expect(sum / prepared.image.length).toBeCloseTo(0, 3);
      expect(squares / prepared.image.length).toBeCloseTo(1, 3);
    },
  );
});
