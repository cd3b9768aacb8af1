/**
 * The way back, spec 3: class probabilities from the prepared grid to the scan's own grid, then the largest one wins.
 * Probabilities are resampled, not labels: an argmax first would make every surface a staircase of prepared voxels.
 *
 * Memory is bounded: one class is resampled at a time against the best so far, so four classes cost no more than two.
 */
import {
  type Affine,
  type LabelClass,
  reorientation,
  reorientBack,
  reorientedAffine,
  resizeLinear,
  type Size3,
  type Volume,
  voxelCount,
} from '@quickcolumn/volume';
import { PreparationError } from './errors.js';
import type { Undo } from './prepare.js';

/**
 * Label values of the most probable class on the scan's own grid, with the scan's own affine. Ties go to the class that
 * comes first.
 * @param classProbability channel c on the prepared grid, x fastest; asked for once per class, not kept or changed
 * @param size of the prepared grid
 * @param options.name what errors call the prediction
 * @throws PreparationError for NaN probabilities; VolumeError when arrays and sizes do not fit
 */
export function restoreProbabilities(
  classProbability: (classIndex: number) => Float32Array,
  classes: readonly LabelClass[],
  size: Size3,
  undo: Undo,
  { name = 'prediction' }: { readonly name?: string } = {},
): Volume<Uint8Array> {
  const count = voxelCount(undo.reorientedSize);
  const best = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  const voxels = new Uint8Array(count);
  const affine = uprightAffine(undo);
  for (let c = 0; c < classes.length; c++) {
    const probability = resizeLinear(classProbability(c), size, undo.reorientedSize);
    const { value } = classes[c];
    let invalid = 0;
    for (let at = 0; at < count; at++) {
      const p = probability[at];
      if (p > best[at]) {
        best[at] = p;
        voxels[at] = value;
      } else if (Number.isNaN(p)) invalid++;
    }
    if (invalid > 0) {
      throw new PreparationError(
        name,
        `the probability of class ${classes[c].name} is NaN in ${invalid} of ${count} voxels; the model's weights or ` +
          'the scan are damaged',
      );
    }
  }
  return reorientBack({ voxels, size: undo.reorientedSize, affine }, undo.originalAffine, undo.originalSize);
}

/** One class's probability on the scan's own grid, for callers that write the classes one after the other. */
export function restoreProbability(probability: Float32Array, size: Size3, undo: Undo): Volume<Float32Array> {
  const voxels = resizeLinear(probability, size, undo.reorientedSize);
  const upright = { voxels, size: undo.reorientedSize, affine: uprightAffine(undo) };
  return reorientBack(upright, undo.originalAffine, undo.originalSize);
}

function uprightAffine({ originalAffine, originalSize }: Undo): Affine {
  return reorientedAffine(originalAffine, originalSize, reorientation(originalAffine));
}
