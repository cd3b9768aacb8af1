/** How much work a patch is. In a file of its own, because counting slows down everything beside it. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import { splineCoefficients } from '@quickcolumn/volume';
import { expect, it } from 'vitest';
import {
  type AugmentationConfig,
  type AugmentCase,
  augmentPatch,
  noAugmentation,
  paperAugmentation as paper,
} from './index.js';

const size = [110, 110, 60] as const;
const patch = [96, 96, 48] as const;
const image = Float32Array.from({ length: size[0] * size[1] * size[2] }, (_, i) => Math.sin(i * 0.1));
const labels = new Uint8Array(image.length);
const coefficients = splineCoefficients(image, size);
const scan: AugmentCase = {
  image,
  labels,
  size,
  airValue: -4,
  classes: [{ value: 0 }],
  coefficients: () => coefficients,
};
const surely = { probability: 1 };

/** A cubic spline reads 64 voxels for one. */
it.each<[string, number, Partial<AugmentationConfig>]>([
  [
    'all spatial transforms',
    120,
    {
      rotation: { ...paper.rotation, ...surely },
      scaling: { ...paper.scaling, ...surely },
      elastic: { ...paper.elastic, ...surely },
    },
  ],
  [
    'a mirror and intensities alone',
    10,
    {
      mirror: { ...paper.mirror, ...surely },
      brightness: { ...paper.brightness, ...surely },
      contrast: { ...paper.contrast, ...surely },
    },
  ],
])('a patch with %s takes at most %d steps a voxel', async (_title, limit, methods) => {
  const config = { ...noAugmentation, fill: paper.fill, ...methods };
  const { steps } = await countSteps(() => augmentPatch(scan, config, patch, { seed: 5, epoch: 2, sample: 9 }));
  expect(steps / (patch[0] * patch[1] * patch[2])).toBeLessThan(limit);
});
