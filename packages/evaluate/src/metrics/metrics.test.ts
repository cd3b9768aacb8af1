/** Hand values, brute force, scipy golden numbers (test/golden/make-evaluate-golden.py), empty masks, bad input. */
import { readFileSync } from 'node:fs';
import { GridMismatchError, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { EvaluationError } from '../errors.js';
import { evaluateCase } from './metrics.js';
import { seededRandom } from '../statistics/statistics.js';
import { inEllipsoids, labelMap, lesionOnly, lungClasses } from '../label-maps.test.helpers.js';

interface Golden {
  size: [number, number, number];
  spacingMm: [number, number, number];
  toleranceMm: number;
  cases: {
    name: string;
    truth: number[][];
    prediction: number[][];
    counts: number[];
    surfaceVoxels: number[];
    hd95Mm: number;
    assdMm: number;
    surfaceDice: number;
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/evaluate.json', import.meta.url), 'utf8'),
) as Golden;

describe('voxels to ignore', () => {
  it('count in no metric: as if the scan ended before them', () => {
    const size = [10, 2, 2] as const;
    // Truth 0–3, prediction 2–6; the voxels from 5 on are not annotated.
    const truth = labelMap(size, [1, 1, 2], (x) => (x < 4 ? 1 : x >= 5 ? 255 : 0));
    const prediction = labelMap(size, [1, 1, 2], (x) => (x >= 2 && x < 7 ? 1 : 0));
    const { classes, ignoredVoxels } = evaluateCase(truth, prediction, lesionOnly, { ignoreLabel: 255 });
    expect(ignoredVoxels).toBe(20);
    const cut = evaluateCase(
      labelMap([5, 2, 2], [1, 1, 2], (x) => (x < 4 ? 1 : 0)),
      labelMap([5, 2, 2], [1, 1, 2], (x) => (x >= 2 ? 1 : 0)),
      lesionOnly,
    );
    expect(classes).toEqual(cut.classes);
    expect(cut).not.toHaveProperty('ignoredVoxels');
    expect(() => evaluateCase(truth, prediction, lesionOnly)).toThrow(EvaluationError);
    expect(truth.voxels[9]).toBe(255);
  });
});

describe('overlap metrics', () => {
  it('gives the hand-computed values', () => {
    // 10 voxels in a row of 1 × 1 × 2 mm: truth 0–3, prediction 2–6: TP 2, FP 3, FN 2, TN 3.
    const truth = labelMap([10, 1, 1], [1, 1, 2], (x) => (x < 4 ? 1 : 0));
    const prediction = labelMap([10, 1, 1], [1, 1, 2], (x) => (x >= 2 && x < 7 ? 1 : 0));
    const { classes } = evaluateCase(truth, prediction, lesionOnly);
    expect(classes).toHaveLength(1);
    expect(classes[0].counts).toEqual({ truePositives: 2, falsePositives: 3, falseNegatives: 2, trueNegatives: 3 });
    expect(classes[0].metrics).toMatchObject({
      dice: 4 / 9,
      sensitivity: 0.5,
      specificity: 0.5,
      precision: 0.4,
      iou: 2 / 7,
      accuracy: 0.5,
      truthVolumeMl: 0.008,
      predictionVolumeMl: 0.01,
    });
    // All voxels are surface. Truth to prediction 2,1,0,0; back 0,0,1,2,3.
    expect(classes[0].metrics.assdMm).toBeCloseTo(9 / 9, 6);
    expect(classes[0].metrics.hd95Mm).toBeCloseTo(2.8, 5);
    expect(classes[0].metrics.surfaceDice).toBe(1);
    const strict = evaluateCase(truth, prediction, lesionOnly, { tolerancesMm: { 1: 1 } });
    expect(strict.classes[0].metrics.surfaceDice).toBeCloseTo(6 / 9, 10);
  });

  it('is one-vs-rest for several classes', () => {
    const truth = labelMap([4, 1, 1], [1, 1, 1], (x) => [1, 2, 3, 0][x]);
    const prediction = labelMap([4, 1, 1], [1, 1, 1], (x) => [1, 3, 3, 2][x]);
    const { classes } = evaluateCase(truth, prediction, lungClasses);
    expect(classes.map((entry) => entry.metrics.dice)).toEqual([1, 0, 2 / 3]);
    expect(classes.map((entry) => entry.toleranceMm)).toEqual([1, 1, 3]);
    expect(classes[1].counts).toEqual({ truePositives: 0, falsePositives: 1, falseNegatives: 1, trueNegatives: 2 });
  });

  it('takes the voxel volume of a sheared grid from its determinant', () => {
    const plain = labelMap([2, 2, 2], [1, 2, 3], () => 1);
    const affine = [...plain.affine];
    affine[6] = 1.5;
    const sheared = { ...plain, affine };
    expect(evaluateCase(sheared, sheared, lesionOnly).classes[0].metrics.truthVolumeMl).toBeCloseTo(0.048, 12);
  });
});

describe('surface metrics', () => {
  it.each(golden.cases.map((item) => [item.name, item] as const))('agrees with scipy: %s', (_, item) => {
    const draw = (ellipsoids: number[][]): Volume<Uint8Array> =>
      labelMap(golden.size, golden.spacingMm, (x, y, z) => (inEllipsoids(ellipsoids, x, y, z) ? 1 : 0));
    const { classes } = evaluateCase(draw(item.truth), draw(item.prediction), lesionOnly, {
      tolerancesMm: { 1: golden.toleranceMm },
    });
    const { counts, surface, metrics } = classes[0];
    expect([counts.truePositives, counts.falsePositives, counts.falseNegatives, counts.trueNegatives]).toEqual(
      item.counts,
    );
    expect([surface?.truthVoxels, surface?.predictionVoxels]).toEqual(item.surfaceVoxels);
    expect(metrics.hd95Mm).toBeCloseTo(item.hd95Mm, 4);
    expect(metrics.assdMm).toBeCloseTo(item.assdMm, 4);
    expect(metrics.surfaceDice).toBeCloseTo(item.surfaceDice, 6);
  });

  it('agrees with brute force on random masks', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 12; round++) {
      const spacing = [0.6 + random(), 0.6 + random(), 1 + 3 * random()] as const;
      const density = 0.1 + 0.7 * random();
      const draw = (): Volume<Uint8Array> => labelMap([7, 6, 5], spacing, () => (random() < density ? 1 : 0));
      const [truth, prediction] = [draw(), draw()];
      const { metrics } = evaluateCase(truth, prediction, lesionOnly).classes[0];
      const [a, b] = [bruteSurface(truth), bruteSurface(prediction)];
      const ab = directed(a, b, spacing);
      const ba = directed(b, a, spacing);
      const all = [...ab, ...ba];
      expect(metrics.assdMm).toBeCloseTo(all.reduce((s, d) => s + d, 0) / all.length, 5);
      expect(metrics.surfaceDice).toBeCloseTo(all.filter((d) => d <= 3).length / all.length, 10);
      expect(metrics.hd95Mm).toBeCloseTo(Math.max(percentile95(ab), percentile95(ba)), 5);
    }
  });
});

describe('empty masks', () => {
  const size = [5, 4, 3] as const;
  const empty = labelMap(size, [1, 1, 1], () => 0);
  const some = labelMap(size, [1, 1, 1], (x) => (x === 2 ? 1 : 0));

  it('leaves a class that neither map has undefined, not 0 and not NaN', () => {
    const [entry] = evaluateCase(empty, empty, lesionOnly).classes;
    expect(entry.presence).toBe('neither');
    expect(entry.metrics).toEqual({
      dice: null,
      sensitivity: null,
      specificity: 1,
      precision: null,
      iou: null,
      accuracy: 1,
      hd95Mm: null,
      assdMm: null,
      surfaceDice: null,
      truthVolumeMl: 0,
      predictionVolumeMl: 0,
    });
  });

  it('scores a missed and an invented class 0, without distances', () => {
    const [missed] = evaluateCase(some, empty, lesionOnly).classes;
    expect(missed.presence).toBe('truth-only');
    expect(missed.metrics).toMatchObject({ dice: 0, iou: 0, sensitivity: 0, precision: null, surfaceDice: 0 });
    expect([missed.metrics.hd95Mm, missed.metrics.assdMm]).toEqual([null, null]);
    const [invented] = evaluateCase(empty, some, lesionOnly).classes;
    expect(invented.presence).toBe('prediction-only');
    expect(invented.metrics).toMatchObject({ dice: 0, sensitivity: null, precision: 0, surfaceDice: 0 });
  });
});

describe('lungs and involvement', () => {
  // Left lung x 0–3, right lung x 8–11, infection x 4–6; y, z fill the grid of 12 × 2 × 2 voxels.
  const labelAt = (x: number): number => (x < 4 ? 1 : x >= 8 ? 2 : x < 7 ? 3 : 0);
  const truth = labelMap([12, 2, 2], [1, 1, 1], labelAt);

  it('averages the lungs and counts infection to the nearer one', () => {
    const prediction = labelMap([12, 2, 2], [1, 1, 1], (x) => (x < 2 ? 1 : labelAt(x) === 1 ? 0 : labelAt(x)));
    const result = evaluateCase(truth, prediction, lungClasses);
    expect(result.lungClasses).toEqual([1, 2]);
    expect(result.lungs?.dice).toBeCloseTo((2 / 3 + 1) / 2, 12);
    expect(result.lungs?.truthVolumeMl).toBeCloseTo(0.032, 12);
    // x = 4 and 5 are nearer to the left lung's x = 3; x = 6 is nearer to x = 8.
    expect(result.involvement.truth).toMatchObject({ left: 2 / 6, right: 1 / 5, both: 3 / 11 });
    expect(result.involvement.truth?.leftInfectionMl).toBeCloseTo(0.008, 12);
    // The predicted left lung ends at x = 1: distances 3, 4, 5 against 4, 3, 2.
    expect(result.involvement.prediction).toMatchObject({ left: 1 / 3, right: 2 / 6 });
  });

  it('agrees with brute force on scattered lungs, decided by blocks or by voxels', () => {
    const random = seededRandom(11);
    for (const density of [0.002, 0.05]) {
      const spacing = [0.9, 0.7, 2.1] as const;
      const map = labelMap([41, 19, 9], spacing, (x) => {
        if (random() < density) return x < 20 ? 1 : 2;
        return random() < 0.3 ? 3 : 0;
      });
      const found: number[][][] = [[], [], [], []];
      map.voxels.forEach((label, i) => found[label].push([i % 41, Math.floor(i / 41) % 19, Math.floor(i / (41 * 19))]));
      const toLeft = directed(found[3], found[1], spacing);
      const toRight = directed(found[3], found[2], spacing);
      const left = toLeft.filter((d, n) => d <= toRight[n] + 1e-9).length;
      const { involvement } = evaluateCase(map, map, lungClasses);
      expect(involvement.truth?.left).toBeCloseTo(left / (left + found[1].length), 12);
    }
  });

  it('counts all infection to the only lung, and says nothing without lungs', () => {
    const oneLung = labelMap([12, 2, 2], [1, 1, 1], (x) => (labelAt(x) === 1 ? 0 : labelAt(x)));
    const noLung = labelMap([12, 2, 2], [1, 1, 1], (x) => (labelAt(x) === 3 ? 3 : 0));
    const result = evaluateCase(oneLung, noLung, lungClasses);
    expect(result.involvement.truth).toMatchObject({ left: null, right: 3 / 7, leftInfectionMl: 0 });
    expect(result.involvement.prediction).toBeNull();
    const plain = lungClasses.map(({ role: _role, ...rest }) => rest);
    expect(evaluateCase(oneLung, noLung, plain)).toMatchObject({ lungs: null, involvement: { truth: null } });
    expect(evaluateCase(oneLung, noLung, plain)).not.toHaveProperty('clinical');
  });

  it('goes by roles, not by names, and takes several lesion classes together', () => {
    const names = ['', 'poumon gauche', 'poumon droit', 'verre dépoli'];
    const french = lungClasses.map((one, i) => ({ ...one, name: names[i] }));
    const classes = [...french, { value: 4, name: 'condensation', color: [1, 2, 3] as const, role: 'lesion' as const }];
    const split = { ...truth, voxels: truth.voxels.map((value, i) => (value === 3 && i % 12 > 4 ? 4 : value)) };
    const [one, two] = [evaluateCase(truth, truth, lungClasses), evaluateCase(split, split, classes)];
    expect(two.involvement).toEqual(one.involvement);
    expect(two.clinical).toEqual({ ...one.clinical, lesion: 'verre dépoli + condensation' });
  });

  it('averages lungs without a lesion class', () => {
    const healthy = labelMap([12, 2, 2], [1, 1, 1], (x) => (labelAt(x) === 3 ? 0 : labelAt(x)));
    const { lungs, involvement, classes } = evaluateCase(healthy, healthy, lungClasses.slice(0, 3));
    expect(lungs?.dice).toBe(1);
    expect(classes.map(({ toleranceMm }) => toleranceMm)).toEqual([1, 1]);
    expect(involvement).toEqual({ truth: null, prediction: null });
  });
});

describe('bad input', () => {
  const map = labelMap([4, 4, 4], [1, 1, 1], () => 1);

  it('refuses maps on different grids', () => {
    const other = labelMap([4, 4, 4], [1, 1, 1.5], () => 1);
    expect(() => evaluateCase(map, other, lesionOnly, { name: 'case-9' })).toThrow(GridMismatchError);
    expect(() => evaluateCase(map, other, lesionOnly, { name: 'case-9' })).toThrow(/case-9: the prediction .* truth/);
    expect(() =>
      evaluateCase(
        map,
        labelMap([4, 4, 5], [1, 1, 1], () => 1),
        lesionOnly,
      ),
    ).toThrow(/sizes differ/);
  });

  it('names undeclared label values', () => {
    const odd = labelMap([4, 4, 4], [1, 1, 1], (x) => (x === 0 ? 7 : 1));
    expect(() => evaluateCase(map, odd, lesionOnly)).toThrow(EvaluationError);
    expect(() => evaluateCase(map, odd, lesionOnly)).toThrow(/prediction has 16 voxels with label value 7/);
  });
});

function bruteSurface({ voxels, size }: Volume<Uint8Array>): number[][] {
  const at = (x: number, y: number, z: number): number =>
    x < 0 || y < 0 || z < 0 || x >= size[0] || y >= size[1] || z >= size[2]
      ? 0
      : voxels[x + size[0] * (y + size[1] * z)];
  const found: number[][] = [];
  for (let z = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      for (let x = 0; x < size[0]; x++) {
        if (at(x, y, z) === 0) continue;
        const around = [
          at(x - 1, y, z),
          at(x + 1, y, z),
          at(x, y - 1, z),
          at(x, y + 1, z),
          at(x, y, z - 1),
          at(x, y, z + 1),
        ];
        if (around.includes(0)) found.push([x, y, z]);
      }
    }
  }
  return found;
}

function directed(from: number[][], to: number[][], spacing: readonly number[]): number[] {
  return from.map((p) => Math.min(...to.map((q) => Math.hypot(...p.map((v, axis) => (v - q[axis]) * spacing[axis])))));
}

function percentile95(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = 0.95 * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

describe('a sheared grid, as a tilted gantry has it', () => {
  const [size, mm] = [[24, 30, 20] as const, [2, 2, 1.25] as const];
  const slope = Math.tan(Math.PI / 9);
  const affine = [mm[0], 0, 0, 0, 0, mm[1], mm[2] * slope, 0, 0, 0, mm[2], 0, 0, 0, 0, 1];
  const world = (i: number): readonly [number, number, number] => {
    const [x, y, z] = [i % 24, Math.floor(i / 24) % 30, Math.floor(i / 720)];
    return [x * mm[0], y * mm[1] + z * mm[2] * slope, z * mm[2]];
  };
  const cube = (y0: number, z0: number): Volume<Uint8Array> => ({
    ...labelMap(size, mm, (x, y, z) => (x >= 5 && x < 15 && y >= y0 && y < y0 + 10 && z >= z0 && z < z0 + 10 ? 1 : 0)),
    affine,
  });

  it('has volumes by the determinant and distances in the world', () => {
    const [truth, prediction] = [cube(3, 0), cube(9, 8)];
    const { metrics } = evaluateCase(truth, prediction, lesionOnly).classes[0];
    expect(metrics.truthVolumeMl).toBeCloseTo(5, 9);
    const surface = ({ voxels }: Volume<Uint8Array>): number[] =>
      [...voxels.keys()].filter(
        (i) => voxels[i] === 1 && [1, -1, 24, -24, 720, -720].some((step) => (voxels[i + step] ?? 0) === 0),
      );
    const distancesOf = (from: Volume<Uint8Array>, to: Volume<Uint8Array>): number[] => {
      const places = surface(to).map(world);
      return surface(from)
        .map(world)
        .map(([x, y, z]) => Math.min(...places.map(([u, v, w]) => Math.hypot(x - u, y - v, z - w))))
        .sort((a, b) => a - b);
    };
    const lists = [distancesOf(truth, prediction), distancesOf(prediction, truth)];
    const quantile = (sorted: readonly number[]): number => {
      const at = 0.95 * (sorted.length - 1);
      const low = sorted[Math.floor(at)];
      return low + (at % 1) * (sorted[Math.ceil(at)] - low);
    };
    expect(metrics.hd95Mm).toBeCloseTo(Math.max(...lists.map(quantile)), 4);
    const pooled = lists.flat();
    expect(metrics.assdMm).toBeCloseTo(pooled.reduce((sum, d) => sum + d, 0) / pooled.length, 4);
    expect(metrics.surfaceDice).toBeCloseTo(pooled.filter((d) => d <= 3).length / pooled.length, 9);
    // Spacings alone would say something else.
    const along = Math.hypot(mm[2], mm[2] * slope);
    const upright = [mm[0], 0, 0, 0, 0, mm[1], 0, 0, 0, 0, along, 0, 0, 0, 0, 1];
    const taken = evaluateCase({ ...truth, affine: upright }, { ...prediction, affine: upright }, lesionOnly)
      .classes[0];
    expect(taken.metrics.truthVolumeMl).toBeCloseTo(5.32, 2);
    expect(Math.abs((taken.metrics.hd95Mm ?? 0) - (metrics.hd95Mm ?? 0))).toBeGreaterThan(1);
  });
});
