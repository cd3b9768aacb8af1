/**
 * Offsets in one arena for tensors with known lifetimes: large ones first, each at the lowest place that is free
 * during its whole life (the usual greedy by size; within a few percent of the best for networks).
 */
export interface Interval {
  readonly id: number;
  readonly bytes: number;
  /** First and last step that touches it, both included. */
  readonly from: number;
  readonly to: number;
}

export function placeIntervals(intervals: readonly Interval[]): { offsets: Map<number, number>; bytes: number } {
  const offsets = new Map<number, number>();
  /** Placed ones, by ascending offset. */
  const placed: (Interval & { readonly offset: number })[] = [];
  let total = 0;
  for (const interval of intervals.toSorted((a, b) => b.bytes - a.bytes || a.from - b.from || a.id - b.id)) {
    let offset = 0;
    for (const other of placed) {
      if (other.to < interval.from || other.from > interval.to) continue;
      if (other.offset - offset >= interval.bytes) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    offsets.set(interval.id, offset);
    total = Math.max(total, offset + interval.bytes);
    const at = placed.findIndex((other) => other.offset > offset);
    placed.splice(at < 0 ? placed.length : at, 0, { ...interval, offset });
  }
  return { offsets, bytes: total };
}
