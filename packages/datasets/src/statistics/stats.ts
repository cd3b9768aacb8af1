/**
 * What a dataset is like: sizes and spacings, volumes and intensities of its classes, the shape after resampling and a
 * patch that fits it. One case is in memory at a time.
 *
 * Intensities are counted in bins: HU from the lowest to the highest clipped value of the preparation, 0–255 scans apart,
 * because the two scales cannot share an axis.
 */
import { type HeaderAssumptions, readLabels, readVolume } from '@quickcolumn/io';
import type { CaseSplit, ListedCase } from '@quickcolumn/cases';
import { detectScale, mapLabels, type PreparationConfig, preparedSize } from '@quickcolumn/pipeline';
import {
  type IntensityScale,
  reorientation,
  requireSameGrid,
  type Size3,
  spacingMm,
  type Vector3,
  type Volume,
  voxelVolumeMm3,
} from '@quickcolumn/volume';
import { suggestPatch } from './suggest-patch.js';

/** Bins of each histogram. */
export const binCount = 60;

/** Counts of intensities; bin i covers [low + i·width, low + (i+1)·width), the outer bins also what lies beyond. */
export interface Histogram {
  readonly scale: IntensityScale;
  readonly low: number;
  readonly high: number;
  /** Per class in the order of the classes, `binCount` each; without labels everything counts as the first class. */
  readonly counts: readonly (readonly number[])[];
}

export interface CaseStats {
  readonly name: string;
  readonly patient: string;
  readonly split: CaseSplit;
  readonly scale: IntensityScale;
  /** Along the scan's own axes. */
  readonly size: Size3;
  readonly spacingMm: Vector3;
  /** In L-P-S order, after resampling to the preparation's spacing. */
  readonly preparedSize: Size3;
  /** Per class; absent without labels. */
  readonly volumeMl?: readonly number[];
}

export interface DatasetStats {
  readonly cases: readonly CaseStats[];
  readonly classes: readonly { readonly value: number; readonly name: string }[];
  /** In L-P-S order, along each axis for itself. */
  readonly medianSpacingMm: Vector3;
  readonly medianShape: Size3;
  readonly spacingAfterMm: Vector3;
  readonly medianShapeAfter: Size3;
  readonly suggestedPatch: Size3;
  /** One for each scale that occurs. */
  readonly histograms: readonly Histogram[];
}

export interface StatsOptions {
  /** Voxels of the suggested patch at most; default the paper's 160·160·80. */
  readonly patchVoxels?: number;
  /** What is known of files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
  readonly onCase?: (name: string, index: number) => void;
}

/**
 * Measures every case. Throws what the readers throw, and GridMismatchError for labels of another grid: check a dataset
 * before it is measured.
 */
export async function datasetStats(
  cases: readonly ListedCase[],
  preparation: PreparationConfig,
  options: StatsOptions = {},
): Promise<DatasetStats> {
  const { classes } = preparation;
  const { assume } = options;
  const stats: CaseStats[] = [];
  const upright: { size: Size3; spacing: Vector3 }[] = [];
  const histograms = new Map<IntensityScale, { low: number; high: number; counts: number[][] }>();
  for (const [index, entry] of cases.entries()) {
    options.onCase?.(entry.name, index);
    const image = await readVolume(entry.imagePath, { assume });
    const file = entry.labelPath === undefined ? undefined : await readLabels(entry.labelPath, { assume });
    const labels = file && { ...file, voxels: mapLabels(file.voxels, preparation) };
    if (labels !== undefined) requireSameGrid(labels, image, `label map ${entry.labelPath}`, `scan ${entry.imagePath}`);
    const scale = detectScale(image.voxels, entry.imagePath);
    const [low, high] = scale === 'hu' ? preparation.clipHu : [0, 255];
    const histogram = histograms.get(scale) ?? { low, high, counts: classes.map(() => zeros(binCount)) };
    histograms.set(scale, histogram);
    // What is ignored, or no class, is in no histogram.
    const classOf = new Uint8Array(256).fill(noClass);
    classes.forEach(({ value }, c) => {
      classOf[value] = c;
    });
    countIntensities(image, labels, histogram, classOf);
    const grid = uprightGrid(image);
    upright.push(grid);
    stats.push({
      name: entry.name,
      patient: entry.patient,
      split: entry.split,
      scale,
      size: image.size,
      spacingMm: spacingMm(image.affine),
      preparedSize: preparedSize(grid.size, grid.spacing, preparation.spacingMm),
      ...(labels && { volumeMl: classVolumes(labels, classes) }),
    });
  }
  const medianOf = (pick: (index: number) => Vector3): Vector3 => {
    const along = (axis: number): number => median(stats.map((_, index) => pick(index)[axis]));
    return [along(0), along(1), along(2)];
  };
  const medianShapeAfter = medianOf((index) => stats[index].preparedSize);
  return {
    cases: stats,
    classes: classes.map(({ value, name }) => ({ value, name })),
    medianSpacingMm: medianOf((index) => upright[index].spacing),
    medianShape: medianOf((index) => upright[index].size),
    spacingAfterMm: preparation.spacingMm,
    medianShapeAfter,
    suggestedPatch: suggestPatch(medianShapeAfter, options.patchVoxels),
    histograms: [...histograms].map(([scale, histogram]) => ({ scale, ...histogram })),
  };
}

/** There are at most 255 classes beside it. */
const noClass = 255;

function countIntensities(
  image: Volume,
  labels: Volume<Uint8Array> | undefined,
  histogram: { readonly low: number; readonly high: number; readonly counts: number[][] },
  classOf: Uint8Array,
): void {
  const { low, high, counts } = histogram;
  const scale = binCount / (high - low);
  const { voxels } = image;
  for (let i = 0; i < voxels.length; i++) {
    const bin = Math.floor((voxels[i] - low) * scale);
    const c = labels === undefined ? 0 : classOf[labels.voxels[i]];
    if (c !== noClass) counts[c][bin < 0 ? 0 : bin >= binCount ? binCount - 1 : bin]++;
  }
}

function classVolumes(labels: Volume<Uint8Array>, classes: readonly { readonly value: number }[]): number[] {
  const counts = new Float64Array(256);
  for (const value of labels.voxels) counts[value]++;
  const voxelMl = voxelVolumeMm3(labels.affine) / 1000;
  return classes.map(({ value }) => counts[value] * voxelMl);
}

/** Size and spacing along L, P, S. */
function uprightGrid({ size, affine }: Volume): { size: Size3; spacing: Vector3 } {
  const [a, b, c] = reorientation(affine).permutation;
  const spacing = spacingMm(affine);
  return { size: [size[a], size[b], size[c]], spacing: [spacing[a], spacing[b], spacing[c]] };
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

/** The middle value; the mean of the two middle ones of an even number, rounded down for whole numbers. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  const mean = (sorted[middle - 1] + sorted[middle]) / 2;
  return values.every(Number.isInteger) ? Math.floor(mean) : mean;
}
