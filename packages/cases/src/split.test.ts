import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CaseRole } from './dataset.js';
import { patientOf } from './patient.js';
import {
  foldCases,
  foldsByRole,
  holdOutCases,
  type PatientCase,
  type RoleCase,
  type Split,
  splitByRole,
  splitCases,
} from './split.js';

const covidNames = [
  ...Array.from({ length: 10 }, (_, i) => `coronacases_${String(i + 1).padStart(3, '0')}`),
  ...['10_85902_1', '10_85902_3', '14_85914_0', '27_86410_0', '29_86490_1', '29_86491_1'].map(
    (n) => `radiopaedia_${n}`,
  ),
  ...['36_86526_0', '40_86625_0', '4_85506_1', '7_85703_0'].map((n) => `radiopaedia_${n}`),
];
const covid = covidNames.map((name) => ({ name, patient: patientOf(name) }));
const msd = Array.from({ length: 63 }, (_, i) => ({ name: `lung_${i}`, patient: `lung_${i}` }));

const names = (cases: readonly PatientCase[]): string[] => cases.map((entry) => entry.name);

function expectNoSharedPatient(train: readonly PatientCase[], test: readonly PatientCase[]): void {
  const patients = new Set(train.map((entry) => entry.patient));
  for (const entry of test) expect(patients.has(entry.patient), entry.name).toBe(false);
}

describe('splitCases', () => {
  it('gives 16/4 and 50/13 for the two datasets, whatever the seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const split = splitCases(covid, { seed });
      expect([split.train.length, split.test.length]).toEqual([16, 4]);
      expectNoSharedPatient(split.train, split.test);
      expect(splitCases(msd, { seed }).test).toHaveLength(13);
    }
  });

  it('depends on the seed and not on the order of the cases', () => {
    const sets = [1, 2, 3].map((seed) => names(splitCases(covid, { seed }).test).sort().join());
    expect(new Set(sets).size).toBe(3);
    expect(
      names(splitCases([...covid].reverse(), { seed: 1 }).test)
        .sort()
        .join(),
    ).toBe(sets[0]);
  });

  it('keeps a patient on each side, or says that it cannot', () => {
    const two = ['a1', 'a2', 'b1', 'b2'].map((name) => ({ name, patient: name[0] }));
    const split = splitCases(two, { seed: 5, testShare: 0.2 });
    expect(split.test).toHaveLength(2);
    expectNoSharedPatient(split.train, split.test);
    expect(() => splitCases(two.slice(0, 2), { seed: 5 })).toThrow(/at least 2 patients, the dataset has 1/);
  });
});

describe('foldCases', () => {
  it('puts every case in one test set, patients together, sizes even', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { minLength: 30, maxLength: 60 }), fc.nat(), (patients, seed) => {
        const cases = patients.map((patient, i) => ({ name: `case${i}`, patient: `p${patient}` }));
        fc.pre(new Set(patients).size >= 5);
        const folds = foldCases(cases, { seed, folds: 5 });
        expect(folds.flatMap((fold) => names(fold.test)).sort()).toEqual(names(cases).sort());
        for (const { train, test } of folds) {
          expect(train.length + test.length).toBe(cases.length);
          expect(test.length).toBeGreaterThan(0);
          expectNoSharedPatient(train, test);
        }
      }),
      { numRuns: 50 },
    );
    expect(foldCases(covid, { seed: 1, folds: 5 }).map((fold) => fold.test.length)).toEqual([4, 4, 4, 4, 4]);
  });

  it('refuses more folds than patients', () => {
    expect(() => foldCases(covid, { seed: 1, folds: 19 })).toThrow(/19 folds needs at least 19 patients/);
    expect(() => foldCases(covid, { seed: 1, folds: 1 })).toThrow(/folds is 1/);
  });
});

describe('holdOutCases', () => {
  it('holds out exactly the named cases', () => {
    const split = holdOutCases(covid, ['coronacases_003', 'radiopaedia_4_85506_1']);
    expect(names(split.test)).toEqual(['coronacases_003', 'radiopaedia_4_85506_1']);
    expect(split.train).toHaveLength(18);
  });

  it('refuses unknown names, split patients and an empty training set', () => {
    expect(() => holdOutCases(covid, ['corona'])).toThrow(/no case is named corona/);
    expect(() => holdOutCases(covid, ['radiopaedia_29_86490_1'])).toThrow(
      /86490_1 and radiopaedia_29_86491_1 are both/,
    );
    expect(() => holdOutCases(covid, covidNames)).toThrow(/no case is left/);
  });
});

describe('splitByRole', () => {
  const half = <T extends PatientCase>(cases: readonly T[]): Split<T> => splitCases(cases, { seed: 4, testShare: 0.5 });
  const one = (name: string, role?: CaseRole, patient: string = name): RoleCase => ({
    name,
    patient,
    ...(role && { role }),
  });

  it('never validates on train-only cases or their patients, and divides the others as without them', () => {
    const free = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => one(name));
    const pseudo = ['x', 'y', 'z'].map((name) => one(name, 'train-only'));
    const split = splitByRole([...free, ...pseudo], half);
    expect(names(split.test)).toEqual(names(half(free).test));
    expect(names(split.train)).toEqual([...names(half(free).train), 'x', 'y', 'z']);
    const bound = half(free).test[0];
    const twin = one('twin', 'train-only', bound.patient);
    expect(names(splitByRole([...free, twin], half).test)).not.toContain(bound.name);
    expect(splitByRole(free, half)).toEqual(half(free));
    expect(() => splitByRole([one('a', 'train-only')], half)).toThrow('every patient has a train-only case');
  });

  it('takes the validation cases that a list names, and no others', () => {
    const cases = [one('a'), one('b', 'validation'), one('c', 'train-only'), one('d')];
    const split = splitByRole(cases, () => {
      throw new Error('not to be divided');
    });
    expect(names(split.test)).toEqual(['b']);
    expect(names(split.train)).toEqual(['a', 'c', 'd']);
    expect(() => splitByRole([...cases, one('e', 'train-only', 'b')], half)).toThrow(
      'patient b is in training (e) and in validation (b)',
    );
    expect(() => splitByRole([one('b', 'validation')], half)).toThrow('none is left to train');
  });

  it('makes folds whose tests have no role, nor patients of one that has', () => {
    const free = ['a', 'b', 'c', 'd'].map((name) => one(name));
    const cases = [...free, one('v', 'validation'), one('x', 'train-only'), one('twin', undefined, 'x')];
    const folds = foldsByRole(cases, { seed: 2, folds: 2 });
    expect(folds.flatMap(({ test }) => names(test)).sort()).toEqual(['a', 'b', 'c', 'd']);
    for (const { train, test } of folds) {
      expect(names(train)).toEqual(names(cases).filter((name) => !names(test).includes(name)));
      expect(names(splitByRole(train, half).test)).toEqual(['v']);
    }
    expect(foldsByRole(free, { seed: 2, folds: 2 })).toEqual(foldCases(free, { seed: 2, folds: 2 }));
  });
});
