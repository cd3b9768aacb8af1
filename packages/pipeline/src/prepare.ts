/**
 * A scan on its way to the network, spec 3: axes to L-P-S, intensities to 0–255, resampling to the configured spacing,
 * z-score; for models of other frameworks their own map of intensities instead (foreign-intensity.ts). Every step is
 * remembered in `undo`, and `restoreProbabilities` (restore.ts) is the way back.
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
  type VoxelArray,
} from '@quickcolumn/volume';
import { LabelValueError } from './errors.js';
import { isForeignPreparation, normaliseIntensity, type ScanPreparation } from './foreign-intensity.js';
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
  /** Z-scored, or otherwise normalised, values on the prepared grid, x fastest. */
  readonly image: Float32Array;
  readonly size: Size3;
  /** Of the prepared grid, orientation L-P-S. */
  readonly affine: Affine;
  /** The classes' values (not their indices, nor the file's values) on the prepared grid. */
  readonly labels?: Uint8Array;
  /** The value to pad with: what air looks like in `image`, or what a model of another framework states. */
  readonly airValue: number;
  readonly undo: Undo;
  readonly scale: IntensityScale;
  /** Of the values in 0–255 after resampling, before the z-score; of the map of a model of another framework. */
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
 * PreparationError for intensities that are not what a model of another framework needs, DefectError for voxels that
 * are not finite; what else may be wrong with a scan, `scanDefects` tells before
 */
export function prepareScan(image: Volume, config: ScanPreparation, options: PrepareOptions = {}): PreparedScan {
  const { labels: file, name = 'image', labelName = name } = options;
  const labels = file && { ...file, voxels: mapLabels(file.voxels, config) };
  if (labels) {
    requireSameGrid(labels, image, `label map ${labelName}`, `scan ${name}`);
    checkLabelValues(labels.voxels, config.classes, labelName, config.ignoreLabel);
  }
  const upright = reorient(image);
  const reorientedSize = upright.size;
  const ownMm = spacingMm(upright.affine);
  const size = preparedSize(reorientedSize, ownMm, config.spacingMm ?? ownMm);
  const prepared = prepareImage(upright.voxels, config, { name, from: reorientedSize, to: size });
  return {
    ...prepared,
    size,
    affine: resizedAffine(upright.affine, reorientedSize, size),
    ...(labels && { labels: prepareLabels(labels, size, valuesOf(config)) }),
    undo: { originalSize: image.size, originalAffine: image.affine, reorientedSize },
  };
}

/** Intensities and resampling, in that order; the z-score of our models comes last. */
function prepareImage(
  voxels: VoxelArray,
  config: ScanPreparation,
  { name, from, to }: { readonly name: string; readonly from: Size3; readonly to: Size3 },
): Pick<PreparedScan, 'image' | 'airValue' | 'scale' | 'mean' | 'sd'> {
  const resized = (values: Float32Array): Float32Array => (sameSize(to, from) ? values : resizeCubic(values, from, to));
  if (isForeignPreparation(config)) {
    const { voxels: normalised, ...rest } = normaliseIntensity(voxels, config.intensity, name);
    return { image: resized(normalised), airValue: config.padding, ...rest };
  }
  const { voxels: scaled, air, scale } = scaleIntensity(voxels, config, name);
  const image = resized(scaled);
  const score = standardizeInPlace(image, config.intensity);
  return { image, airValue: Math.fround(zScoreOf(air, score)), scale, ...score };
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
function valuesOf({ classes, ignoreLabel }: ScanPreparation): number[] {
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
