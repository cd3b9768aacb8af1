/**
 * Intensities as other frameworks prepare them, for their models: nnU-Net's CTNormalization and ZScoreNormalization,
 * MONAI's ScaleIntensityRange and NormalizeIntensity, or nothing.
 *
 * Each is a clip and a linear map. It comes before resampling, as in nnU-Net, and no z-score follows. The trap: models that
 * clip in HU get noise from a scan that was windowed to 0–255, so such a scan is refused.
 */
import type { IntensityScale, LabelClass, VoxelArray } from '@quickcolumn/volume';
import { z } from 'zod';
import type { PreparationConfig } from './config.js';
import { PreparationError } from './errors.js';
import { detectScale } from './intensity.js';

type Range = readonly [number, number];

export type ForeignIntensity =
  /** (clip(HU) − mean) / sd, all three of the training data: nnU-Net's CTNormalization. */
  | { readonly kind: 'ct'; readonly clipHu: Range; readonly mean: number; readonly sd: number }
  /** `fromHu` to `to`, cut off at its ends or not: MONAI's ScaleIntensityRange. */
  | { readonly kind: 'range'; readonly fromHu: Range; readonly to: Range; readonly clip: boolean }
  /** Mean 0 and standard deviation 1 over the volume, clipped before where `clipHu` says so. */
  | { readonly kind: 'z-score'; readonly clipHu: Range | null }
  /** Values as they are stored. */
  | { readonly kind: 'none' };

/** How scans are prepared for a model of another framework. */
export interface ForeignPreparation {
  readonly intensity: ForeignIntensity;
  /** What scans smaller than the patch are padded with, after the map of intensities. */
  readonly padding: number;
  /** Along L-R, P-A, I-S; null keeps each scan's own. */
  readonly spacingMm: readonly [number, number, number] | null;
  readonly classes: readonly LabelClass[];
  readonly ignoreLabel?: never;
}

/** How scans are prepared for a model: one of ours, or one of another framework. */
export type ScanPreparation = PreparationConfig | ForeignPreparation;

const range: z.ZodType<Range> = z
  .tuple([z.number(), z.number()], { error: 'expected two numbers, such as [-1000, 400]' })
  .refine(([low, high]) => low < high, { error: 'the first value must be below the second, as in [-1000, 400]' });

export const foreignIntensitySchema: z.ZodType<ForeignIntensity> = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('ct'), clipHu: range, mean: z.number(), sd: z.number().positive() }),
    z.strictObject({ kind: z.literal('range'), fromHu: range, to: range, clip: z.boolean() }),
    z.strictObject({ kind: z.literal('z-score'), clipHu: range.nullable() }),
    z.strictObject({ kind: z.literal('none') }),
  ],
  { error: 'expected {"kind": …} of ct, range, z-score or none' },
);

/** Whether a model of another framework says how to prepare. */
export function isForeignPreparation(preparation: ScanPreparation): preparation is ForeignPreparation {
  return typeof preparation.intensity === 'object';
}

export interface NormalisedIntensity {
  readonly voxels: Float32Array;
  readonly scale: IntensityScale;
  /** What was subtracted, and what the difference was divided by. */
  readonly mean: number;
  readonly sd: number;
}

/**
 * Returns a new array; the source is not changed.
 * @throws PreparationError for a scan not in HU where the map is stated in HU; DefectError for voxels that are not finite
 */
export function normaliseIntensity(voxels: VoxelArray, intensity: ForeignIntensity, name: string): NormalisedIntensity {
  const scale = detectScale(voxels, name);
  const needsHu = intensity.kind === 'z-score' ? intensity.clipHu !== null : intensity.kind !== 'none';
  if (needsHu && scale !== 'hu') {
    throw new PreparationError(
      name,
      `no voxel is below -200, so it is not in HU, and the model's intensities (${intensity.kind}) are; give a scan in HU`,
    );
  }
  const { low, high, ...map } = linearMap(voxels, intensity);
  const out = new Float32Array(voxels.length);
  for (let at = 0; at < out.length; at++) {
    out[at] = (Math.min(Math.max(voxels[at], low), high) - map.mean) / map.sd;
  }
  return { voxels: out, scale, ...map };
}

interface LinearMap {
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly sd: number;
}

const everything: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

function linearMap(voxels: VoxelArray, intensity: ForeignIntensity): LinearMap {
  switch (intensity.kind) {
    case 'ct': {
      const [low, high] = intensity.clipHu;
      return { low, high, mean: intensity.mean, sd: intensity.sd };
    }
    case 'range': {
      const { fromHu, to, clip } = intensity;
      const [low, high] = clip ? fromHu : everything;
      const sd = (fromHu[1] - fromHu[0]) / (to[1] - to[0]);
      return { low, high, mean: fromHu[0] - to[0] * sd, sd };
    }
    case 'z-score': {
      const [low, high] = intensity.clipHu ?? everything;
      return { low, high, ...moments(voxels, low, high) };
    }
    case 'none':
      return { low: everything[0], high: everything[1], mean: 0, sd: 1 };
  }
}

/** Population moments of the clipped values; a constant volume has nnU-Net's smallest deviation. */
function moments(voxels: VoxelArray, low: number, high: number): { mean: number; sd: number } {
  const clipped = (at: number): number => Math.min(Math.max(voxels[at], low), high);
  let sum = 0;
  for (let at = 0; at < voxels.length; at++) sum += clipped(at);
  const mean = sum / voxels.length;
  let squares = 0;
  for (let at = 0; at < voxels.length; at++) squares += (clipped(at) - mean) ** 2;
  return { mean, sd: Math.max(Math.sqrt(squares / voxels.length), 1e-8) };
}
