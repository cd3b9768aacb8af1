/** Statistics of comparisons against scipy's numbers (test/golden/make-comparison-golden.py) and by hand. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EvaluationError } from '../errors.js';
import { labelMap, lesionOnly } from '../label-maps.test.helpers.js';
import { evaluateCase } from '../metrics/metrics.js';
import { bootstrapInterval, groupBy, holm, mean, pairedDifferences } from '../statistics/statistics.js';
import type { CaseMetrics } from '../types.js';
import { caseWith, comparisonOf, systemWith } from './comparison.test.helpers.js';
import { supportedBest, testPairs } from './pairs.js';
import { comparisonStatistics } from './result.js';

interface Golden {
  patients: string[];
  systems: Record<string, (number | null)[]>;
  summaries: Record<
    string,
    {
      defined: number;
      undefined: number;
      mean: number;
      sd: number;
      median: number;
      q1: number;
      q3: number;
      drawnPatients: number[][];
      interval95: number[];
    }
  >;
  pairs: {
    system: string;
    reference: string;
    pairs: number;
    undefinedPairs: number;
    patients: number;
    meanDifference: number;
    pValue: number;
    holmOfFirst: number | null;
    holmOfAll: number;
  }[];
  holm: { pValues: number[]; adjusted: number[] };
  bootstrap: { values: number[]; interval95: number[] };
  exact19: { differences: number[]; pValue: number };
  masks: {
    spacingMm: [number, number, number];
    truth: string;
    prediction: string;
    hd95Mm: number;
    assdMm: number;
    surfaceDice2Mm: number;
    surfaceVoxels: number[];
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/comparison.json', import.meta.url), 'utf8'),
) as Golden;

const goldenCases = (id: string): CaseMetrics[] =>
  golden.systems[id].map((dice, n) => caseWith(`case-${n}`, golden.patients[n], dice));
const systems = Object.keys(golden.systems).map((id) => ({ id, cases: goldenCases(id) }));

describe('holm', () => {
  it('gives the reference values, ties and nulls included', () => {
    holm(golden.holm.pValues).forEach((p, n) => expect(p).toBeCloseTo(golden.holm.adjusted[n], 12));
    // By hand: 3 × 0.01, 2 × 0.03, then not below the one before.
    expect(holm([0.04, null, 0.01, 0.03])).toEqual([0.06, null, 0.03, 0.06]);
    expect(holm([0.5, 0.9])).toEqual([1, 1]);
    expect(holm([null])).toEqual([null]);
  });
});

describe('paired tests', () => {
  it.each(golden.pairs.map((pair) => [`${pair.system} against ${pair.reference}`, pair] as const))(
    'agree with scipy: %s',
    (_, expected) => {
      const found = testPairs(systems, ['tumour']).filter((pair) => pair.metric === 'dice');
      expect(found).toHaveLength(3);
      const pair = found.find((entry) => entry.system === expected.system && entry.reference === expected.reference);
      expect(pair).toMatchObject({
        pairs: expected.pairs,
        undefinedPairs: expected.undefinedPairs,
        patients: expected.patients,
        exact: true,
        unpairedCases: 0,
      });
      expect(pair?.meanDifference).toBeCloseTo(expected.meanDifference, 12);
      expect(pair?.pValue).toBeCloseTo(expected.pValue, 12);
      expect(pair?.holmAllPairs).toBeCloseTo(expected.holmOfAll, 12);
    },
  );

  it('are exact for 19 patients, as scipy over all 524 288 patterns', () => {
    const result = pairedDifferences(golden.exact19.differences.map((d) => [d]));
    expect(result.exact).toBe(true);
    expect(result.pValue).toBeCloseTo(golden.exact19.pValue, 12);
  });

  it('adjust over the table: all metrics against the first system', () => {
    const found = testPairs(systems, ['tumour']);
    const family = found.filter((pair) => pair.reference === 'first');
    expect(family.map((pair) => pair.metric)).toEqual([
      'dice',
      'dice',
      'sensitivity',
      'sensitivity',
      'specificity',
      'specificity',
    ]);
    const adjusted = holm(family.map((pair) => pair.pValue));
    expect(family.map((pair) => pair.holm)).toEqual(adjusted);
    // 6 × 0.0625, not 2 × 0.0625 as for Dice alone.
    expect(family[0].holm).toBeCloseTo(0.375, 12);
    expect(found.filter((pair) => pair.reference !== 'first').every((pair) => pair.holm === null)).toBe(true);
  });

  it('take common cases only and count the others', () => {
    const [first, second] = systems;
    const pair = testPairs([first, { ...second, cases: second.cases.slice(0, 4) }], ['tumour'])[0];
    expect(pair).toMatchObject({ pairs: 4, patients: 3, unpairedCases: 3 });
    const apart = testPairs([first, { id: 'other', cases: [caseWith('x', 'x', 1)] }], ['tumour'])[0];
    expect(apart).toMatchObject({ pairs: 0, pValue: null, meanDifference: null, unpairedCases: 8, holm: null });
  });
});

describe('supportedBest', () => {
  const values = (shift: number): { id: string; cases: CaseMetrics[] } => ({
    id: `s${shift}`,
    cases: Array.from({ length: 10 }, (_, n) => caseWith(`c${n}`, `p${n}`, 0.5 + 0.01 * n + shift)),
  });
  it('names a system only when it is better than every other one with support', () => {
    const three = [values(0), values(0.1), values(0.2)];
    const ids = three.map((system) => system.id);
    expect(supportedBest(testPairs(three, ['tumour']), ids, 'tumour', 'dice')).toBe('s0.2');
    expect(supportedBest(testPairs(three, ['tumour']), ids, 'tumour', 'specificity')).toBeNull();
    // As good as another one: nobody is best, although two beat the first.
    const tied = [values(0), values(0.2), { ...values(0.2), id: 'twin' }];
    const tests = testPairs(tied, ['tumour']);
    expect(tests[0].holmAllPairs).toBeLessThan(0.05);
    expect(
      supportedBest(
        tests,
        tied.map((system) => system.id),
        'tumour',
        'dice',
      ),
    ).toBeNull();
  });
});

describe('bootstrap', () => {
  it.each(Object.keys(golden.systems))('replays the draws of numpy: %s', (id) => {
    const expected = golden.summaries[id];
    const items = goldenCases(id).flatMap((item) => {
      const { dice } = item.classes[0].metrics;
      return dice === null ? [] : [{ patient: item.patient, dice }];
    });
    const groups = groupBy(items, (item) => item.patient).map((group) => group.map((item) => item.dice));
    const numbers = expected.drawnPatients.flat().map((index) => (index + 0.5) / groups.length);
    let next = 0;
    const interval = bootstrapInterval(groups, mean, {
      draws: expected.drawnPatients.length,
      random: () => numbers[next++],
    });
    expect(next).toBe(numbers.length);
    expect(interval?.[0]).toBeCloseTo(expected.interval95[0], 12);
    expect(interval?.[1]).toBeCloseTo(expected.interval95[1], 12);
  });

  it('is near the percentile interval of scipy', () => {
    const interval = bootstrapInterval(
      golden.bootstrap.values.map((value) => [value]),
      mean,
      { draws: 20_000 },
    );
    // Monte Carlo error of a percentile of 20 000 draws: below 0.0003 here.
    expect(Math.abs((interval?.[0] ?? 0) - golden.bootstrap.interval95[0])).toBeLessThan(6e-4);
    expect(Math.abs((interval?.[1] ?? 0) - golden.bootstrap.interval95[1])).toBeLessThan(6e-4);
  });
});

describe('surface distances', () => {
  it.each(golden.masks.map((item) => [item.spacingMm.join('×'), item] as const))(
    'agree with brute force over all pairs: %s mm',
    (_, item) => {
      const read = (text: string): ReturnType<typeof labelMap> =>
        labelMap([11, 9, 6], item.spacingMm, (x, y, z) => Number(text[x + 11 * (y + 9 * z)]));
      const options = { tolerancesMm: { 1: 2 } };
      const [entry] = evaluateCase(read(item.truth), read(item.prediction), lesionOnly, options).classes;
      expect([entry.surface?.truthVoxels, entry.surface?.predictionVoxels]).toEqual(item.surfaceVoxels);
      expect(entry.metrics.hd95Mm).toBeCloseTo(item.hd95Mm, 5);
      expect(entry.metrics.assdMm).toBeCloseTo(item.assdMm, 5);
      expect(entry.metrics.surfaceDice).toBeCloseTo(item.surfaceDice2Mm, 10);
    },
  );
});

describe('comparisonStatistics', () => {
  const comparison = comparisonOf(Object.keys(golden.systems).map((id) => systemWith(id, goldenCases(id))));
  const statistics = comparisonStatistics(comparison, { draws: 100 });

  it.each(Object.keys(golden.systems))('summarises as numpy, undefined cases counted: %s', (id) => {
    const expected = golden.summaries[id];
    const { dice } = statistics.systems.find((system) => system.id === id)?.summary.regions[0].metrics ?? {};
    expect(dice).toMatchObject({ definedCases: expected.defined, undefinedCases: expected.undefined });
    for (const key of ['mean', 'sd', 'median', 'q1', 'q3'] as const) {
      expect(dice?.[key], key).toBeCloseTo(expected[key], 12);
    }
  });

  it('lists every case with its fold and the mean over the systems that have a value', () => {
    expect(statistics.cases.map((row) => [row.name, row.fold])).toEqual([
      ['case-0', 0],
      ['case-2', 0],
      ['case-4', 0],
      ['case-6', 0],
      ['case-1', 1],
      ['case-3', 1],
      ['case-5', 1],
    ]);
    const five = statistics.cases.find((row) => row.name === 'case-5');
    expect(five?.dice.tumour).toEqual({ first: null, second: null, third: 0 });
    expect(five?.focusDice).toBe(0);
    expect(statistics.cases.find((row) => row.name === 'case-3')?.focusDice).toBeCloseTo(0.58, 12);
  });

  it('adds up costs', () => {
    expect(statistics.systems[0].cost).toEqual({
      trainingStepsPerFold: 100,
      trainingSeconds: 120,
      // 4 cases at 2 s, 3 at 3 s.
      secondsPerScan: 17 / 7,
      predictionPeakBytes: 1e9,
      trainingPeakBytes: 2e9,
    });
  });

  it('is plain JSON and the same each time', () => {
    expect(JSON.parse(JSON.stringify(statistics))).toEqual(statistics);
    expect(comparisonStatistics(comparison, { draws: 100 })).toEqual(statistics);
  });

  it('leaves out systems without cases, by name', () => {
    const some = comparisonOf([systemWith('a', goldenCases('first')), systemWith('b', [])], {
      leftOut: [{ id: 'c', reason: 'other code' }],
    });
    expect(comparisonStatistics(some, { draws: 10 })).toMatchObject({
      reference: 'a',
      systems: [{ id: 'a' }],
      leftOut: [
        { id: 'c', reason: 'other code' },
        { id: 'b', reason: 'no evaluated case' },
      ],
    });
  });

  it('refuses what does not fit together', () => {
    const cases = goldenCases('first');
    const twice = comparisonOf([systemWith('a', cases), systemWith('a', cases)]);
    expect(() => comparisonStatistics(twice)).toThrow(/two systems are called 'a'/);
    const moved = comparisonOf([systemWith('a', cases), systemWith('b', cases.slice(1))]);
    expect(() => comparisonStatistics(moved)).toThrow(/case-\d is in fold \d of a and in fold \d of b/);
    const lesion = cases.map((item) => caseWith(item.name, item.patient, 0.5, 'lesion'));
    const mixed = comparisonOf([systemWith('a', cases), systemWith('b', lesion)]);
    expect(() => comparisonStatistics(mixed)).toThrow(/evaluate all systems with the same classes/);
    expect(() => comparisonStatistics(comparisonOf([]))).toThrow(EvaluationError);
  });
});
