/** Repeatable numbers for tests. */

/** mulberry32: uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Values that differ pairwise by at least `gap` and stay that far from 0, shuffled: no kinks and no ties nearby. */
export function distinctValues(count: number, seed: number, gap = 0.01): Float64Array {
  const random = seededRandom(seed);
  const values = Float64Array.from({ length: count }, (_, i) => (i - Math.floor(count / 2) + 0.5) * (2 * gap));
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}
