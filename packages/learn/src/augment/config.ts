/**
 * Augmentation settings as data (spec section 4): one entry a method, each with the probability that a sample gets
 * it, and the two named profiles. Ranges are [low, high] and drawn uniformly, except contrast, gamma and wavelet: a
 * range that straddles 1 is drawn half the time below 1 and half above.
 */
import { z } from 'zod';

type Range = readonly [number, number];

export interface AugmentationConfig {
  /** Each axis is flipped on its own with this probability; swapLabels exchanges left and right on an x flip. */
  readonly mirror: { readonly probability: number; readonly swapLabels: boolean };
  /** Angle about each of the three axes, drawn independently, in voxel space. */
  readonly rotation: { readonly probability: number; readonly degrees: Range };
  /** One factor for all axes; it multiplies source coordinates: above 1 the patch shows more of the scan. */
  readonly scaling: { readonly probability: number; readonly range: Range };
  /** alpha: amplitude of white noise on ±1 before smoothing; sigma: smoothing in voxels. */
  readonly elastic: { readonly probability: number; readonly alpha: Range; readonly sigma: Range };
  readonly gamma: { readonly probability: number; readonly range: Range };
  readonly brightness: { readonly probability: number; readonly range: Range };
  readonly contrast: { readonly probability: number; readonly range: Range };
  /** What is drawn from the range: the variance of the noise, or its standard deviation. */
  readonly noise: {
    readonly probability: number;
    readonly range: Range;
    readonly drawn: 'variance' | 'standardDeviation';
  };
  /**
   * Stationary wavelets (wavelet.ts): every detail band times a factor of its own. `axes`: xy for slices, xyz for
   * space. Absent, as in all profiles: off.
   */
  readonly wavelet?: { readonly probability: number; readonly range: Range; readonly axes: 'xy' | 'xyz' };
  /** What a spatial transform puts outside the scan: prepared value of air or a number; background or no class. */
  readonly fill: { readonly image: 'air' | number; readonly label: 'background' | 'none' };
}

const probability = z.number().min(0).max(1);

function range(low: number, high: number, above = false): z.ZodType<Range> {
  const bound = above ? z.number().gt(low).max(high) : z.number().min(low).max(high);
  return z
    .tuple([bound, bound])
    .readonly()
    .refine(([from, to]) => from <= to, { message: 'the first number of a range must not exceed the second' });
}

/** Validates an AugmentationConfig; unknown keys are errors. */
export const augmentationSchema: z.ZodType<AugmentationConfig> = z.strictObject({
  mirror: z.strictObject({ probability, swapLabels: z.boolean() }),
  rotation: z.strictObject({ probability, degrees: range(-180, 180) }),
  scaling: z.strictObject({ probability, range: range(0, 10, true) }),
  elastic: z.strictObject({ probability, alpha: range(0, 1e5), sigma: range(4, 100) }),
  gamma: z.strictObject({ probability, range: range(0, 10, true) }),
  brightness: z.strictObject({ probability, range: range(0, 10, true) }),
  contrast: z.strictObject({ probability, range: range(0, 10, true) }),
  noise: z.strictObject({
    probability,
    range: range(0, 100),
    drawn: z.enum(['variance', 'standardDeviation']),
  }),
  wavelet: z.strictObject({ probability, range: range(0, 10), axes: z.enum(['xy', 'xyz']) }).optional(),
  fill: z.strictObject({
    image: z.union([z.literal('air'), z.number()]),
    label: z.enum(['background', 'none']),
  }),
});

/** Profile `paper`: the paper's ranges, Müller et al.'s where it is silent; left and right swap with the image. */
export const paperAugmentation: AugmentationConfig = {
  mirror: { probability: 0.15, swapLabels: true },
  rotation: { probability: 0.15, degrees: [-15, 15] },
  scaling: { probability: 0.15, range: [0.85, 1.25] },
  elastic: { probability: 0.15, alpha: [0, 900], sigma: [9, 13] },
  gamma: { probability: 0.15, range: [0.5, 2] },
  brightness: { probability: 0.15, range: [0.5, 2] },
  contrast: { probability: 0.15, range: [0.3, 3] },
  noise: { probability: 0.15, range: [0, 0.1], drawn: 'variance' },
  fill: { image: 'air', label: 'background' },
};

/** Profile `mueller`: Müller et al.'s run, including its unswapped mirror labels and fill without a class. */
export const muellerAugmentation: AugmentationConfig = {
  ...paperAugmentation,
  mirror: { probability: 0.5, swapLabels: false },
  gamma: { probability: 0.15, range: [0.7, 1.5] },
  noise: { probability: 0.15, range: [0, 0.05], drawn: 'standardDeviation' },
  fill: { image: 0, label: 'none' },
};

/**
 * Profile `auto`: the intensities vary as little as those of calibrated CT do, because HU mean something; no elastic
 * deformation, which costs more time than it brings.
 */
export const mildAugmentation: AugmentationConfig = {
  ...paperAugmentation,
  rotation: { probability: 0.2, degrees: [-15, 15] },
  scaling: { probability: 0.2, range: [0.8, 1.25] },
  elastic: { ...paperAugmentation.elastic, probability: 0 },
  gamma: { probability: 0.15, range: [0.7, 1.5] },
  brightness: { probability: 0.15, range: [0.8, 1.25] },
  contrast: { probability: 0.15, range: [0.75, 1.33] },
  noise: { probability: 0.15, range: [0, 0.05], drawn: 'variance' },
};

/** Every method switched off: augmentPatch then only crops. For validation patches and tests. */
export const noAugmentation: AugmentationConfig = {
  ...paperAugmentation,
  mirror: { probability: 0, swapLabels: true },
  rotation: { probability: 0, degrees: [0, 0] },
  scaling: { probability: 0, range: [1, 1] },
  elastic: { probability: 0, alpha: [0, 0], sigma: [9, 13] },
  gamma: { probability: 0, range: [1, 1] },
  brightness: { probability: 0, range: [1, 1] },
  contrast: { probability: 0, range: [1, 1] },
  noise: { probability: 0, range: [0, 0], drawn: 'variance' },
};
