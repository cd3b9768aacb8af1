/** What happens to each attribute: Table E.1-1 of PS3.15 and the attributes that are known to be harmless, as rules. */
import { harmlessTable } from './harmless-table.js';
import { profileTable } from './profile-table.js';

/** Actions of PS3.15, table E.1-1a. */
export type Action = 'X' | 'Z' | 'D' | 'U' | 'K' | 'X/D' | 'Z/D';

/** What may be kept beyond the basic profile (PS3.15, E.3): options of the standard by short names. */
export type KeptInformation = 'uids' | 'device' | 'institution' | 'patient' | 'descriptors';
export const keptInformation: readonly KeptInformation[] = ['uids', 'device', 'institution', 'patient', 'descriptors'];

export interface Rule {
  /** Possible value representations, the usual one first. */
  readonly vrs: readonly string[];
  readonly action: Action;
  /** The option that keeps the value in place of the action. */
  readonly option?: KeptInformation | 'dates';
}

function tagOf(group: string, element: string): number {
  return ((Number.parseInt(group, 16) << 16) | Number.parseInt(element, 16)) >>> 0;
}

function readTables(): ReadonlyMap<number, Rule> {
  const rules = new Map<number, Rule>();
  for (const block of harmlessTable.trim().split(/\n(?! )/)) {
    const [group, rows] = block.split(':');
    for (const row of rows.split(',')) {
      const [element, vrs] = row.trim().split(/\s+/);
      const action = vrs === 'UI' ? 'U' : 'K';
      rules.set(tagOf(group, element), { vrs: vrs.split('|'), action });
    }
  }
  for (const row of profileTable.trim().split('\n')) {
    const [tag, vrs, action, , option] = row.split(' ');
    const [group, element] = tag.split(',');
    rules.set(tagOf(group, element), {
      vrs: vrs.split('|'),
      action: action as Action,
      ...(option !== undefined && { option: option as Rule['option'] }),
    });
  }
  return rules;
}

const rules = readTables();

/** The rule of a standard attribute; undefined for one that is not known, which is removed as private ones are. */
export function ruleOf(tag: number): Rule | undefined {
  return rules.get(tag);
}
