/**
 * Statistics of a few dozen values: moments, quantiles, cluster bootstrap, paired permutation test, Holm's adjustment.
 *
 * Cases of one patient are not independent, so resampling draws patients, not cases, and the permutation test flips all
 * differences of a patient together. Every draw comes from a seeded generator: the same input gives the same interval.
 * Nulls never get here; callers drop and count them.
 */

/**
 * With fewer patients there is no interval: the draws would repeat their values (of two, just the two), and a bound
 * would look like knowledge of other patients (percentile intervals cover too little of few values: Efron and
 * Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
 */
export const leastPatients = 5;

/** Bounds of a 95 % interval, or null below `leastPatients`. */
export type Interval = readonly [number, number];

/** Options of resampling; 2000 draws from seed 1 unless told. */
export interface ResamplingOptions {
  readonly draws?: number;
  readonly seed?: number;
  /** Uniform numbers in [0, 1) for the bootstrap instead of the seeded ones: index = floor(number · patients). */
  readonly random?: () => number;
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
 * @returns the 2.5 and 97.5 percentiles, or null with fewer than `leastPatients` groups of which a value is known.
 */
export function bootstrapInterval<T>(
  groups: ReadonlyArray<readonly T[]>,
  statistic: (items: readonly T[]) => number | null,
  options: ResamplingOptions = {},
): Interval | null {
  if (groups.filter((group) => statistic(group) !== null).length < leastPatients) return null;
  const random = options.random ?? seededRandom(options.seed ?? 1);
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
  const exact = groups.length <= exactGroups;
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

/** Up to here all sign patterns count: 2^24, as two halves of 2^12. */
const exactGroups = 24;

function signFlipPValue(groups: ReadonlyArray<readonly number[]>, exact: boolean, options: ResamplingOptions): number {
  // The number of pairs is fixed under flips, so the sum orders the patterns as the mean does.
  const sums = groups.map((group) => group.reduce((a, b) => a + b, 0));
  const observed = Math.abs(sums.reduce((a, b) => a + b, 0));
  const slack = 1e-12 * sums.reduce((a, b) => a + Math.abs(b), 0);
  if (exact) return exactShare(sums, observed - slack);
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

/**
 * Share of the sign patterns whose sum is at least `limit` away from 0, all 2^n of them: the sums of each half of the
 * values are listed and sorted, and two pointers count the pairs.
 */
function exactShare(values: readonly number[], limit: number): number {
  if (limit <= 0) return 1;
  const half = Math.ceil(values.length / 2);
  const first = signedSums(values.slice(0, half));
  const second = signedSums(values.slice(half));
  let extreme = 0;
  let next = second.length;
  for (let n = 0; n < first.length; n++) {
    while (next > 0 && first[n] + second[next - 1] >= limit) next--;
    extreme += second.length - next;
  }
  // Flipping every sign mirrors the sums, so as many lie below −limit.
  return (2 * extreme) / (first.length * second.length);
}

/** All sums of the values with either sign, ascending. */
function signedSums(values: readonly number[]): Float64Array {
  const sums = new Float64Array(2 ** values.length);
  for (let pattern = 0; pattern < sums.length; pattern++) {
    for (let n = 0; n < values.length; n++) sums[pattern] += (pattern >> n) & 1 ? -values[n] : values[n];
  }
  return sums.sort();
}

/**
 * Holm's step-down adjustment of a family of p-values (Scandinavian Journal of Statistics 6, 1979): the smallest is
 * multiplied by the size of the family, the next by one less, never below the one before and never above 1.
 * @param pValues null where no test could be made; those stay null and do not count in the family
 */
export function holm(pValues: ReadonlyArray<number | null>): (number | null)[] {
  const tested = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => a.p - b.p);
  const adjusted = pValues.map((): number | null => null);
  let least = 0;
  tested.forEach(({ p, index }, rank) => {
    least = Math.max(least, Math.min(1, p * (tested.length - rank)));
    adjusted[index] = least;
  });
  return adjusted;
}
