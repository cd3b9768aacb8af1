/**
 * What is found in a series, sorted by the list of defects: problems, which forbid to read it, and notes. A defect that
 * is to be repaired becomes a note that says so.
 */
import { type DefectKind, defects } from '@quickcolumn/defects';
import { repairHint } from '../repair.js';

export interface SeriesProblem {
  readonly kind: DefectKind;
  /** What, in which files or places. */
  readonly message: string;
  /** The repairs that exist, e.g. `tilt=shear or tilt=resample`. */
  readonly repair?: string;
}

export interface Findings {
  readonly problems: SeriesProblem[];
  /** What was assumed, repaired or only noticed, for people; without patient data. */
  readonly notes: string[];
  /** @param repaired what is done about it, where it was asked for: 'interpolated' */
  defect(kind: DefectKind, message: string, repaired?: string): void;
}

export function newFindings(): Findings {
  const problems: SeriesProblem[] = [];
  const notes: string[] = [];
  return {
    problems,
    notes,
    defect: (kind, message, repaired) => {
      if (repaired !== undefined) notes.push(`${message}; ${repaired}`);
      else if (defects[kind].outcome === 'noted') notes.push(message);
      else {
        const repair = repairHint(kind);
        problems.push({ kind, message, ...(repair === undefined ? {} : { repair }) });
      }
    },
  };
}
