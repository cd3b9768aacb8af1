/**
 * How far the members of a prediction are apart: overlapping windows, mirrored passes, the models of an ensemble.
 *
 * Each member is compared with the mean of those before it, so that nothing is kept but two sums a class. For one class
 * with p of the member and m of that mean, agreement = 2·Σ f·p·m / Σ f·(p + m): expected overlap of two masks drawn from the
 * two, over their expected sizes, which is Dice for members without doubt. It should follow the Dice with the truth
 * because the truth is one more such mask, as far as the members know: what they leave open, or place differently, is
 * what it may differ by (Roy et al., https://arxiv.org/abs/1811.09800, found the Dice between samples of a network to go
 * with the Dice of its masks). The trap: members that share a mistake agree, so that a good number proves nothing.
 *
 * f = w·W / (w + W), with the weights of the member and of all before it: Welford's update of a weighted variance
 * (West 1979, https://doi.org/10.1145/359146.359153). The squares of p − m, summed so and divided by all weights, are
 * the variance of the members exactly, which is what the map shows.
 */

/** Collects what members differ by, per class; the map is kept by who merges. */
export interface Disagreement {
  /** Σ f·p·m. */
  readonly overlap: Float64Array;
  /** Σ f·(p + m). */
  readonly sum: Float64Array;
  /** Of the windows of the batch being predicted, each voxel's variance between passes; undefined without a map. */
  readonly ofPasses: Float32Array | undefined;
}

/** @param passVoxels voxels of a batch of windows where a map is wanted */
export function createDisagreement(classes: number, passVoxels?: number): Disagreement {
  return {
    overlap: new Float64Array(classes),
    sum: new Float64Array(classes),
    ofPasses: passVoxels === undefined ? undefined : new Float32Array(passVoxels),
  };
}

/** Agreement of each class, 0 to 1; null where nothing was compared. */
export function agreementOf({ overlap, sum }: Disagreement): readonly (number | null)[] {
  return Array.from(overlap, (both, c) => (sum[c] === 0 ? null : (2 * both) / sum[c]));
}

/**
 * Compares one pass over a window with those before it, for one class.
 * @param pass of each voxel of the window
 * @param options.earlier sum of the `done` passes before, each divided by `count`, the number of all
 * @param options.first place of the window's first voxel in `ofPasses`
 */
export function comparePass(
  { overlap, sum, ofPasses }: Disagreement,
  pass: Float32Array,
  options: {
    readonly c: number;
    readonly earlier: Float32Array;
    readonly done: number;
    readonly count: number;
    readonly first: number;
  },
): void {
  const { c, earlier, done, count, first } = options;
  const factor = done / (done + 1);
  let [product, both] = [0, 0];
  for (let i = 0; i < pass.length; i++) {
    const mean = earlier[i] * (count / done);
    product += pass[i] * mean;
    both += pass[i] + mean;
    if (ofPasses !== undefined) ofPasses[first + i] += (factor * (pass[i] - mean) ** 2) / (2 * count);
  }
  overlap[c] += factor * product;
  sum[c] += factor * both;
}
