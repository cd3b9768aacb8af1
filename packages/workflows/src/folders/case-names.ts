/**
 * `anonymize`: neutral names in place of those of cases and patients, which in hospitals say whose scan it is.
 *
 * Cases are renamed before anything is reported, so that tables, pages, file names and captions cannot tell. What else
 * holds names is cleared by name here: the paths of a configuration. Numbers follow the order of the names, so the same
 * folder gives the same numbers each time; which is which stands in the file of `anonymizeKey` alone.
 */
import { writeFileAtomic } from '@quickcolumn/io';
import { patientOf } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import type { CaseNaming } from '../jobs/parts.js';

interface NamedCase {
  readonly name: string;
  readonly patient?: string;
}

/** How cases are called in what a job writes and tells. */
export interface ShownNames {
  readonly anonymous: boolean;
  /** The case by its shown name and patient; files stay. */
  readonly shown: <T extends NamedCase>(entry: T) => T & { readonly patient: string };
  /** The configuration without paths and names. */
  readonly shownConfig: (config: TrainConfig) => TrainConfig;
  /** Writes the key, when it was asked for. */
  readonly writeKey: () => Promise<void>;
}

/** Names for these cases; without `anonymize` or a key they keep their own. */
export function shownNames(cases: readonly NamedCase[], { anonymize = false, anonymizeKey }: CaseNaming): ShownNames {
  const withPatient = <T extends NamedCase>(entry: T): T & { patient: string } => ({
    ...entry,
    patient: entry.patient ?? patientOf(entry.name),
  });
  if (!anonymize && anonymizeKey === undefined) {
    return {
      anonymous: false,
      shown: withPatient,
      shownConfig: (config) => config,
      writeKey: async () => {},
    };
  }
  const sorted = cases.map(withPatient).sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = numbered(
    sorted.map(({ name }) => name),
    'case',
  );
  const patients = numbered(
    sorted.map(({ patient }) => patient),
    'patient',
  );
  // A case that is not in the list (one that was held out) is not named at all.
  const nameOf = (name: string): string => names.get(name) ?? 'another case';
  return {
    anonymous: true,
    shown: (entry) => ({
      ...entry,
      name: nameOf(entry.name),
      patient: patients.get(withPatient(entry).patient) ?? 'another patient',
    }),
    shownConfig: (config) => {
      const { list, holdOut } = config.data;
      const hidden = 'not shown';
      return {
        ...config,
        ...(config.init && { init: { ...config.init, from: hidden } }),
        ...(config.distill && { distill: { ...config.distill, from: [hidden] } }),
        data: {
          ...config.data,
          list: list === null ? null : hidden,
          images: hidden,
          labels: hidden,
          patients: {},
          holdOut: holdOut.map(nameOf),
        },
      };
    },
    writeKey: async () => {
      if (anonymizeKey === undefined) return;
      const key = { cases: originals(names), patients: originals(patients) };
      await writeFileAtomic(anonymizeKey, `${JSON.stringify(key, null, 2)}\n`, { private: true });
    },
  };
}

/** Original → KIND-1, KIND-2, … in the order given. */
function numbered(originalNames: readonly string[], kind: string): Map<string, string> {
  return new Map([...new Set(originalNames)].map((name, i) => [name, `${kind}-${i + 1}`]));
}

function originals(names: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...names].map(([original, shown]) => [shown, original]));
}
