/** Charts, overlays and the report page. */
import { describe, expect, it } from 'vitest';
import { GridMismatchError, type Volume } from '@quickcolumn/volume';
import { niceTicks } from './chart-parts.js';
import { boxPlot, lineChart } from './charts.js';
import { evaluateCase } from '../metrics/metrics.js';
import { drawOverlay, drawPanels, renderOverlay, sliceWithMost } from '../overlay/overlay.js';
import { buildReport } from './report.js';
import { summarize } from '../statistics/summary.js';
import { labelMap, lungClasses } from '../label-maps.test.helpers.js';

describe('charts', () => {
  it('chooses round ticks that cover the range', () => {
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(0.13, 4.76, 5)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(niceTicks(3, 3, 5).length).toBeGreaterThan(1);
  });

  it('draws one path a series, breaks it at gaps and thins long ones', () => {
    const chart = lineChart(
      [
        {
          name: 'a',
          points: [
            [0, 1],
            [1, 2],
            [2, Number.NaN],
            [3, 1],
          ],
        },
        { name: 'b', points: Array.from({ length: 45_000 }, (_, n) => [n, 1 / (n + 1)] as const) },
      ],
      { title: 'x < y', yScale: 'log' },
    );
    const paths = [...chart.matchAll(/<path d="([^"]*)"/g)].map((match) => match[1]);
    expect(paths).toHaveLength(2);
    expect(paths[0].match(/M/g)).toHaveLength(2);
    expect(paths[1].match(/L/g)?.length).toBeLessThan(500);
    expect(chart).toContain('x &lt; y');
    expect(chart).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('turns names that do not fit side by side and keeps thin lines out of the legend', () => {
    const groups = (name: string): { name: string; values: number[] }[] =>
      Array.from({ length: 8 }, (_, n) => ({ name: `${name} ${n}`, values: [0.5] }));
    expect(boxPlot(groups('a'), { title: 't' })).not.toContain('rotate(-30');
    expect(boxPlot(groups('a long name'), { title: 't' }).match(/rotate\(-30/g)).toHaveLength(8);
    const line = { name: 'folds', points: [[0, 1] as const, [1, 2] as const], color: '#123456' };
    const chart = lineChart([{ ...line, faint: true }, line, { ...line, name: 'other' }], { title: 't' });
    expect(chart.match(/<path /g)).toHaveLength(3);
    expect(chart.match(/>folds</g)).toHaveLength(1);
  });

  it('survives no values, one value and equal values', () => {
    for (const values of [[], [0.5], [0.5, 0.5, 0.5]]) {
      const charts = [
        boxPlot([{ name: 'g', values }], { title: 't' }),
        lineChart([{ name: 'g', points: values.map((v, n) => [n, v] as const) }], { title: 't' }),
      ];
      for (const chart of charts) expect(chart).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe('overlay', () => {
  // RAS storage: x to the right, y to anterior. A bright spot at the patient's right-anterior corner.
  const size = [20, 20, 6] as const;
  const ras: Volume<Int16Array> = {
    ...labelMap(size, [1, 1, 2], () => 0),
    voxels: Int16Array.from({ length: 2400 }, (_, i) => (i % 20 >= 15 && Math.floor(i / 20) % 20 >= 15 ? 150 : -1350)),
  };
  const labels = labelMap(size, [1, 1, 2], (x, y, z) => (z === 4 && x < 5 && y < 5 ? 3 : z === 1 && x > 4 ? 1 : 0));

  it('picks the slice with the most infection', () => {
    expect(sliceWithMost([labels], 3)).toBe(4);
    expect(sliceWithMost([labels], 2)).toBe(1);
    expect(sliceWithMost([labelMap(size, [1, 1, 2], () => 0)], 3)).toBe(3);
  });

  it("shows the patient's right on the left and anterior up, with the class colour in the label panels", () => {
    const overlay = drawOverlay(ras, { truth: labels, prediction: labels }, lungClasses, { panelWidth: 40 });
    expect([overlay.width, overlay.height, overlay.slice]).toEqual([132, 40, 4]);
    const pixel = (x: number, y: number): number[] =>
      Array.from(overlay.rgb.subarray((y * 132 + x) * 3, (y * 132 + x) * 3 + 3));
    expect(pixel(2, 2)).toEqual([255, 255, 255]);
    expect(pixel(37, 2)).toEqual([0, 0, 0]);
    expect(pixel(2, 37)).toEqual([0, 0, 0]);
    // Infection at the left-posterior corner: bottom right of a panel, translucent over black.
    const [r, g, b] = pixel(46 + 35, 35);
    expect([r, g, b]).toEqual([77, 21, 18]);
    expect(pixel(46 + 2, 37)).toEqual([0, 0, 0]);
  });

  it('is the same picture for the same scan stored in another orientation', () => {
    // The same voxels as LPS with the axes in the order z, y, x.
    const turn = <T extends Int16Array | Uint8Array>(volume: Volume<T>): Volume<T> => {
      const voxels = volume.voxels.slice() as T;
      for (let z = 0; z < 6; z++) {
        for (let y = 0; y < 20; y++) {
          for (let x = 0; x < 20; x++) voxels[z + 6 * (19 - y + 20 * (19 - x))] = volume.voxels[x + 20 * (y + 20 * z)];
        }
      }
      return { voxels, size: [6, 20, 20], affine: [0, 0, -1, 19, 0, -1, 0, 19, 2, 0, 0, 0, 0, 0, 0, 1] };
    };
    const a = renderOverlay(ras, { prediction: labels }, lungClasses);
    const b = renderOverlay(turn(ras), { prediction: turn(labels) }, lungClasses);
    expect(b.slice).toBe(a.slice);
    expect(Array.from(a.pngBytes.subarray(1, 4))).toEqual([80, 78, 71]);
    expect(Buffer.from(b.pngBytes).equals(Buffer.from(a.pngBytes))).toBe(true);
    // Cut to the 5 × 5 labelled voxels with 2 mm around: 7 × 7 voxels in the corner of the scan.
    const cut = (image: Volume, map: Volume<Uint8Array>): ReturnType<typeof drawPanels> =>
      drawPanels(image, [{ name: 'map', labels: map }], lungClasses, { cropMarginMm: 2, panelWidth: 7 });
    const small = cut(ras, labels);
    expect([small.width, small.height, small.slice]).toEqual([7, 7, 4]);
    const colored = Array.from({ length: 49 }, (_, n) => small.panels[1][n * 3] > small.panels[1][n * 3 + 1]);
    expect(colored.map((on, n) => (on ? `${n % 7},${Math.floor(n / 7)}` : '')).filter((text) => text !== '')).toEqual(
      [2, 3, 4, 5, 6].flatMap((y) => [2, 3, 4, 5, 6].map((x) => `${x},${y}`)),
    );
    const turned = cut(turn(ras), turn(labels));
    expect(turned.panels.map((panel) => Array.from(panel))).toEqual(small.panels.map((panel) => Array.from(panel)));
  });

  it('refuses other grids and slices that do not exist', () => {
    const other = labelMap([20, 20, 5], [1, 1, 2], () => 0);
    expect(() => renderOverlay(ras, { prediction: other }, lungClasses)).toThrow(GridMismatchError);
    expect(() => renderOverlay(ras, { prediction: labels }, lungClasses, { slice: 6 })).toThrow(/from 0 to 5/);
  });
});

describe('report', () => {
  const map = labelMap([12, 6, 4], [1, 1, 2], (x) => (x < 4 ? 1 : x > 8 ? 2 : x === 6 ? 3 : 0));
  const cases = [evaluateCase(map, map, lungClasses, { name: '<script>alert("c")</script>' })];
  const page = buildReport({
    title: 'Quick & <b>dirty</b>',
    summary: summarize(cases, { draws: 20 }),
    cases,
    classes: lungClasses,
    history: [
      { epoch: 1, loss: 4.7, validationLoss: 4.9, learningRate: 1e-3, softDice: [0.9, 0.1, 0.1, 0.05] },
      { epoch: 2, loss: 3.1, validationLoss: null, learningRate: 1e-4, softDice: [0.95, 0.4, 0.5, 0.1] },
    ],
    overlays: [{ caption: 'slice "2" <of> 4', pngBytes: new Uint8Array([137, 80, 78, 71]) }],
    config: 'train: { patch: [96, 96, 48] } # <i>',
  });

  it('escapes every text and needs nothing from outside', () => {
    expect(page).toContain('<title>Quick &amp; &lt;b&gt;dirty&lt;/b&gt;</title>');
    expect(page).toContain('&lt;script&gt;alert(&quot;c&quot;)&lt;/script&gt;');
    expect(page).toContain('alt="slice &quot;2&quot; &lt;of&gt; 4"');
    expect(page).toContain('# &lt;i&gt;');
    expect(page).not.toMatch(/<script|<b>|<i>/);
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<link|url\(/);
    expect(page).not.toMatch(/NaN|\bnull\b|\[object/);
  });

  it('has the banner, the tables, the curves, the pictures and the configuration', () => {
    expect(page).toContain('Research use only, not a medical device');
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page).toContain('src="data:image/png;base64,iVBORw=="');
    for (const heading of ['Summary', 'Training', 'Overlays', 'Cases', 'Configuration']) {
      expect(page).toContain(`<h2>${heading}</h2>`);
    }
    const bare = buildReport({ title: 't', summary: summarize(cases, { draws: 5 }), cases });
    expect(bare).not.toContain('<h2>Training</h2>');
  });

  it('shows the warnings of a mask beside its case and picture, and says where there were none', () => {
    const report = (doubts?: readonly string[]): string =>
      buildReport({
        title: 't',
        summary: summarize(cases, { draws: 5 }),
        cases: cases.map((one) => ({ ...one, name: 'a', ...(doubts && { doubts }) })),
        overlays: [{ caption: 'a, slice 4', pngBytes: new Uint8Array([137, 80, 78, 71]), doubts }],
      });
    const doubted = report(['no <left> lung', '40 % outside']);
    expect(doubted).toContain('<ul><li>a: no &lt;left&gt; lung</li><li>a: 40 % outside</li></ul>');
    expect(doubted).toContain(
      '<figcaption>a, slice 4<br>Warning: no &lt;left&gt; lung<br>Warning: 40 % outside</figcaption>',
    );
    expect(report([])).toContain('No warning was given for any of these masks.');
    // Masks of other programs, and of earlier versions.
    expect(report()).not.toMatch(/warning/i);
  });

  it('shows a loss with a spike on a logarithmic scale', () => {
    const curve = (validationLoss: number): string =>
      buildReport({
        title: 't',
        summary: summarize(cases, { draws: 5 }),
        cases,
        history: [
          { epoch: 1, loss: 4.7, validationLoss, learningRate: 1e-3 },
          { epoch: 2, loss: 3.1, validationLoss: 3.3, learningRate: 1e-3 },
        ],
      });
    const loss = (html: string): string | undefined => /aria-label="Loss".*?<\/svg>/s.exec(html)?.[0];
    expect(loss(curve(4000))).toContain('>1e4<');
    expect(loss(curve(40))).not.toContain('>100<');
  });

  it('has no tables without rows where nothing was measured, and says so', () => {
    const summary = { cases: 0, patients: 0, bootstrap: { draws: 0, seed: 0, over: 'patients' as const }, regions: [] };
    const history = [1, 2].map((epoch) => ({ epoch, loss: 1 / epoch }));
    const bare = buildReport({ title: 'Training', summary, cases: [], history, config: 'a: 1' });
    expect(bare).toContain('No case was measured for this report.');
    expect(bare).not.toMatch(/<table|0 cases|Bracket|Dice by class/);
    expect(bare).toContain('<h2>Training</h2>');
    expect(bare).toContain('<h2>Configuration</h2>');
  });
});
