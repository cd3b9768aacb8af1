/**
 * Intensities, spec 3.1 and 3.3: from stored values to 0–255, and the z-score after resampling.
 *
 * The trap is mixed data: half of COVID-19-CT-Seg is in HU, half was windowed to 0–255 by its publisher. The scale is
 * detected per scan, and in `window` mode the 0–255 scans are not clipped again.
 */
import { finiteDefects, judge } from '@quickcolumn/defects';
import { type IntensityScale, intensityScaleOf, type VoxelArray } from '@quickcolumn/volume';
import type { IntensityMode, PreparationConfig } from './config.js';
import { PreparationError } from './errors.js';

const airHu = -1000;
const smallest = 1e-6;

/** Values in 0–255 and what they came from. */
export interface ScaledIntensity {
  readonly voxels: Float32Array;
  readonly scale: IntensityScale;
  /** Value that air has after this step. */
  readonly air: number;
}

/** The scale of a scan whose voxels are all numbers. Throws DefectError for non-finite voxels. */
export function detectScale(voxels: VoxelArray, name: string): IntensityScale {
  judge(name, finiteDefects(voxels));
  return intensityScaleOf(voxels);
}

/**
 * Spec 3.1. Returns a new array; the source is not changed.
 * @throws PreparationError for a 0–255 scan in mode `fixed`, DefectError for voxels that are not finite
 */
export function scaleIntensity(
  voxels: VoxelArray,
  config: Pick<PreparationConfig, 'intensity' | 'clipHu'>,
  name: string,
): ScaledIntensity {
  const scale = detectScale(voxels, name);
  const air = scale === 'hu' ? airHu : 0;
  const [low, high] = config.clipHu;
  if (config.intensity === 'fixed' && scale !== 'hu') {
    throw new PreparationError(
      name,
      'no voxel is below -200, so it is not in HU, and preparation.intensity fixed takes values of HU; give a scan in HU, or ' +
        'train with intensity window',
    );
  }
  const out = new Float32Array(voxels.length);
  if (config.intensity !== 'minmax') {
    if (scale === '0-255') {
      out.set(voxels);
      return { voxels: out, scale, air };
    }
    const map = (value: number): number => ((clamp(value, low, high) - low) / (high - low)) * 255;
    for (let at = 0; at < out.length; at++) out[at] = map(voxels[at]);
    return { voxels: out, scale, air: map(air) };
  }
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < out.length; at++) {
    const value = clamp(voxels[at], low, high);
    out[at] = value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = max > min ? max - min : 1;
  for (let at = 0; at < out.length; at++) out[at] = Math.round(((out[at] - min) / range) * 255);
  // Air may be darker than anything in a tightly cropped scan: then its darkest value stands for it.
  return { voxels: out, scale, air: Math.round(((clamp(air, min, max) - min) / range) * 255) };
}

export interface ZScore {
  readonly mean: number;
  /** Population standard deviation. */
  readonly sd: number;
}

/** Of mode `fixed`: what values spread evenly over 0–255 have. */
const evenScore: ZScore = { mean: 255 / 2, sd: 255 / Math.sqrt(12) };

/** Brings values in 0–255 to about zero mean and unit variance, in place. */
export function standardizeInPlace(voxels: Float32Array, mode: IntensityMode): ZScore {
  if (mode !== 'fixed') return zScoreInPlace(voxels);
  for (let at = 0; at < voxels.length; at++) voxels[at] = zScoreOf(voxels[at], evenScore);
  return evenScore;
}

/** Spec 3.3, in place: (x − μ + 1e-6) / (σ + 1e-6). */
export function zScoreInPlace(voxels: Float32Array): ZScore {
  let sum = 0;
  for (let at = 0; at < voxels.length; at++) sum += voxels[at];
  const mean = sum / voxels.length;
  let squares = 0;
  for (let at = 0; at < voxels.length; at++) {
    const difference = voxels[at] - mean;
    squares += difference * difference;
  }
  const score = { mean, sd: Math.sqrt(squares / voxels.length) };
  for (let at = 0; at < voxels.length; at++) voxels[at] = zScoreOf(voxels[at], score);
  return score;
}

/** One value's z-score. */
export function zScoreOf(value: number, { mean, sd }: ZScore): number {
  return (value - mean + smallest) / (sd + smallest);
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
