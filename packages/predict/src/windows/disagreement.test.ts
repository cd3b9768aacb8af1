/** Agreement and map of disagreement, against all members kept side by side in float64. */
import { describe, expect, it } from 'vitest';
import { covidClasses, msdClasses, type Size3 } from '@quickcolumn/volume';
import { agreementOf, createDisagreement } from './disagreement.js';
import { createMerger, type WindowWeighting } from './merge.js';
import { mirrored } from './mirror.js';
import { windowCorners, windowGrid } from './windows.js';

const size: Size3 = [11, 9, 7];
const patch: Size3 = [6, 4, 4];
const overlap: Size3 = [3, 2, 1];
const voxels = patch[0] * patch[1] * patch[2];

/** Two classes; class 1 has `value(window, voxel)`. */
function merged(
  value: (window: number, voxel: number) => number,
  { weighting, at = overlap }: { weighting?: WindowWeighting; at?: Size3 } = {},
): { agreement: readonly (number | null)[]; spread: Float32Array } {
  const grid = windowGrid(size, patch, { overlap: at });
  const disagreement = createDisagreement(2, voxels);
  const merger = createMerger(size, patch, { grid, classes: 2, weighting, disagreement });
  windowCorners(grid).forEach((corner, window) => {
    const one = Float32Array.from({ length: voxels }, (_, voxel) => value(window, voxel));
    const both = new Float32Array(2 * voxels);
    both.set(one.map((p) => 1 - p));
    both.set(one, voxels);
    merger.add(corner, both);
  });
  merger.finish();
  return { agreement: agreementOf(disagreement), spread: merger.spread([0, 0, 0], size, 1) };
}

/** The same from lists of what every window says of a voxel, and its weight. */
function reference(value: (window: number, voxel: number) => number, weighting: WindowWeighting) {
  const weightAt = (length: number, i: number): number =>
    weighting === 'uniform' ? 1 : Math.max(1e-3, Math.exp(-((i - (length - 1) / 2) ** 2) / (2 * (length / 8) ** 2)));
  const members = Array.from({ length: size[0] * size[1] * size[2] }, (): { p: number; w: number }[] => []);
  windowCorners(windowGrid(size, patch, { overlap })).forEach((corner, window) => {
    for (let voxel = 0; voxel < voxels; voxel++) {
      const inside = [
        voxel % patch[0],
        Math.floor(voxel / patch[0]) % patch[1],
        Math.floor(voxel / patch[0] / patch[1]),
      ];
      const [x, y, z] = inside.map((i, axis) => i + corner[axis]);
      const w = inside.reduce((product, i, axis) => product * weightAt(patch[axis], i), 1);
      members[x + size[0] * (y + size[1] * z)].push({ p: value(window, voxel), w });
    }
  });
  let [overlapSum, sum] = [0, 0];
  const spread = members.map((list) => {
    list.slice(1).forEach(({ p, w }, n) => {
      const before = list.slice(0, n + 1);
      const total = before.reduce((all, one) => all + one.w, 0);
      const mean = before.reduce((all, one) => all + one.w * one.p, 0) / total;
      const f = (w * total) / (w + total);
      overlapSum += f * p * mean;
      sum += f * (p + mean);
    });
    const total = list.reduce((all, one) => all + one.w, 0);
    const mean = list.reduce((all, one) => all + one.w * one.p, 0) / total;
    // Both classes have the same variance.
    return list.length === 1
      ? Number.NaN
      : Math.sqrt(list.reduce((all, { p, w }) => all + w * (p - mean) ** 2, 0) / total);
  });
  return { agreement: (2 * overlapSum) / sum, spread };
}

const noisy = (window: number, voxel: number): number => 0.5 + 0.49 * Math.sin(12.9 * window + 7.7 * voxel);

describe('windows', () => {
  it.each(['uniform', 'gaussian'] as const)('are compared as members kept side by side would be (%s)', (weighting) => {
    const { agreement, spread } = merged(noisy, { weighting });
    const expected = reference(noisy, weighting);
    expect(agreement[1]).toBeCloseTo(expected.agreement, 5);
    expected.spread.forEach((sd, at) => {
      if (Number.isNaN(sd)) expect(spread[at]).toBeNaN();
      else expect(spread[at]).toBeCloseTo(sd, 4);
    });
    expect(expected.spread.some(Number.isNaN)).toBe(true);
  });

  it('that are sure of the same agree fully, and differ nowhere', () => {
    const { agreement, spread } = merged(() => 1);
    expect(agreement[1]).toBeCloseTo(1, 12);
    expect(agreement[0]).toBeNull();
    expect(spread.filter((sd) => !Number.isNaN(sd)).every((sd) => sd === 0)).toBe(true);
  });

  it('that do not overlap are not compared', () => {
    const { agreement, spread } = merged(noisy, { at: [1, 0, 0] });
    const alone = createDisagreement(2);
    expect(agreementOf(alone)).toEqual([null, null]);
    // Where the last windows were moved back they do overlap.
    expect(agreement[1]).not.toBeNull();
    expect(spread.filter(Number.isNaN).length).toBeGreaterThan(size[0] * 4);
  });
});

describe('passes', () => {
  const one: Size3 = [2, 1, 1];
  const says = (...probabilities: number[]) => ({
    batch: 1,
    run: async () => Float32Array.from(probabilities),
    dispose: () => undefined,
  });

  it('of two models that say the opposite do not overlap and spread by a half', async () => {
    const members = [says(0, 1, 1, 0), says(1, 0, 0, 1)];
    const disagreement = createDisagreement(2, 2);
    const passes = mirrored({ ...says(), members }, { patch: one, axes: [], classes: msdClasses, disagreement });
    expect(passes.count).toBe(2);
    expect(Array.from(await passes.run(new Float32Array(2)))).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(agreementOf(disagreement)).toEqual([0, 0]);
    // Variance: 0.5² in each of two classes, halved.
    expect(Array.from(disagreement.ofPasses ?? [])).toEqual([0.25, 0.25]);
  });

  it('of three models that give 0.2, 0.5 and 0.8', async () => {
    const members = [0.2, 0.5, 0.8].map((p) => says(1 - p, 1 - p, p, p));
    const disagreement = createDisagreement(2, 2);
    await mirrored({ ...says(), members }, { patch: one, axes: [], classes: msdClasses, disagreement }).run(
      new Float32Array(2),
    );
    // f: 1/2 and 2/3; means before: 0.2 and 0.35.
    const expected = (2 * ((1 / 2) * 0.5 * 0.2 + (2 / 3) * 0.8 * 0.35)) / ((1 / 2) * 0.7 + (2 / 3) * 1.15);
    expect(agreementOf(disagreement)[1]).toBeCloseTo(expected, 6);
    expect(disagreement.ofPasses?.[0]).toBeCloseTo(0.06, 6);
  });

  it('of a network that sees the side agree after mirroring, lungs exchanged', async () => {
    // The first voxel is left lung, the second right lung: the same patient mirrored gives the mirrored answer.
    const sides = says(0, 0, 1, 0, 0, 1, 0, 0);
    const disagreement = createDisagreement(4);
    await mirrored(sides, { patch: one, axes: ['x'], classes: covidClasses, disagreement }).run(new Float32Array(2));
    expect(agreementOf(disagreement)).toEqual([null, 1, 1, null]);
  });

  it('over windows that only fill a batch are not counted', async () => {
    // Of two windows of two voxels the second one is not looked at.
    const member = { ...says(0.5, 0.5, 0, 1), batch: 2 };
    const disagreement = createDisagreement(1);
    const compiled = { ...member, members: [member, member] };
    await mirrored(compiled, { patch: one, axes: [], classes: msdClasses.slice(0, 1), disagreement }).run(
      new Float32Array(4),
      1,
    );
    expect(Array.from(disagreement.sum)).toEqual([1]);
    expect(agreementOf(disagreement)).toEqual([0.5]);
  });
});
