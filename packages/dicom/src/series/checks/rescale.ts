/**
 * The rescale of the slices (PS3.3, C.11.1.1): which is missing, and which contradict each other. A file without a
 * readable slope is read with slope 1 and its intercept, as other readers do.
 */
import { fileNames } from '../short-lists.js';
import type { Rescale, SliceHeader } from '../slice-header.js';
import type { Findings } from './findings.js';

/** What is applied to the stored values of a slice. */
export function rescaleOf({ rescale }: SliceHeader): Rescale {
  return rescale ?? { slope: 1, intercept: 0 };
}

const shown = (slice: SliceHeader): string => {
  const { slope, intercept } = rescaleOf(slice);
  return `slope ${slope}, intercept ${intercept}`;
};

const count = (slices: readonly SliceHeader[]): string =>
  slices.length === 1 ? '1 slice has' : `${slices.length} slices have`;

export function checkRescale(slices: readonly SliceHeader[], findings: Findings): void {
  const flat = slices.filter(({ rescale }) => rescale !== undefined && !(Math.abs(rescale.slope) > 0));
  if (flat.length > 0) findings.defect('pixels', `a rescale slope of 0 loses every value: ${fileNames(flat)}`);

  const bare = slices.filter(({ rescale }) => rescale === undefined);
  // Without its number an intercept may stand for a thousand HU; a slope is 1 in nearly every CT.
  const unreadable = slices.filter(({ rescale, rescaleGaps }) =>
    rescaleGaps.some(({ attribute, state }) => state === 'unreadable' && (attribute === 'intercept' || !rescale)),
  );
  if (unreadable.length > 0) {
    findings.defect('pixels', `a rescale that is no number: ${fileNames(unreadable)}`);
    return;
  }
  const lacks = (wanted: 'slope' | 'intercept'): SliceHeader[] =>
    slices.filter(
      ({ rescale, rescaleGaps }) => rescale !== undefined && rescaleGaps.some(({ attribute }) => attribute === wanted),
    );
  const [noSlope, noIntercept] = [lacks('slope'), lacks('intercept')];
  const complete = slices.filter(({ rescaleGaps }) => rescaleGaps.length === 0);
  const kinds = [bare, noSlope, noIntercept, complete].filter((kind) => kind.length > 0);
  if (kinds.length > 1 && new Set(slices.map(shown)).size > 1) {
    const largest = kinds.reduce((a, b) => (b.length > a.length ? b : a));
    const others = slices.filter((slice) => !largest.includes(slice));
    const lost = [...bare, ...noSlope, ...noIntercept];
    const what = `${count(lost)} no complete rescale (slope and intercept) and ${slices.length - lost.length} have one`;
    findings.defect('mixed-rescale', `${what}: ${fileNames(others)}`);
    return;
  }
  if (bare.length > 0) findings.defect('rescale-slope', `${count(bare)} no rescale; their values are taken as HU`);
  if (noSlope.length > 0) {
    findings.defect('rescale-slope', `${count(noSlope)} no readable rescale slope; taken as 1: ${fileNames(noSlope)}`);
  }
  if (noIntercept.length > 0) {
    const text = `${count(noIntercept)} no rescale intercept; taken as 0: ${fileNames(noIntercept)}`;
    findings.defect('rescale-slope', text);
  }
  const odd = oddlyRescaled(slices);
  if (odd !== undefined && slices[0].modality === 'CT') {
    const text = `${count(odd.slices)} another rescale (${shown(odd.slices[0])}) than most (${odd.usual})`;
    findings.defect('rescale-slope', `${text}: ${fileNames(odd.slices)}`);
  }
}

/** Slices whose rescale is not that of most; undefined where all have the same. */
export function oddlyRescaled<T extends SliceHeader>(
  slices: readonly T[],
): { readonly slices: readonly T[]; readonly usual: string; readonly usualRescale: Rescale } | undefined {
  const groups = new Map<string, T[]>();
  for (const slice of slices) {
    const group = groups.get(shown(slice));
    if (group === undefined) groups.set(shown(slice), [slice]);
    else group.push(slice);
  }
  if (groups.size < 2) return undefined;
  const [[usual, most]] = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return { slices: slices.filter((slice) => shown(slice) !== usual), usual, usualRescale: rescaleOf(most[0]) };
}
