/**
 * What clinicians read from a label map: lesion volume, number of lesions, mean HU in the lesions and in each lung, and
 * the infected share of each lung.
 *
 * A lesion is a connected component of the lesion classes, touching by faces, edges or corners (26), of at least a
 * minimum volume: specks of a few voxels are not counted (their volume is). Mean HU exists for scans in HU only: one that
 * was windowed to 0–255 has lost them. The trap is one lesion over several components, or several that touch: the count
 * is of the mask, not of the disease.
 */
import {
  connectedComponents,
  intensityScaleOf,
  type LabelClass,
  type Volume,
  voxelVolumeMm3,
} from '@quickcolumn/volume';
import { type Box, boxSize, type LabelExtents, labelExtents } from './extents.js';
import { type LungInvolvement, measureInvolvement } from './involvement.js';
import { metricOf } from './metric.js';
import { indexSurface, type SurfaceIndex } from './nearest.js';
import { type LungValues, rolesOf } from './roles.js';
import { cropMask, surfaceOf, valueSet } from './surface.js';

/** Smaller components are not counted as lesions: 0.05 ml, a ball of 4.6 mm. */
export const defaultMinimumLesionMl = 0.05;

export interface QuantityOptions {
  /** The scan, on the grid of the label map; without it, or where it is not in HU, mean HU is null. */
  readonly image?: Volume | undefined;
  /** Default 0.05 ml. */
  readonly minimumLesionMl?: number | undefined;
}

/** Voxels and volume of one class. */
export interface ClassVolume {
  readonly value: number;
  readonly voxels: number;
  readonly volumeMl: number;
}

/** Numbers of one label map; mean HU is null without voxels and for scans not in HU. */
export interface LabelQuantities {
  readonly lesionMl: number;
  /** Connected components (26) of at least the minimum volume. */
  readonly lesionCount: number;
  readonly lesionMeanHu: number | null;
  /** Of the voxels labelled as lung, the lesions left out; null without lungs. */
  readonly leftLungMeanHu: number | null;
  readonly rightLungMeanHu: number | null;
}

/** Numbers of a predicted mask. */
export interface MaskQuantities extends LabelQuantities {
  /** Name of the class that lesions are of; of several, joined by ` + `. */
  readonly lesion: string;
  readonly minimumLesionMl: number;
  /** null where the classes hold no pair of lungs, or the map shows no lung. */
  readonly infectedShare: Readonly<Record<'left' | 'right' | 'both', number | null>> | null;
}

export interface MaskMeasurement {
  /** In the order of the classes, the background among them. */
  readonly volumes: readonly ClassVolume[];
  /** null where no class is a lesion. */
  readonly quantities: MaskQuantities | null;
}

/** Where the lesions of a label map are, and what else is known of it. */
export interface LesionPlaces {
  readonly lesions: readonly number[];
  readonly lungs: LungValues | null;
  /** Holds every voxel of the lesion classes; null without any. */
  readonly box: Box | null;
}

/** Quantities of one label map; the image, if any, must be in HU. */
export function labelQuantities(
  { voxels, size, affine }: Volume<Uint8Array>,
  { lesions, lungs, box }: LesionPlaces,
  imageHu: Volume | undefined,
  minimumLesionMl: number,
): LabelQuantities {
  const voxelMl = voxelVolumeMm3(affine) / 1000;
  const mask = box === null ? new Uint8Array(0) : cropMask(voxels, size, box, valueSet(...lesions));
  const { sizes } = box === null ? { sizes: [0] } : connectedComponents(mask, boxSize(box), { connectivity: 26 });
  let lesionVoxels = 0;
  let lesionCount = 0;
  for (let n = 1; n < sizes.length; n++) {
    lesionVoxels += sizes[n];
    // A volume that just suffices must not fail by rounding.
    if (sizes[n] * voxelMl >= minimumLesionMl * (1 - 1e-9)) lesionCount++;
  }
  const meanHu = imageHu === undefined ? () => null : meansByLabel(voxels, imageHu.voxels);
  return {
    lesionMl: lesionVoxels * voxelMl,
    lesionCount,
    lesionMeanHu: meanHu(...lesions),
    leftLungMeanHu: lungs === null ? null : meanHu(lungs.left),
    rightLungMeanHu: lungs === null ? null : meanHu(lungs.right),
  };
}

/**
 * Measures a predicted mask by the roles of its classes. Shares and HU are of the mask, whatever it misses.
 * @throws VolumeError when the voxels do not fit the size
 */
export function measureMask(
  labels: Volume<Uint8Array>,
  classes: readonly LabelClass[],
  options: QuantityOptions = {},
): MaskMeasurement {
  const extents = labelExtents(labels.voxels, labels.size);
  const voxelMl = voxelVolumeMm3(labels.affine) / 1000;
  const volumes = classes.map(({ value }) => ({
    value,
    voxels: extents.counts[value],
    volumeMl: extents.counts[value] * voxelMl,
  }));
  const { lungs, lesions, lesionName } = rolesOf(classes);
  if (lesions.length === 0) return { volumes, quantities: null };
  const { image, minimumLesionMl = defaultMinimumLesionMl } = options;
  const imageHu = image !== undefined && intensityScaleOf(image.voxels) === 'hu' ? image : undefined;
  const places = { lesions, lungs, box: extents.boxOf(...lesions) };
  const shares = lungs === null ? null : involvementOf(labels, lungs, lesions, extents);
  return {
    volumes,
    quantities: {
      lesion: lesionName,
      minimumLesionMl,
      ...labelQuantities(labels, places, imageHu, minimumLesionMl),
      infectedShare: shares === null ? null : { left: shares.left, right: shares.right, both: shares.both },
    },
  };
}

function involvementOf(
  { voxels, size, affine }: Volume<Uint8Array>,
  lungs: LungValues,
  lesions: readonly number[],
  { counts, boxOf }: LabelExtents,
): LungInvolvement | null {
  const metric = metricOf(affine);
  const indexOf = (value: number): SurfaceIndex | null => {
    const box = boxOf(value);
    if (box === null) return null;
    return indexSurface(surfaceOf(cropMask(voxels, size, box, valueSet(value)), boxSize(box)), box, metric);
  };
  const values = valueSet(...lesions);
  const infection = { labels: voxels, size, values, box: boxOf(...lesions) };
  const voxelCounts = {
    leftVoxels: counts[lungs.left],
    rightVoxels: counts[lungs.right],
    infectionVoxels: lesions.reduce((sum, value) => sum + counts[value], 0),
  };
  const surfaces = { left: indexOf(lungs.left), right: indexOf(lungs.right) };
  return measureInvolvement(infection, voxelCounts, surfaces, voxelVolumeMm3(affine) / 1000);
}

/** Mean intensity of labels; null without voxels, or where one of them is not finite. */
function meansByLabel(labels: Uint8Array, image: Volume['voxels']): (...values: readonly number[]) => number | null {
  const sums = new Float64Array(256);
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === 0) continue;
    sums[label] += image[i];
    counts[label]++;
  }
  const total = (of: Float64Array, values: readonly number[]): number => values.reduce((sum, v) => sum + of[v], 0);
  return (...values) => {
    const mean = total(sums, values) / total(counts, values);
    return Number.isFinite(mean) ? mean : null;
  };
}
