/**
 * What is remembered of the scans a model was trained on: spacing, field of view, intensities, volumes of the classes.
 * A model file holds the ranges, and prediction compares a scan with them. Axes are the patient's (left, back, up), so that it
 * does not matter in which order a scan was stored.
 *
 * Intensities are quartiles inside the body, of the prepared values in 0–255 before the z-score: air around the patient
 * would make them a measure of the field of view.
 */
import { enclosedAir } from '@quickcolumn/defects';
import { reorientation, spacingMm, type Vector3 } from '@quickcolumn/volume';
import { z } from 'zod';
import type { PreparedScan } from './prepare.js';

/**
 * What `intensities` are quartiles of: dark voxels inside the body, lungs most of them, and the others. Quartiles of all would
 * jump where lungs end and tissue begins.
 */
export const intensityQuartiles: readonly { readonly of: 'air' | 'tissue'; readonly share: number }[] = [
  { of: 'air', share: 0.25 },
  { of: 'air', share: 0.5 },
  { of: 'air', share: 0.75 },
  { of: 'tissue', share: 0.25 },
  { of: 'tissue', share: 0.5 },
  { of: 'tissue', share: 0.75 },
];

/** Facts of one scan. */
export interface ScanFacts {
  /** Of the scan as it was stored, along L, P, S. */
  readonly spacingMm: Vector3;
  readonly fieldMm: Vector3;
  /** In 0–255, in the order of `intensityQuartiles`; null where there is too little of a body or of air in it. */
  readonly intensities: readonly number[] | null;
  /** By the value of each class but the background; undefined without labels. */
  readonly volumesMl?: Readonly<Record<string, number>>;
}

export type FactRange = readonly [lowest: number, highest: number];
type AxisRanges = readonly [FactRange, FactRange, FactRange];

/** Ranges over the scans that a model was trained on. */
export interface TrainingScans {
  readonly cases: number;
  readonly spacingMm: AxisRanges;
  readonly fieldMm: AxisRanges;
  /** In the order of `intensityQuartiles`. */
  readonly intensities: readonly FactRange[];
  readonly volumesMl: Readonly<Record<string, FactRange>>;
}

const range = z.tuple([z.number(), z.number()]);
const axes = z.tuple([range, range, range]);
export const trainingScansSchema: z.ZodType<TrainingScans> = z.object({
  cases: z.int().positive(),
  spacingMm: axes,
  fieldMm: axes,
  intensities: z.array(range).length(intensityQuartiles.length),
  volumesMl: z.record(z.string(), range),
});

/** Darker pixels that are joined with the rim of a slice are the air around the body; −500 HU of a window of −1250 to 250. */
const airBelow = 127;

/** @param scan keeps its arrays unchanged; with labels their volumes are among the facts */
export function scanFacts(scan: Omit<PreparedScan, 'airValue' | 'scale'>): ScanFacts {
  const { undo, labels, affine } = scan;
  const { permutation } = reorientation(undo.originalAffine);
  const stored = spacingMm(undo.originalAffine);
  const upright: Vector3 = [stored[permutation[0]], stored[permutation[1]], stored[permutation[2]]];
  const [nx, ny, nz] = undo.reorientedSize;
  const facts = {
    spacingMm: upright,
    fieldMm: [nx * upright[0], ny * upright[1], nz * upright[2]] as const,
    intensities: intensitiesInside(scan),
  };
  if (labels === undefined) return facts;
  const counts = new Float64Array(256);
  for (let at = 0; at < labels.length; at++) counts[labels[at]]++;
  const voxelMl = spacingMm(affine).reduce((product, mm) => product * mm, 1e-3);
  const present = [...counts.keys()].filter((value) => value > 0 && counts[value] > 0);
  return { ...facts, volumesMl: Object.fromEntries(present.map((value) => [value, counts[value] * voxelMl])) };
}

/** The ranges of several scans; undefined where none shows a body. Rounded: a model file is no list of its cases. */
export function trainingScans(all: readonly ScanFacts[]): TrainingScans | undefined {
  const rangeOf = (values: readonly number[]): FactRange => [
    Number(Math.min(...values).toPrecision(4)),
    Number(Math.max(...values).toPrecision(4)),
  ];
  const seen = all.flatMap(({ intensities }) => (intensities === null ? [] : [intensities]));
  if (seen.length === 0) return undefined;
  const along = (key: 'spacingMm' | 'fieldMm', axis: number): FactRange => rangeOf(all.map((one) => one[key][axis]));
  const axesOf = (key: 'spacingMm' | 'fieldMm'): AxisRanges => [along(key, 0), along(key, 1), along(key, 2)];
  const values = [...new Set(all.flatMap(({ volumesMl = {} }) => Object.keys(volumesMl)))];
  return {
    cases: all.length,
    spacingMm: axesOf('spacingMm'),
    fieldMm: axesOf('fieldMm'),
    intensities: intensityQuartiles.map((_, n) => rangeOf(seen.map((one) => one[n]))),
    volumesMl: Object.fromEntries(
      values.map((value) => [value, rangeOf(all.map(({ volumesMl = {} }) => volumesMl[value] ?? 0))]),
    ),
  };
}

/** Quartiles of histograms with a bin for each whole number; null where less than a hundredth of the scan is in one. */
function intensitiesInside({
  image,
  size: [nx, ny, nz],
  mean,
  sd,
}: Pick<PreparedScan, 'image' | 'size' | 'mean' | 'sd'>): number[] | null {
  const counts = { air: new Float64Array(256), tissue: new Float64Array(256) };
  for (let k = 0; k < nz; k++) {
    const slice = image.slice(k * nx * ny, (k + 1) * nx * ny).map((value) => value * sd + mean);
    const enclosed = enclosedAir(slice, nx, ny, airBelow);
    for (let at = 0; at < slice.length; at++) {
      const bin = Math.max(0, Math.min(255, Math.round(slice[at])));
      if (enclosed[at] === 1) counts.air[bin]++;
      else if (slice[at] >= airBelow) counts.tissue[bin]++;
    }
  }
  const voxels = (of: 'air' | 'tissue'): number => counts[of].reduce((sum, count) => sum + count, 0);
  const all = { air: voxels('air'), tissue: voxels('tissue') };
  if (Math.min(all.air, all.tissue) < image.length / 100) return null;
  return intensityQuartiles.map(({ of, share }) => {
    let below = 0;
    return counts[of].findIndex((count) => (below += count) >= share * all[of]);
  });
}
