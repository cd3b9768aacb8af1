/** What only shows between cases: duplicates, patients on both sides of a split, mixed intensity scales. */
import { type CaseFacts, type Finding, findingOf } from './report.js';

/** Findings between cases. */
export function acrossCases(facts: readonly CaseFacts[]): Finding[] {
  return [...duplicates(facts), ...dividedPatients(facts), ...mixedScales(facts)];
}

const sideNames = ['train', 'validation', 'test'] as const;

/** The side of a split that a case is on. */
function sideOf({ split }: CaseFacts): (typeof sideNames)[number] {
  return split === 'train-only' ? 'train' : split;
}

function duplicates(facts: readonly CaseFacts[]): Finding[] {
  return groupsOf(facts, ({ voxelSha256 }) => voxelSha256).map((group): Finding => {
    const sides = new Set(group.map(sideOf));
    const patients = new Set(group.map(({ patient }) => patient));
    const list = names(group).join(', ');
    const where =
      sides.size > 1
        ? `in ${sideNames.filter((side) => sides.has(side)).join(' and ')}: the numbers of such a test are worth nothing`
        : patients.size > 1
          ? `as patients ${[...patients].join(', ')}: a split may divide them`
          : 'as one patient: it weighs twice in training';
    const kind = patients.size > 1 || sides.size > 1 ? 'duplicate' : 'repeated';
    return findingOf(kind, names(group), `${list}: the same voxels, ${where}`);
  });
}

function dividedPatients(facts: readonly CaseFacts[]): Finding[] {
  return groupsOf(facts, ({ patient }) => patient)
    .filter((group) => new Set(group.map(sideOf)).size > 1)
    .map((group) => {
      const on = (side: string): string => names(group.filter((fact) => sideOf(fact) === side)).join(', ');
      const sides = sideNames.filter((side) => on(side) !== '').map((side) => `in ${side} (${on(side)})`);
      const message = `patient ${group[0].patient} is ${sides.join(' and ')}`;
      return findingOf('divided-patient', names(group), message);
    });
}

function mixedScales(facts: readonly CaseFacts[]): Finding[] {
  const windowed = facts.filter(({ scale }) => scale === '0-255');
  if (windowed.length === 0 || windowed.length === facts.length) return [];
  const message =
    `${windowed.length} of ${facts.length} scans are in 0–255, the others in HU: ${names(windowed).join(', ')}. ` +
    'Each is treated by its own scale; the 0–255 ones have lost intensity information';
  return [findingOf('mixed-scales', names(windowed), message)];
}

function groupsOf(facts: readonly CaseFacts[], keyOf: (fact: CaseFacts) => string): CaseFacts[][] {
  const groups = new Map<string, CaseFacts[]>();
  for (const fact of facts) groups.set(keyOf(fact), [...(groups.get(keyOf(fact)) ?? []), fact]);
  return [...groups.values()].filter((group) => group.length > 1);
}

function names(facts: readonly CaseFacts[]): string[] {
  return facts.map(({ name }) => name);
}
