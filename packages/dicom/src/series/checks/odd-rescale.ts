/**
 * Slices of a CT whose rescale is not that of the others. Some scanners have it so, with stored values to match; where
 * the number alone was changed, the slice is a thousand HU off. Its neighbours tell: the rescale that fits them is right.
 */
import type { SliceHeader } from '../slice-header.js';
import type { StackPlan } from '../stack.js';
import { oddlyRescaled, rescaleOf } from './rescale.js';

type PlaneHu = Int32Array | Float32Array;

/** Pixels of a plane that are compared. */
const samplePixels = 128 * 128;

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

/** Pixels on a coarser grid, in the range of tissue and air. */
function sampled(hu: PlaneHu, { columns, rows }: { readonly columns: number; readonly rows: number }): Float32Array {
  const step = Math.max(1, Math.floor(Math.sqrt((columns * rows) / samplePixels)));
  const sample = new Float32Array(Math.ceil(columns / step) * Math.ceil(rows / step));
  for (let y = 0, at = 0; y < rows; y += step) {
    for (let x = 0; x < columns; x += step) sample[at++] = Math.min(1000, Math.max(-1000, hu[y * columns + x]));
  }
  return sample;
}

/** Mean absolute difference. */
function difference(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}
