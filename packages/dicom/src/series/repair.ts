/**
 * The defects of a series that can be repaired, and how; the list of defects says which there are. Every repair changes
 * or invents data, so none happens unless it is asked for by name; without, the series is refused and the message names
 * the option.
 */
import { type DefectKind, defectKinds, defects } from '@quickcolumn/defects';
import { QuickcolumnError } from '@quickcolumn/errors';

/** What to do about defects; one that is not named is refused. */
export interface SeriesRepair {
  /** Files beside the slices that are damaged are left out, and slices whose pixels cannot be decoded. */
  readonly damaged?: 'drop';
  /** Planes that are missing between others are interpolated linearly. */
  readonly missing?: 'interpolate';
  /** Of several slices at one place, take that of the first whole acquisition; `identical`: only if all agree. */
  readonly duplicates?: 'first' | 'identical';
  /** Unevenly spaced planes are interpolated linearly onto the median spacing. */
  readonly uneven?: 'resample';
  /** A tilted gantry: keep the voxels and state the sheared grid, or shift the planes onto an upright grid. */
  readonly tilt?: 'shear' | 'resample';
  /** Leave out scout views. */
  readonly localizer?: 'drop';
}

/** 'missing=interpolate' and so on; none for what cannot be repaired. */
function choicesOf(kind: DefectKind): readonly string[] {
  const { consent } = defects[kind];
  return consent?.option === 'repair' ? consent.values : [];
}

/** 'tilt=shear or tilt=resample', for lists; undefined for what cannot be repaired. */
export function repairHint(kind: DefectKind): string | undefined {
  const choices = choicesOf(kind);
  return choices.length === 0 ? undefined : choices.join(' or ');
}

/**
 * The options of a job that would let a series with these defects pass, each with its effect, for the fields of an error;
 * none where one of them cannot be repaired, because repairing the others would not help.
 */
export function repairOptions(
  problems: readonly { readonly kind: DefectKind; readonly repair?: string }[],
): Readonly<Record<string, string>> {
  if (problems.some(({ repair }) => repair === undefined)) return {};
  const choices = [...new Set(problems.map(({ kind }) => kind))].map(choicesOf);
  if (choices.length === 0) return {};
  const [only] = choices;
  const alternatives = choices.length === 1 ? only : [choices.map(([first]) => first).join(',')];
  return Object.fromEntries(
    alternatives.map((choice) => [`repair ${choice}`, choice.endsWith('=drop') ? 'leave them out' : 'repair it']),
  );
}

/** Parses 'missing=interpolate,tilt=shear'. Throws QuickcolumnError `usage` naming what exists. */
export function parseRepair(list: string): SeriesRepair {
  const all = defectKinds.flatMap(choicesOf);
  const repair: Record<string, string> = {};
  for (const entry of list.split(',')) {
    const [kind, choice] = entry.split('=').map((part) => part.trim());
    if (!all.includes(`${kind}=${choice}`)) {
      throw new QuickcolumnError(
        'usage',
        `repair: '${entry}' does not exist; expected one or more of ${all.join(', ')}`,
      );
    }
    repair[kind] = choice;
  }
  return repair;
}
