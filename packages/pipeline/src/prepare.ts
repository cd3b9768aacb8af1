/**
 * A scan on its way to the network, spec 3: axes to L-P-S, intensities to 0–255, resampling to the configured spacing,
 * z-score. Every step is remembered in `undo`, and `restoreProbabilities` (restore.ts) is the way back.
 *
 * The prepared grid covers the scan's own box edge to edge, so after flooring the size its true spacing (in `affine`)
 * is up to one voxel in the scan's length wider than configured. That is what makes the way back exact.
 */
import {
  type Affine,
  type IntensityScale,
  type LabelClass,
  reorient,
  requireSameGrid,
  resizeCubic,
  resizedAffine,
  resizeLabels,
  type Size3,
  spacingMm,
  type Vector3,
  type Volume,
} from '@quickcolumn/volume';
import type { PreparationConfig } from './config.js';
import { LabelValueError } from './errors.js';
import { scaleIntensity, standardizeInPlace, zScoreOf } from './intensity.js';
import { mapLabels } from './label-map.js';

/** The way back to the scan's own grid; plain JSON. */
export interface Undo {
  readonly originalSize: Size3;
  readonly originalAffine: Affine;
  /** Size after bringing the axes to L-P-S, before resampling. */
  readonly reorientedSize: Size3;
}

export interface PreparedScan {
  /** Z-scored values on the prepared grid, x fastest. */
  readonly image: Float32Array;
  readonly size: Size3;
  /** Of the prepared grid, orientation L-P-S. */
  readonly affine: Affine;
  /** The classes' values (not their indices, nor the file's values) on the prepared grid. */
  readonly labels?: Uint8Array;
  /** What air looks like in `image`: the value to pad with. */
  readonly airValue: number;
  readonly undo: Undo;
  readonly scale: IntensityScale;
  /** Of the values in 0–255 after resampling, before the z-score. */
  readonly mean: number;
  readonly sd: number;
}

export interface PrepareOptions {
  /** On the image's own grid; after the mapping of the configuration every value is a class's or the label to ignore. */
  readonly labels?: Volume<Uint8Array>;
  /** What errors call the image and the labels; a path or a case name. */
  readonly name?: string;
  readonly labelName?: string;
}

/**
 * Prepares one scan. The inputs are not changed.
 * @throws GridMismatchError when the labels are not on the image's grid, LabelValueError for undeclared label values,
 * DefectError for voxels that are not finite; what else may be wrong with a scan, `scanDefects` tells before
 */
export function prepareScan(image: Volume, config: PreparationConfig, options: PrepareOptions = {}): PreparedScan {
  const { labels: file, name = 'image', labelName = name } = options;
  const labels = file && { ...file, voxels: mapLabels(file.voxels, config) };
  if (labels) {
    requireSameGrid(labels, image, `label map ${labelName}`, `scan ${name}`);
    checkLabelValues(labels.voxels, config.classes, labelName, config.ignoreLabel);
  }
  const upright = reorient(image);
  const reorientedSize = upright.size;
  const size = preparedSize(reorientedSize, spacingMm(upright.affine), config.spacingMm);
  const scaled = scaleIntensity(upright.voxels, config, name);
  const resampled = sameSize(size, reorientedSize) ? scaled.voxels : resizeCubic(scaled.voxels, reorientedSize, size);
  const score = standardizeInPlace(resampled, config.intensity);
  return {
    image: resampled,
    size,
    affine: resizedAffine(upright.affine, reorientedSize, size),
    ...(labels && { labels: prepareLabels(labels, size, valuesOf(config)) }),
    airValue: Math.fround(zScoreOf(scaled.air, score)),
    undo: { originalSize: image.size, originalAffine: image.affine, reorientedSize },
    scale: scaled.scale,
    ...score,
  };
}

/** floor(size · old / new spacing), at least 1, along each axis. */
export function preparedSize(size: Size3, oldMm: Vector3, newMm: Vector3): Size3 {
  // Files store spacings in float32: 256 voxels of 1.5800001 mm must not become 255 of 1.58 mm, nor the reverse.
  const along = (axis: number): number => Math.max(1, Math.floor((size[axis] * oldMm[axis]) / newMm[axis] + 1e-4));
  return [along(0), along(1), along(2)];
}

/** Throws LabelValueError unless every voxel has the value of a declared class, or the one to ignore. */
export function checkLabelValues(
  labels: Uint8Array,
  classes: readonly LabelClass[],
  labelName: string,
  ignoreLabel?: number,
): void {
  const counts = new Float64Array(256);
  for (let at = 0; at < labels.length; at++) counts[labels[at]]++;
  for (const { value } of classes) counts[value] = 0;
  if (ignoreLabel !== undefined) counts[ignoreLabel] = 0;
  const undeclared = [...counts.entries()].filter(([, count]) => count > 0);
  if (undeclared.length > 0) {
    throw new LabelValueError(
      labelName,
      undeclared,
      classes.map(({ value, name }) => `${value} ${name}`),
    );
  }
}

/** Every value that label files may have. */
function valuesOf({ classes, ignoreLabel }: PreparationConfig): number[] {
  const values = classes.map(({ value }) => value);
  return ignoreLabel === undefined ? values : [...values, ignoreLabel];
}

function prepareLabels(labels: Volume<Uint8Array>, size: Size3, values: readonly number[]): Uint8Array {
  const upright = reorient(labels);
  if (!sameSize(size, upright.size)) {
    return resizeLabels(upright.voxels, upright.size, size, values);
  }
  // reorient hands back the caller's own array when nothing moves.
  return upright.voxels === labels.voxels ? upright.voxels.slice() : upright.voxels;
}

function sameSize(a: Size3, b: Size3): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}
