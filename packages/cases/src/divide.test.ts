import { describe, expect, it } from 'vitest';
import type { ListedCase } from './case-list.js';
import { divideCases, divideListed } from './divide.js';
import { foldCases, splitCases } from './split.js';

const cases = Array.from({ length: 12 }, (_, i) => ({ name: `c${i}`, patient: `p${Math.floor(i / 2)}` }));
const names = (some: readonly { readonly name: string }[]): string[] => some.map(({ name }) => name);
const fraction = { kind: 'fraction', validation: 0.25 } as const;

describe('divideCases', () => {
  it('divides by share or by fold, with the seed', () => {
    expect(divideCases(cases, { seed: 3, data: { holdOut: [], split: fraction } })).toEqual(
      splitCases(cases, { seed: 3, testShare: 0.25 }),
    );
    const split = { kind: 'folds', folds: 3, fold: 2 } as const;
    expect(divideCases(cases, { seed: 3, data: { holdOut: [], split } })).toEqual(
      foldCases(cases, { seed: 3, folds: 3 })[2],
    );
  });

  it('trains on all cases where the share is 0, but on none that a list calls validation', () => {
    const all = { seed: 3, data: { holdOut: [], split: { kind: 'fraction', validation: 0 } } } as const;
    expect(divideCases(cases, all)).toEqual({ train: cases, test: [] });
    const chosen = cases.map((entry) => (entry.patient === 'p4' ? { ...entry, role: 'validation' as const } : entry));
    expect(names(divideCases(chosen, all).test)).toEqual(['c8', 'c9']);
  });

  it('leaves what is held out in neither part, and keeps roles', () => {
    const { train, test } = divideCases(cases, { seed: 3, data: { holdOut: ['c0', 'c1'], split: fraction } });
    expect(names([...train, ...test]).sort()).toEqual(names(cases).slice(2).sort());
    expect(test.length).toBeGreaterThan(0);
    const chosen = cases.map((entry) => (entry.patient === 'p4' ? { ...entry, role: 'validation' as const } : entry));
    const options = { seed: 3, data: { holdOut: ['c0', 'c1'], split: fraction } };
    expect(names(divideCases(chosen, options).test)).toEqual(['c8', 'c9']);
    expect(() => divideCases(cases, { seed: 3, data: { holdOut: ['c0'], split: fraction } })).toThrow(
      /both of patient/,
    );
  });
});

describe('divideListed', () => {
  const listed = (name: string, split: ListedCase['split']): ListedCase => ({
    name,
    imagePath: `${name}.nii`,
    labelPath: `${name}.nii`,
    patient: name,
    split,
  });
  const free = ['a', 'b', 'c', 'd'].map((name) => listed(name, 'train'));
  const data = { holdOut: ['a'], split: { kind: 'fraction', validation: 0.5 } } as const;

  it('takes the splits of the list as roles, and does not look at what is held out', () => {
    const pseudo = listed('x', 'train-only');
    const divided = divideListed([...free, pseudo], { seed: 2, data });
    expect(names(divided.train)).toContain('x');
    expect(names(divided.test)).toEqual(names(splitCases(free, { seed: 2, testShare: 0.5 }).test));
    const fixed = divideListed([...free, listed('v', 'validation')], { seed: 2, data });
    expect(names(fixed.test)).toEqual(['v']);
    expect(names(fixed.train)).toEqual(['a', 'b', 'c', 'd']);
  });
});
