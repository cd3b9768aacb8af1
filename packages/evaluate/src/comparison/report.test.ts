/** The report page: what it says, what it must not say, its figures and files. */
import { GridMismatchError } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { labelMap, lungClasses } from '../label-maps.test.helpers.js';
import { evaluateCase } from '../metrics/metrics.js';
import { caseWith, comparisonOf, systemWith } from './comparison.test.helpers.js';
import { lossFigure } from './figures/curves.js';
import { chooseCases } from './figures/panels.js';
import { buildComparisonReport } from './report.js';
import { comparisonStatistics } from './result.js';

/** Ten patients; the shift moves the Dice of every case of a system. */
const tumour = (id: string, shift: number): ReturnType<typeof systemWith> =>
  systemWith(
    id,
    Array.from({ length: 10 }, (_, n) => caseWith(`case-${n}`, `p${n}`, n === 9 ? null : 0.5 + 0.02 * n + shift)),
  );

const size = [24, 10, 6] as const;
const truth = labelMap(size, [1, 1, 2], (x, _, z) => (x < 8 ? 1 : x > 15 ? 2 : x > 9 && z < 3 ? 3 : 0));
const image = { ...truth, voxels: Int16Array.from(truth.voxels, (v) => (v === 0 ? -1000 : -500)) };
const predicted = (lost: number): ReturnType<typeof labelMap> =>
  labelMap(size, [1, 1, 2], (x, _, z) => (x < 8 ? 1 : x > 15 ? 2 : x > 9 + lost && z < 3 ? 3 : 0));
const covid = (id: string, lost: number): ReturnType<typeof systemWith> =>
  systemWith(
    id,
    ['a', 'b', 'c'].map((name, n) => evaluateCase(truth, predicted(lost + n), lungClasses, { name })),
  );

describe('tables', () => {
  it('mark nothing as best without support and say the family of the adjustment', async () => {
    const { html, json } = await buildComparisonReport(comparisonOf([tumour('a', 0), tumour('b', 0.001)]), {
      draws: 50,
    });
    // Each difference is 0.001: supported against the first, two systems, ten patients.
    expect(json.tests[0]).toMatchObject({ pairs: 9, undefinedPairs: 1 });
    expect(json.best).toContainEqual({ region: 'tumour', metric: 'dice', system: 'b' });
    expect(html).toContain('adjusted over the 3 comparisons with System a');
    const noisy = systemWith(
      'b',
      Array.from({ length: 10 }, (_, n) => caseWith(`case-${n}`, `p${n}`, n % 2 === 0 ? 0.5 : 0.7)),
    );
    const other = await buildComparisonReport(comparisonOf([tumour('a', 0), noisy]), { draws: 50 });
    expect(other.json.best).toEqual([]);
    expect(other.html).toContain('No value is marked as best');
    expect(other.html.slice(other.html.indexOf('Table 3'), other.html.indexOf('Cost'))).not.toContain('<strong>');
  });

  it('set published values apart, and only those of the regions that exist', async () => {
    const { html, json } = await buildComparisonReport(comparisonOf([tumour('a', 0)]), { draws: 20 });
    expect(html).toContain('Table 3. Lung tumour (MSD)');
    expect(html).not.toContain('Table 2');
    expect(json.published.map((row) => row.dice)).toEqual(['0.8145', '0.672 ± 0.271']);
    expect(html.match(/<tr class="first published/g)).toHaveLength(2);
    expect(html).toContain('must not be compared with the rows above as equals');
    expect(html).toContain('9 (1)');
    const both = await buildComparisonReport(comparisonOf([covid('x', 0)], { classes: lungClasses }), { draws: 20 });
    expect(both.html.indexOf('Table 1. Lungs')).toBeLessThan(both.html.indexOf('Table 2. Infection'));
    expect(both.html).not.toContain('Table 3');
    expect(both.json.published.map((row) => row.table)).toEqual([
      'lungs',
      'lungs',
      'infection',
      'infection',
      'infection',
      'infection',
    ]);
  });

  it('warn where a system lacks cases', async () => {
    const partly = { ...tumour('b', 0.1), folds: tumour('b', 0.1).folds.slice(0, 1) };
    const { html } = await buildComparisonReport(comparisonOf([tumour('a', 0), partly]), { draws: 20 });
    expect(html).toContain('Not evaluated on every case: b; means over different cases cannot be compared');
    expect(html).toContain('up to 5 cases that only one of two systems has are left out');
    expect(html.match(/not evaluated</g)).toHaveLength(5);
    const full = await buildComparisonReport(comparisonOf([tumour('a', 0), tumour('b', 0)]), { draws: 20 });
    expect(full.html).not.toMatch(/not evaluated/i);
  });

  it('escape every text and need nothing from outside', async () => {
    const evil = '<script>alert("x")</script>';
    const odd = {
      ...tumour('a"<b>', 0),
      title: evil,
      settings: evil,
    };
    const { html } = await buildComparisonReport(
      comparisonOf([odd, tumour('b', 0)], {
        title: evil,
        budget: evil,
        identity: { data: evil, numerics: 1, compute: evil },
        leftOut: [{ id: evil, reason: evil }],
      }),
      { draws: 20 },
    );
    expect(html).not.toMatch(/<script|<b>/);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<link|url\(/);
    expect(html).not.toMatch(/NaN|Infinity|undefined<|>null|\[object/);
    expect(html).toContain('Research use only, not a medical device');
  });
});

describe('figures', () => {
  it('show best, median, worst and chosen cases, one in memory at a time', async () => {
    const systems = [covid('x', 0), covid('y', 1)];
    const comparison = comparisonOf(systems, { classes: lungClasses });
    const asked: string[] = [];
    let open = 0;
    const { figures, html } = await buildComparisonReport(comparison, {
      draws: 20,
      caseImages: async (name, ids) => {
        expect(open++).toBe(0);
        asked.push(`${name}:${ids.join('+')}`);
        await Promise.resolve();
        open--;
        return { image, truth, predictions: ids.map((id, n) => ({ id, labels: predicted(n) })) };
      },
    });
    expect(asked).toEqual(['a:x+y', 'b:x+y', 'c:x+y']);
    expect(figures.map((figure) => figure.name)).toEqual([
      'fig-1-loss',
      'fig-2-best-a',
      'fig-3-median-b',
      'fig-4-worst-c',
      'fig-5-box-lungs',
      'fig-6-box-infection',
      'fig-7-forest-lungs',
      'fig-8-forest-infection',
    ]);
    const [, best] = figures;
    expect(best.svg.match(/<image [^>]*href="data:image\/png;base64,iVBOR/g)).toHaveLength(4);
    for (const text of ['image', 'truth', 'x', 'y', 'DSC 1.000']) expect(best.svg).toContain(`>${text}</text>`);
    expect(Array.from(best.png?.subarray(1, 4) ?? [])).toEqual([80, 78, 71]);
    expect(figures.filter((figure) => figure.png !== undefined)).toHaveLength(3);
    for (const figure of figures) expect(html).toContain(figure.svg);
  });

  it('refuse a case that is not there, and predictions on another grid', async () => {
    const comparison = comparisonOf([covid('x', 0)], { classes: lungClasses });
    const statistics = comparisonStatistics(comparison, { draws: 5 });
    expect(() => chooseCases(statistics, ['nobody'])).toThrow(/no case 'nobody' to show; the comparison has a, c, b/);
    expect(chooseCases(statistics, ['b']).map((entry) => entry.why)).toEqual(['best', 'median', 'worst']);
    const other = labelMap([24, 10, 5], [1, 1, 2], () => 0);
    await expect(
      buildComparisonReport(comparison, {
        draws: 5,
        caseImages: () => Promise.resolve({ image, truth, predictions: [{ id: 'x', labels: other }] }),
      }),
    ).rejects.toThrow(GridMismatchError);
  });

  it('fill only markers that the test supports', async () => {
    const { figures } = await buildComparisonReport(
      comparisonOf([tumour('a', 0), tumour('b', 0.1), tumour('c', 0)], { leftOut: [] }),
      { draws: 50 },
    );
    const forest = figures.find((figure) => figure.name.includes('forest'))?.svg ?? '';
    expect(forest.match(/class="supported"/g)).toHaveLength(2);
    expect(forest.match(/class="open"/g)).toHaveLength(4);
  });

  it('give more than four systems a chart each on one scale', async () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map((id) => tumour(id, 0));
    const { figures } = await buildComparisonReport(comparisonOf(five), { draws: 5 });
    expect(figures[0].svg.match(/<svg /g)).toHaveLength(6);
    const few = await buildComparisonReport(comparisonOf(five.slice(0, 2)), { draws: 5 });
    expect(few.figures[0].svg.match(/<svg /g)).toHaveLength(1);
    // Two systems, each with training and validation: two folds and a mean.
    expect(few.figures[0].svg.match(/<path /g)).toHaveLength(12);
    expect(few.figures[0].svg).not.toContain('NaN');
  });
});

describe('loss curves', () => {
  it('average the folds only where every fold has a value, and skip systems without a history', () => {
    const losses = (values: readonly number[]): { epoch: number; loss: number }[] =>
      values.map((loss, n) => ({ epoch: n + 1, loss }));
    const [first, second] = tumour('a', 0).folds;
    const uneven = {
      ...tumour('a', 0),
      folds: [
        { ...first, history: losses([4, 2, 1]) },
        { ...second, history: losses([2, 0]) },
      ],
    };
    const { history: _, ...borrowed } = first;
    const svg = lossFigure([uneven, { ...tumour('b', 0), folds: [borrowed] }]) ?? '';
    const paths = [...svg.matchAll(/<path d="M([^"]*)"/g)].map((match) => match[1].split('L'));
    // Folds of three and two epochs, faint; their mean has two points, halfway between them.
    expect(paths.map((points) => points.length)).toEqual([3, 2, 2]);
    const heights = paths.map((points) => points.map((point) => Number(point.split(' ')[1])));
    expect(heights[2][0]).toBeCloseTo((heights[0][0] + heights[1][0]) / 2, 0);
    expect(heights[2][1]).toBeCloseTo((heights[0][1] + heights[1][1]) / 2, 0);
    expect(lossFigure([{ ...tumour('b', 0), folds: [borrowed] }])).toBeNull();
  });
});

describe('CSV', () => {
  it('has a row a fact and empty cells for undefined values', async () => {
    const { csv } = await buildComparisonReport(comparisonOf([tumour('a', 0), tumour('b', 0.1)]), { draws: 20 });
    const lines = (text: string): string[] => text.trimEnd().split('\r\n');
    expect(lines(csv.summary)).toHaveLength(1 + 2 * 11);
    expect(lines(csv.cases)).toHaveLength(1 + 20);
    expect(lines(csv.cases).find((line) => line.startsWith('a,1,case-9'))).toMatch(/^a,1,case-9,p9,tumour,1,both,,,/);
    expect(lines(csv.tests)).toHaveLength(1 + 3);
    // 9 pairs with one sign: 2 of 2^9 patterns; three tests in the table, one pair per metric.
    expect(lines(csv.tests)[1]).toMatch(/^tumour,dice,b,a,9,9,1,0,0\.1,.*,0\.00390625,true,0\.01171875,0\.00390625$/);
    expect(lines(csv.costs)[1]).toBe('a,1234567,12.3,2,100,120,2.5,1000000000,2000000000');
  });
});
