/**
 * How far the members of a prediction are apart: overlapping windows, mirrored passes, the models of an ensemble.
 *
 * Each member is compared with the mean of those before it, so that nothing is kept but two sums a class. For one class
 * with p of the member and m of that mean, agreement = 1 − Σ f·|p − m| / Σ f·(p + m). Of masks without doubt that is
 * their Dice. It should follow the Dice with the truth, since what moves a voxel from one class to the other between
 * members, a window's rim or a mirror, is no more than what the truth may differ by: Dice between members is the
 * quality that Roy et al. (https://arxiv.org/abs/1811.09800) found to go with it. The trap: members that make the same
 * mistake agree, so that a good number is no proof.
 *
 * f = w·W / (w + W), with the weights of the member and of all before it: Welford's update of a weighted variance
 * (West 1979, https://doi.org/10.1145/359146.359153). Summed over the members and divided by all weights the squares
 * are the variance of the members exactly, which is what the map shows.
 */

/**
 * Probability of a class that is looked at: where all members are nearly sure that a class is not, its many small numbers
 * would drown the few that matter.
 */
export const leastProbability = 0.1;

/** Collects what members differ by. Sums are per class; the map is kept by who merges. */
export interface Disagreement {
  readonly apart: Float64Array;
  readonly together: Float64Array;
  /** Of the windows of the batch being predicted, each voxel's variance between passes; undefined without a map. */
  readonly ofPasses: Float32Array | undefined;
}

/** @param passVoxels voxels of a batch of windows where a map is wanted */
export function createDisagreement(classes: number, passVoxels?: number): Disagreement {
  return {
    apart: new Float64Array(classes),
    together: new Float64Array(classes),
    ofPasses: passVoxels === undefined ? undefined : new Float32Array(passVoxels),
  };
}

/**
 * Agreement of each class, 0 to 1; null where nothing was compared: no voxel had two members, or none gave the class a
 * probability worth comparing. The background is the first class and is not told: it always agrees.
 */
export function agreementOf({ apart, together }: Disagreement): readonly (number | null)[] {
  return Array.from(apart, (sum, c) => (c === 0 || together[c] === 0 ? null : 1 - sum / together[c]));
}

/**
 * Compares one pass over a window with those before it, for one class.
 * @param pass of each voxel of the window
 * @param options.earlier sum of the `done` passes before, each divided by `count`, the number of all
 * @param options.first place of the window's first voxel in `ofPasses`
 */
export function comparePass(
  { apart, together, ofPasses }: Disagreement,
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
  let [difference, both] = [0, 0];
  for (let i = 0; i < pass.length; i++) {
    const mean = earlier[i] * (count / done);
    const d = Math.abs(pass[i] - mean);
    if (ofPasses !== undefined) ofPasses[first + i] += (factor * d * d) / (2 * count);
    if (pass[i] < leastProbability && mean < leastProbability) continue;
    difference += d;
    both += pass[i] + mean;
  }
  apart[c] += factor * difference;
  together[c] += factor * both;
}
