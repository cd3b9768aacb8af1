/**
 * Statistics of a few dozen values: moments, quantiles, cluster bootstrap, paired permutation test.
 *
 * Cases of one patient are not independent, so resampling draws patients, not cases, and the permutation test flips all
 * differences of a patient together. Every draw comes from a seeded generator: the same input gives the same interval.
 * Nulls never get here; callers drop and count them.
 */

/** Bounds of a 95 % interval, or null where there is only one patient. */
export type Interval = readonly [number, number];

/** Options of resampling; 2000 draws from seed 1 unless told. */
export interface ResamplingOptions {
  readonly draws?: number;
  readonly seed?: number;
}

export interface PairedResult {
  readonly pairs: number;
  readonly patients: number;
  /** Mean of first minus second. */
  readonly meanDifference: number | null;
  readonly medianDifference: number | null;
  readonly interval95: Interval | null;
  /** Two-sided, null with fewer than two patients. */
  readonly pValue: number | null;
  /** True where all sign patterns were enumerated, false where they were drawn. */
  readonly exact: boolean;
}

/** Seeded uniform numbers in [0, 1), 32 bits (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Arithmetic mean; null of nothing. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1); null below two values. */
export function standardDeviation(values: readonly number[]): number | null {
  const centre = mean(values);
  if (centre === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Quantile by linear interpolation between order statistics (numpy's default); null of nothing. */
export function quantile(values: readonly number[], fraction: number): number | null {
  if (values.length === 0) return null;
  return quantileOfSorted(Float64Array.from(values).sort(), fraction);
}

/** As `quantile`, of an ascending, non-empty array. */
export function quantileOfSorted(sorted: ArrayLike<number>, fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

/**
 * Percentile bootstrap over patients: groups are drawn with replacement, `statistic` sees the items of all drawn
 * groups. Draws where the statistic is null are left out.
 * @returns the 2.5 and 97.5 percentiles, or null with fewer than two groups.
 */
export function bootstrapInterval<T>(
  groups: ReadonlyArray<readonly T[]>,
  statistic: (items: readonly T[]) => number | null,
  options: ResamplingOptions = {},
): Interval | null {
  if (groups.length < 2) return null;
  const random = seededRandom(options.seed ?? 1);
  const draws = options.draws ?? 2000;
  const results: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const items: T[] = [];
    for (let n = 0; n < groups.length; n++) items.push(...groups[Math.floor(random() * groups.length)]);
    const value = statistic(items);
    if (value !== null) results.push(value);
  }
  if (results.length === 0) return null;
  const sorted = Float64Array.from(results).sort();
  return [quantileOfSorted(sorted, 0.025), quantileOfSorted(sorted, 0.975)];
}

/** Groups items by a key, in order of first appearance. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}

/**
 * Paired differences with a bootstrap interval and a sign-flip permutation test of mean 0.
 * @param groups differences by patient
 */
export function pairedDifferences(
  groups: ReadonlyArray<readonly number[]>,
  options: ResamplingOptions = {},
): PairedResult {
  const differences = groups.flat();
  const exact = groups.length <= 14;
  return {
    pairs: differences.length,
    patients: groups.length,
    meanDifference: mean(differences),
    medianDifference: quantile(differences, 0.5),
    interval95: bootstrapInterval(groups, mean, options),
    pValue: groups.length < 2 ? null : signFlipPValue(groups, exact, options),
    exact,
  };
}

function signFlipPValue(groups: ReadonlyArray<readonly number[]>, exact: boolean, options: ResamplingOptions): number {
  // The number of pairs is fixed under flips, so the sum orders the patterns as the mean does.
  const sums = groups.map((group) => group.reduce((a, b) => a + b, 0));
  const observed = Math.abs(sums.reduce((a, b) => a + b, 0));
  const slack = 1e-12 * sums.reduce((a, b) => a + Math.abs(b), 0);
  if (exact) {
    const patterns = 2 ** sums.length;
    let extreme = 0;
    for (let pattern = 0; pattern < patterns; pattern++) {
      let sum = 0;
      for (let n = 0; n < sums.length; n++) sum += (pattern >> n) & 1 ? -sums[n] : sums[n];
      if (Math.abs(sum) >= observed - slack) extreme++;
    }
    return extreme / patterns;
  }
  const random = seededRandom((options.seed ?? 1) ^ 0x5bd1e995);
  const draws = Math.max(options.draws ?? 2000, 9999);
  let extreme = 0;
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (const value of sums) sum += random() < 0.5 ? -value : value;
    if (Math.abs(sum) >= observed - slack) extreme++;
  }
  // The observed pattern counts as one draw: a drawn p-value is never 0.
  return (extreme + 1) / (draws + 1);
}
