/**
 * Slices of a CT whose rescale is not that of the others. Some scanners have it so, with stored values to match; where
 * the number alone was changed, the slice is a thousand HU off. Its neighbours tell: the rescale that fits them is right.
 */
import type { SliceHeader } from '../slice-header.js';
import type { StackPlan } from '../stack.js';
import { difference, type PlaneHu, sampled } from './neighbours.js';
import { oddlyRescaled, rescaleOf } from './rescale.js';

export interface RescaleWatch {
  /** Takes the slices of the stack in order. */
  add(slice: SliceHeader, hu: PlaneHu): void;
  /** Slices that fit their neighbours only with the rescale of the others. */
  misfits(): readonly SliceHeader[];
}

interface Seen {
  readonly slice: SliceHeader;
  readonly own: Float32Array;
  /** As the usual rescale would have it; absent for slices that have it. */
  readonly usual?: Float32Array;
}

/** Undefined for a series in which all have the same rescale, and for another modality than CT. */
export function watchRescale(plan: StackPlan): RescaleWatch | undefined {
  const slices = plan.planes.flatMap((plane) => (plane.kind === 'slice' ? [plane.slice] : []));
  if (slices[0]?.modality !== 'CT') return undefined;
  const odd = oddlyRescaled(slices);
  // Without a majority nothing says which is the usual one.
  if (odd === undefined || 2 * odd.slices.length >= slices.length) return undefined;
  const { usualRescale } = odd;
  const isOdd = new Set<SliceHeader>(odd.slices);
  const misfits = new Set<SliceHeader>();
  let last: Seen | undefined;
  const compare = (a: Seen, b: Seen): void => {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ]) {
      // A usual slice beside an odd one.
      if (one.usual === undefined || other.usual !== undefined) continue;
      if (difference(one.usual, other.own) < 0.5 * difference(one.own, other.own)) misfits.add(one.slice);
    }
  };
  return {
    add: (slice, hu) => {
      const own = sampled(hu, slice.format);
      const seen = isOdd.has(slice) ? { slice, own, usual: sampled(asUsual(slice, hu), slice.format) } : { slice, own };
      if (last !== undefined) compare(last, seen);
      last = seen;
    },
    misfits: () => [...misfits],
  };

  function asUsual(slice: SliceHeader, hu: PlaneHu): Float32Array {
    const { slope, intercept } = rescaleOf(slice);
    const [factor, shift] = [usualRescale.slope / slope, usualRescale.intercept];
    return Float32Array.from(hu, (value) => (value - intercept) * factor + shift);
  }
}
