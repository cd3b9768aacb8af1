/**
 * Comparisons and cross-validations of an earlier version: finished folds are kept and reported as they are, the one
 * that was interrupted goes on, and all stand in one report.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Earlier,
  expectCases,
  expectLosses,
  hashesIn,
  lossesIn,
  type MeasuredCase,
  openEarlier,
} from './earlier.test.helpers.js';

interface Comparison {
  readonly leftOut: readonly object[];
  readonly systems: readonly {
    readonly id: string;
    readonly folds: readonly { readonly fold: number; readonly cases: MeasuredCase[] }[];
  }[];
}

/** What a finished fold came to; how its result is kept may change. */
const kept = ['result.json', 'identity.json', 'training.json'];

/** The lines that say that a fold is trained. */
const trainings = (stderr: string): string[] => stderr.split('\n').filter((line) => line.endsWith(': training'));

describe('of an earlier version', () => {
  let earlier: Earlier;

  beforeAll(async () => {
    earlier = await openEarlier(['comparison', 'cross-validation', 'comparison.yaml', 'cross-validation.yaml']);
  }, 120_000);
  afterAll(() => earlier.remove());

  const comparison = async (): Promise<Comparison> =>
    JSON.parse(await earlier.text('comparison', 'comparison.json')) as Comparison;

  it('the finished folds of a comparison are reported', async () => {
    const { quickcolumn, expected } = earlier;
    const { code, stderr } = await quickcolumn('compare', '--out', 'comparison', '--report-only');
    expect(stderr).toContain('left out: nnunet: fold-1 is not finished');
    expect(code).toBe(0);
    const { systems } = await comparison();
    expect(systems.map(({ id }) => id)).toEqual(expected.comparison.map(({ id }) => id));
    for (const [index, { folds }] of systems.entries()) {
      expect(folds.map(({ fold }) => fold)).toEqual([0]);
      expectCases(folds[0].cases, expected.comparison[index].folds[0].cases);
    }
  });

  it('a comparison goes on with the fold that was interrupted, and keeps the others', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    const folders = ['vb/fold-0', 'vb/fold-1', 'nnunet/fold-0', 'mirrored/fold-0'];
    const hashes = (): Promise<Record<string, string>[]> =>
      Promise.all(folders.map((folder) => hashesIn(at('comparison', 'systems', folder), kept)));
    const before = await hashes();
    const begun = await text('comparison', 'systems', 'nnunet', 'fold-1', 'history.jsonl');
    const { code, stderr } = await quickcolumn('compare', '--out', 'comparison', '--threads', '1');
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(trainings(stderr)).toEqual(['nnunet, fold-1 (2 of 2): training']);
    expect(await hashes()).toEqual(before);
    expect((await text('comparison', 'systems', 'nnunet', 'fold-1', 'history.jsonl')).startsWith(begun)).toBe(true);
    expect(existsSync(at('comparison', 'report.html'))).toBe(true);

    const { systems, leftOut } = await comparison();
    expect(leftOut).toEqual([]);
    for (const [index, { id, folds }] of expected.comparison.entries()) {
      expect(systems[index].id).toBe(id);
      expect(systems[index].folds).toHaveLength(folds.length);
      for (const [fold, { cases, losses }] of folds.entries()) {
        expectCases(systems[index].folds[fold].cases, cases);
        if (losses === undefined) continue;
        const history = await text('comparison', 'systems', id, `fold-${fold}`, 'history.jsonl');
        expectLosses(lossesIn(history), losses, 1e-5);
      }
    }
  });

  it('a cross-validation goes on likewise, and is an ensemble', async () => {
    const { quickcolumn, text, at, expected } = earlier;
    const before = await hashesIn(at('cross-validation', 'fold-0'), kept);
    const begun = await text('cross-validation', 'fold-1', 'history.jsonl');
    const { code, stderr } = await quickcolumn('cross-validate', '--out', 'cross-validation', '--threads', '1');
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(trainings(stderr)).toEqual(['model, fold-1 (2 of 2): training']);
    expect(await hashesIn(at('cross-validation', 'fold-0'), kept)).toEqual(before);
    expect((await text('cross-validation', 'fold-1', 'history.jsonl')).startsWith(begun)).toBe(true);
    for (const [fold, losses] of expected.crossValidation.losses.entries()) {
      expectLosses(lossesIn(await text('cross-validation', `fold-${fold}`, 'history.jsonl')), losses, 1e-5);
    }
    const { cases } = JSON.parse(await text('cross-validation', 'metrics.json')) as {
      cases: MeasuredCase[];
    };
    expectCases(cases, expected.crossValidation.cases);

    const scan = 'data/ct/phantom_0001.nii';
    const mask = await quickcolumn('predict', '--model', 'cross-validation', scan, '--out', 'mask.nii.gz');
    expect(mask.code).toBe(0);
    expect((JSON.parse(await text('mask.json')) as { ensemble: object[] }).ensemble).toHaveLength(2);
  });
});
