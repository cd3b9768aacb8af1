/**
 * The patches over which statistics of batch norm are estimated: places drawn once from the seed, the cases in turn, without
 * augmentation, because statistics are for prediction.
 */
import { createRandom } from '@quickcolumn/random';
import type { Size3 } from '@quickcolumn/volume';
import { drawCrop } from '../augment/crop.js';
import type { TrainingCase } from './sample-pool.js';
import { cutBatch } from './validation.js';

/** Images [1, 1, D, H, W], cut one by one, always the same for the same seed. */
export function* statisticsPatches(
  cases: readonly TrainingCase[],
  patch: Size3,
  { seed, count }: { readonly seed: number; readonly count: number },
): Generator<Float32Array> {
  for (let sample = 0; sample < count; sample++) {
    const caseIndex = sample % cases.length;
    const start = drawCrop(createRandom({ seed, epoch: 0, sample }, 'statistics'), cases[caseIndex].size, patch);
    yield cutBatch(cases, [{ caseIndex, start }], patch).image;
  }
}
