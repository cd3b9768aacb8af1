/**
 * Train/test splits (spec section 2): seeded, counted in cases, grouped by patient. A split depends on the seed, the
 * set of case names and their patients, not on the order in which a folder listed them.
 */
import { createRandom } from '@quickcolumn/random';
import type { CaseRole } from './dataset.js';
import { DatasetError } from './dataset-error.js';

/** What splitting needs of a case. */
export interface PatientCase {
  readonly name: string;
  readonly patient: string;
}

/** A case of which a list may say what it is for. */
export interface RoleCase extends PatientCase {
  readonly role?: CaseRole;
}

export interface Split<T extends PatientCase> {
  readonly train: readonly T[];
  readonly test: readonly T[];
}

/** The cases of each patient, patients in seeded random order. */
function shuffledPatients<T extends PatientCase>(cases: readonly T[], seed: number): T[][] {
  const groups = new Map<string, T[]>();
  for (const entry of [...cases].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const group = groups.get(entry.patient);
    if (group) group.push(entry);
    else groups.set(entry.patient, [entry]);
  }
  const patients = [...groups.keys()].sort();
  const order = createRandom({ seed, epoch: 0, sample: 0 }, 'split').permutation(patients.length);
  return order.map((i) => groups.get(patients[i]) ?? []);
}

function byTest<T extends PatientCase>(cases: readonly T[], test: ReadonlySet<string>): Split<T> {
  return {
    train: cases.filter((entry) => !test.has(entry.name)),
    test: cases.filter((entry) => test.has(entry.name)),
  };
}

/**
 * A random split with round(testShare · cases) test cases, or fewer where whole patients do not fit; at least one
 * patient on each side. With a share of 0 there are none. Throws DatasetError with fewer than two patients.
 */
export function splitCases<T extends PatientCase>(
  cases: readonly T[],
  options: { readonly seed: number; readonly testShare?: number },
): Split<T> {
  if (options.testShare === 0) return { train: cases, test: [] };
  const groups = shuffledPatients(cases, options.seed);
  requirePatients(groups.length, 2, 'a train/test split');
  const wanted = Math.max(1, Math.round((options.testShare ?? 0.2) * cases.length));
  const test = new Set<string>();
  let patients = 0;
  for (const group of groups) {
    if (test.size + group.length > wanted || patients === groups.length - 1) continue;
    for (const entry of group) test.add(entry.name);
    patients++;
  }
  // Every patient has more cases than were asked for: the smallest one is as close as it gets.
  if (patients === 0) {
    const smallest = groups.reduce((a, b) => (b.length < a.length ? b : a));
    for (const entry of smallest) test.add(entry.name);
  }
  return byTest(cases, test);
}

/** k splits; every case is in exactly one test set, and test sets differ by as few cases as whole patients allow. */
export function foldCases<T extends PatientCase>(
  cases: readonly T[],
  options: { readonly seed: number; readonly folds: number },
): Split<T>[] {
  const { seed, folds } = options;
  if (!Number.isInteger(folds) || folds < 2) {
    throw new DatasetError(`folds is ${folds}, expected a whole number of at least 2`);
  }
  const groups = shuffledPatients(cases, seed);
  requirePatients(groups.length, folds, `${folds} folds`);
  const tests = Array.from({ length: folds }, () => new Set<string>());
  // Largest patients first (the sort is stable, so ties keep their random order), each into the emptiest fold.
  for (const group of groups.sort((a, b) => b.length - a.length)) {
    const emptiest = tests.reduce((a, b) => (b.size < a.size ? b : a));
    for (const entry of group) emptiest.add(entry.name);
  }
  return tests.map((test) => byTest(cases, test));
}

/**
 * The split with exactly the named cases as test set. Throws DatasetError when a name is unknown, when nothing is
 * left to train on, or when a patient would lie on both sides.
 */
export function holdOutCases<T extends PatientCase>(cases: readonly T[], names: readonly string[]): Split<T> {
  const known = new Set(cases.map((entry) => entry.name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new DatasetError(`holdout: no case is named ${unknown.join(', ')}; there are ${[...known].join(', ')}`);
  }
  const split = byTest(cases, new Set(names));
  if (split.train.length === 0) throw new DatasetError('holdout: no case is left to train on; name fewer cases');
  for (const held of split.test) {
    const twin = split.train.find((entry) => entry.patient === held.patient);
    if (twin) {
      throw new DatasetError(
        `holdout: ${held.name} and ${twin.name} are both of patient ${held.patient}; hold out both or none`,
        { patient: held.patient },
      );
    }
  }
  return split;
}

/**
 * A split that keeps to the roles of the cases. Where there are validation cases they are the validation, and all
 * others are trained on. Otherwise `divide` splits the cases without a role; patients who have a train-only case stay
 * out of that and are trained on. Throws DatasetError when a patient would lie on both sides, or no case is divided.
 */
export function splitByRole<T extends RoleCase>(
  cases: readonly T[],
  divide: (free: readonly T[]) => Split<T>,
): Split<T> {
  const validation = cases.filter(({ role }) => role === 'validation');
  if (validation.length > 0) {
    const split = byTest(cases, new Set(validation.map(({ name }) => name)));
    if (split.train.length === 0)
      throw new DatasetError('every case is of the split validation; none is left to train');
    const held = new Map(validation.map(({ patient, name }) => [patient, name]));
    for (const { patient, name } of split.train) {
      const twin = held.get(patient);
      if (twin === undefined) continue;
      throw new DatasetError(
        `patient ${patient} is in training (${name}) and in validation (${twin}); move all or none`,
        { patient },
      );
    }
    return split;
  }
  const bound = new Set(cases.filter(({ role }) => role === 'train-only').map(({ patient }) => patient));
  if (bound.size === 0) return divide(cases);
  const free = cases.filter(({ patient }) => !bound.has(patient));
  if (free.length === 0) {
    throw new DatasetError('every patient has a train-only case; validation needs patients without one');
  }
  const { test } = divide(free);
  return byTest(cases, new Set(test.map(({ name }) => name)));
}

/**
 * Folds whose test cases have no role: cases of patients with a role are in every fold's training part, to be divided
 * there by `splitByRole`. Throws DatasetError as `foldCases` does.
 */
export function foldsByRole<T extends RoleCase>(
  cases: readonly T[],
  options: { readonly seed: number; readonly folds: number },
): Split<T>[] {
  const bound = new Set(cases.filter(({ role }) => role !== undefined).map(({ patient }) => patient));
  const free = cases.filter(({ patient }) => !bound.has(patient));
  return foldCases(free, options).map(({ test }) => byTest(cases, new Set(test.map(({ name }) => name))));
}

function requirePatients(count: number, needed: number, purpose: string): void {
  if (count < needed) {
    throw new DatasetError(`${purpose} needs at least ${needed} patients, the dataset has ${count}`);
  }
}
