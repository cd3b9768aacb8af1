/** Statistics against numpy/scipy golden numbers; summary, comparison, CSV and table on small cases. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateCase } from '../metrics/metrics.js';
import { bootstrapInterval, mean, pairedDifferences, quantile, standardDeviation } from './statistics.js';
import { compareModels, evaluationResult, summarize } from './summary.js';
import { toCsv, toTable } from '../report/table.js';
import { labelMap, lungClasses } from '../label-maps.test.helpers.js';
import type { CaseMetrics } from '../types.js';

const { statistics } = JSON.parse(
  readFileSync(new URL('../../../../test/golden/evaluate.json', import.meta.url), 'utf8'),
) as {
  statistics: {
    values: number[];
    mean: number;
    sd: number;
    quartiles: number[];
    differences: number[];
    signFlipP: number;
  };
};

/** A case with a lesion of `truthLength` voxels of which the first `found` are predicted. */
function lesionCase(name: string, patient: string, truthLength: number, found: number): CaseMetrics {
  const size = [40, 2, 2] as const;
  const lungs = (x: number): number => (x < 4 ? 1 : x >= 36 ? 2 : 0);
  const truth = labelMap(size, [1, 1, 1], (x) => (x >= 10 && x < 10 + truthLength ? 3 : lungs(x)));
  const prediction = labelMap(size, [1, 1, 1], (x) => (x >= 10 && x < 10 + found ? 3 : lungs(x)));
  return evaluateCase(truth, prediction, lungClasses, { name, patient });
}

describe('statistics', () => {
  it('agrees with numpy', () => {
    expect(mean(statistics.values)).toBeCloseTo(statistics.mean, 12);
    expect(standardDeviation(statistics.values)).toBeCloseTo(statistics.sd, 12);
    const quartiles = [0.25, 0.5, 0.75].map((fraction) => quantile(statistics.values, fraction));
    quartiles.forEach((value, n) => expect(value).toBeCloseTo(statistics.quartiles[n], 12));
    expect([mean([]), quantile([], 0.5), standardDeviation([1])]).toEqual([null, null, null]);
  });

  it("gives scipy's exact sign-flip p-value, and nearly that when drawn", () => {
    const exact = pairedDifferences(statistics.differences.map((d) => [d]));
    expect(exact.exact).toBe(true);
    expect(exact.pValue).toBeCloseTo(statistics.signFlipP, 12);
    // With one sign only 2 of the patterns are as extreme: of 2^20 all are counted, of 2^30 some are drawn.
    const oneSign = (patients: number): number[][] => Array.from({ length: patients }, (_, n) => [0.01 * (n + 1)]);
    expect(pairedDifferences(oneSign(20))).toMatchObject({ exact: true, pValue: 2 ** -19 });
    const drawn = pairedDifferences(oneSign(30));
    expect(drawn.exact).toBe(false);
    expect(drawn.pValue).toBeLessThan(0.001);
    expect(drawn.pValue).toBeGreaterThan(0);
  });

  it('bootstraps over patients, repeatably', () => {
    const values = Array.from({ length: 40 }, (_, n) => [n % 10]);
    const interval = bootstrapInterval(values, mean, { seed: 3 });
    // Normal theory: 4.5 ± 1.96 · 2.872 / √40 = 3.61 … 5.39.
    expect(interval?.[0]).toBeCloseTo(3.61, 0);
    expect(interval?.[1]).toBeCloseTo(5.39, 0);
    expect(bootstrapInterval(values, mean, { seed: 3 })).toEqual(interval);
    expect(bootstrapInterval(values, mean, { seed: 4 })).not.toEqual(interval);
    // Patients with ten equal cases each: draws are of patients, so that the interval is as wide as that of one case each.
    const clustered = [0, 1, 1, 0, 1].map((value) => Array.from({ length: 10 }, () => value));
    expect(bootstrapInterval(clustered, mean)).toEqual(bootstrapInterval([[0], [1], [1], [0], [1]], mean));
  });
});

describe('intervals of few patients', () => {
  const few = (patients: number): CaseMetrics[] =>
    Array.from({ length: patients }, (_, n) => lesionCase(`case ${n}`, `p${n}`, 10, 5 + n));

  it.each([1, 2, 4])('are none with %i, and the table says why', (patients) => {
    const cases = few(patients);
    const { regions } = summarize(cases);
    for (const { metrics } of regions) {
      const { meanInterval95, medianInterval95, pooledInterval95 } = metrics.dice;
      expect([meanInterval95, medianInterval95, pooledInterval95]).toEqual([null, null, null]);
    }
    const table = toTable(summarize(cases));
    expect(table).toContain(
      'no 95 % interval for left lung, right lung, infection, lungs: fewer than 5 patients have a value, and an interval would only repeat their values',
    );
    expect(table).not.toMatch(/\[0\.\d+, /);
    const differences = cases.map((_, n) => [0.1 * n]);
    expect(pairedDifferences(differences).interval95).toBeNull();
  });

  it('are there from 5 on, and patients without a value do not count', () => {
    expect(summarize(few(5)).regions[2].metrics.dice.meanInterval95).not.toBeNull();
    expect(toTable(summarize(few(5)))).not.toContain('no 95 % interval');
    // Seven patients, of whom four have lesions or a prediction of them.
    const empty = ['p7', 'p8', 'p9'].map((patient) => lesionCase(patient, patient, 0, 0));
    const { dice } = summarize([...few(4), ...empty]).regions[2].metrics;
    expect([dice.meanInterval95, dice.medianInterval95, dice.pooledInterval95]).toEqual([null, null, null]);
    expect(toTable(summarize([...few(4), ...empty]))).toContain('no 95 % interval for infection: fewer than 5');
  });
});

describe('summarize', () => {
  const cases = [
    lesionCase('a', 'p1', 10, 10),
    lesionCase('b', 'p2', 20, 10),
    lesionCase('c', 'p2', 4, 0),
    lesionCase('d', 'p3', 0, 0),
    lesionCase('e', 'p4', 0, 5),
  ];
  const summary = summarize(cases, { draws: 300 });
  const infection = summary.regions[2];

  it('leaves undefined cases out and counts them', () => {
    expect(summary).toMatchObject({ cases: 5, patients: 4 });
    expect(infection).toMatchObject({ name: 'infection', bothEmpty: 1, missed: 1, falseAlarms: 1 });
    const { dice, hd95Mm } = infection.metrics;
    expect(dice).toMatchObject({ definedCases: 4, undefinedCases: 1, minimum: 0, maximum: 1 });
    expect(dice.mean).toBeCloseTo((1 + 2 / 3 + 0 + 0) / 4, 12);
    expect(dice.median).toBeCloseTo(1 / 3, 12);
    expect(hd95Mm).toMatchObject({ definedCases: 2, undefinedCases: 3, pooled: null, pooledInterval95: null });
  });

  it('pools counts', () => {
    // Per 4-voxel column: TP 20, FN 14, FP 5.
    expect(infection.metrics.dice.pooled).toBeCloseTo(40 / 59, 12);
    expect(infection.metrics.truthVolumeMl.pooled).toBeCloseTo((34 * 4) / 1000, 12);
    const more = [...cases, lesionCase('f', 'p5', 12, 9), lesionCase('g', 'p6', 8, 8), lesionCase('h', 'p7', 16, 2)];
    const { pooled, pooledInterval95 } = summarize(more).regions[2].metrics.dice;
    const [low, high] = pooledInterval95 ?? [];
    expect(low).toBeLessThan(pooled ?? Number.NaN);
    expect(high).toBeGreaterThan(pooled ?? Number.NaN);
    // Missed and invented surfaces count against the pooled surface Dice.
    const together = cases[0].classes[2].surface;
    expect(infection.metrics.surfaceDice.pooled).toBeLessThan(infection.metrics.surfaceDice.maximum ?? 0);
    expect(together?.withinTolerance).toBe((together?.truthVoxels ?? 0) + (together?.predictionVoxels ?? 0));
  });

  it('adds the mean of the lungs as a region', () => {
    expect(summary.regions.map((region) => region.name)).toEqual(['left lung', 'right lung', 'infection', 'lungs']);
    expect(summary.regions[3].metrics.dice).toMatchObject({ mean: 1, sd: 0, pooled: 1 });
    expect(summary.regions[3].metrics.truthVolumeMl.pooled).toBeCloseTo((5 * 8 * 4) / 1000, 12);
  });

  it('holds no NaN and survives JSON', () => {
    const result = evaluationResult(cases, { draws: 50 });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('refuses nothing, doubles and mixed classes', () => {
    expect(() => summarize([])).toThrow(/no cases/);
    expect(() => summarize([cases[0], cases[0]])).toThrow(/two cases are named 'a'/);
    expect(() => summarize([cases[0], { ...cases[1], classes: cases[1].classes.slice(1) }])).toThrow(/b was evaluated/);
  });

  it('compares two models by case', () => {
    const better = [20, 20, 4, 0, 0].map((found, n) =>
      lesionCase(cases[n].name, cases[n].patient, [20, 20, 4, 0, 0][n], found),
    );
    const result = compareModels(better, cases, 'infection', 'dice');
    // a: 1 − 1, b: 1 − 2/3, c: 1 − 0; d and e have no Dice in one of the two.
    expect(result).toMatchObject({ pairs: 3, patients: 2, undefinedPairs: 2, exact: true });
    expect(result.meanDifference).toBeCloseTo(4 / 9, 12);
    expect(() => compareModels(better.slice(1), cases, 'infection', 'dice')).toThrow(/one model only: a/);
    expect(() => compareModels(better, cases, 'spleen', 'dice')).toThrow(/no region 'spleen'; known are left lung/);
  });

  it('writes CSV with empty cells for undefined values and quotes names', () => {
    const odd = lesionCase('odd, "name"', 'p9', 0, 0);
    const lines = toCsv([odd]).trimEnd().split('\r\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^case,patient,region,value,presence,dice,sensitivity/);
    expect(lines[3]).toMatch(/^"odd, ""name""",p9,infection,3,neither,,,1,,,1,,,,0,0,3,0,0,0,160,,,0,0,,$/);
    expect(lines[1]).toMatch(/,0,0,,,,$/);
  });

  it('aligns the table', () => {
    const table = toTable(summary, cases);
    const rows = table.split('\n').filter((line) => / lung |^infection  |^lungs  /.test(line));
    expect(table).toContain('0.417 ± 0.500');
    expect(table).toContain('infection: 1 case empty in truth and prediction');
    expect(table).not.toMatch(/NaN|null/);
    expect(rows.length).toBeGreaterThan(4);
  });
});
