/**
 * The defects of a series that can be repaired, and how. Every repair changes or invents data, so none happens unless
 * it is asked for by name; without, the series is refused and the message names the option.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { DicomReason } from '../dicom-error.js';

/** What to do about defects; one that is not named is refused. */
export interface SeriesRepair {
  /** Planes that are missing between others are interpolated linearly. */
  readonly missing?: 'interpolate';
  /** Of several slices at one place, take the one with the lowest instance number; `identical`: only if all agree. */
  readonly duplicates?: 'first' | 'identical';
  /** Unevenly spaced planes are interpolated linearly onto the median spacing. */
  readonly uneven?: 'resample';
  /** A tilted gantry: keep the voxels and state the sheared grid, or shift the planes onto an upright grid. */
  readonly tilt?: 'shear' | 'resample';
  /** Leave out scout views. */
  readonly localizer?: 'drop';
}

const choices: Readonly<Record<keyof SeriesRepair, readonly string[]>> = {
  missing: ['interpolate'],
  duplicates: ['first', 'identical'],
  uneven: ['resample'],
  tilt: ['shear', 'resample'],
  localizer: ['drop'],
};

/** 'missing=interpolate or …' for messages; undefined for what cannot be repaired. */
export function repairHint(kind: DicomReason): string | undefined {
  if (!(kind in choices)) return undefined;
  return choices[kind as keyof SeriesRepair].map((choice) => `${kind}=${choice}`).join(' or ');
}

/** Parses 'missing=interpolate,tilt=shear'. Throws QuickcolumnError `usage` naming what exists. */
export function parseRepair(list: string): SeriesRepair {
  const repair: Record<string, string> = {};
  for (const entry of list.split(',')) {
    const [kind, choice] = entry.split('=').map((part) => part.trim());
    const known = Object.hasOwn(choices, kind) ? choices[kind as keyof SeriesRepair] : undefined;
    if (known === undefined || choice === undefined || !known.includes(choice)) {
      const all = Object.entries(choices).flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
      throw new QuickcolumnError(
        'usage',
        `repair: '${entry}' does not exist; expected one or more of ${all.join(', ')}`,
      );
    }
    repair[kind] = choice;
  }
  return repair;
}
