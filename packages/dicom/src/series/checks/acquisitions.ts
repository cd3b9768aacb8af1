/**
 * Several slices at one place: which of them belong to one acquisition (a phase, a pass, a kernel). A volume that takes
 * slices of two is wrong without looking wrong, so a whole acquisition is found or none.
 *
 * The trap: instance numbers may begin anew in every phase, and acquisition numbers may count single rotations. An
 * attribute is believed only where it separates all slices that share a place.
 */
import type { SliceHeader } from '../slice-header.js';

export interface FirstAcquisition {
  /** One slice for each place, in the order of the places. */
  readonly slices: readonly SliceHeader[];
  /** What told it: 'AcquisitionNumber 1', 'the lowest InstanceNumber'. */
  readonly by: string;
}

/**
 * The slices of the first acquisition that covers every place.
 * @param places slices at each place, in order along the stack
 * @returns undefined where nothing tells the acquisitions apart, or none covers every place
 */
export function firstAcquisition(places: readonly (readonly SliceHeader[])[]): FirstAcquisition | undefined {
  const distinct = places.map(withoutCopies);
  if (distinct.every((slices) => slices.length === 1)) {
    return { slices: distinct.map(([slice]) => slice), by: 'one of each copy' };
  }
  return byLabel(distinct) ?? byTime(distinct) ?? byInstanceNumber(distinct);
}

/** One of the files that hold the same image. */
function withoutCopies(slices: readonly SliceHeader[]): SliceHeader[] {
  const seen = new Set<string>();
  return slices.filter(({ instanceUid, frame }) => {
    const image = `${instanceUid} ${frame}`;
    if (instanceUid === '' || !seen.has(image)) {
      seen.add(image);
      return true;
    }
    return false;
  });
}

/** By an attribute that all slices of an acquisition have in common. */
function byLabel(places: readonly (readonly SliceHeader[])[]): FirstAcquisition | undefined {
  for (const keyword of places[0][0].facts.acquisition.keys()) {
    const labelOf = (slice: SliceHeader): string | undefined => slice.facts.acquisition.get(keyword);
    const separates = places.every((slices) => {
      const labels = slices.map(labelOf);
      return !labels.includes(undefined) && new Set(labels).size === labels.length;
    });
    if (!separates) continue;
    const groups = new Map<string, SliceHeader[]>();
    for (const slice of places.flat()) {
      const label = labelOf(slice) ?? '';
      const group = groups.get(label);
      if (group === undefined) groups.set(label, [slice]);
      else group.push(slice);
    }
    const whole = [...groups].filter(([, slices]) => slices.length === places.length);
    if (whole.length === 0) continue;
    whole.sort(
      ([a, [first]], [b, [second]]) => compareLabels(a, b) || compareNumbers(first, second) || (a < b ? -1 : 1),
    );
    const [[label, slices]] = whole;
    return { slices, by: `${keyword} ${label.slice(0, 64)}` };
  }
  return undefined;
}

function compareLabels(a: string, b: string): number {
  const [first, second] = [Number(a), Number(b)];
  return Number.isNaN(first) || Number.isNaN(second) ? 0 : first - second;
}

function compareNumbers(a: SliceHeader, b: SliceHeader): number {
  return (a.facts.instanceNumber ?? 0) - (b.facts.instanceNumber ?? 0);
}

/** By times, where everything that was made first lies before everything else. */
function byTime(places: readonly (readonly SliceHeader[])[]): FirstAcquisition | undefined {
  for (const keyword of ['AcquisitionDateTime', 'AcquisitionTime', 'ContentTime']) {
    const time = (slice: SliceHeader): string => slice.facts.times.get(keyword) ?? '';
    const sorted = places.map((slices) => [...slices].sort((a, b) => (time(a) < time(b) ? -1 : 1)));
    if (sorted.some((slices) => slices.some((slice) => time(slice) === ''))) continue;
    const last = sorted.map(([slice]) => time(slice)).reduce((a, b) => (a > b ? a : b));
    if (sorted.every(([, ...others]) => others.every((other) => time(other) > last))) {
      return { slices: sorted.map(([slice]) => slice), by: `the earliest ${keyword}` };
    }
  }
  return undefined;
}

/** By instance numbers, where none comes twice and the lowest of each place rise or fall along the stack. */
function byInstanceNumber(places: readonly (readonly SliceHeader[])[]): FirstAcquisition | undefined {
  const numbers = places.flat().map(({ facts }) => facts.instanceNumber);
  if (numbers.includes(undefined) || new Set(numbers).size < numbers.length) return undefined;
  const slices = places.map((same) => [...same].sort(compareNumbers)[0]);
  const steps = slices.slice(1).map((slice, i) => compareNumbers(slice, slices[i]));
  const isOrdered = steps.every((step) => step > 0) || steps.every((step) => step < 0);
  return isOrdered ? { slices, by: 'the lowest InstanceNumber' } : undefined;
}
