/**
 * What clinicians read from a label map: lesion volume, number of lesions, mean HU in the lesions and in each lung, and
 * the infected share of each lung.
 *
 * A lesion is a connected component of the lesion class, touching by faces, edges or corners (26), of at least a minimum
 * volume: specks of a few voxels are not counted (their volume is). Mean HU exists for scans in HU only: one that was
 * windowed to 0–255 has lost them. The trap is one lesion over several components, or several that touch: the count
 * is of the mask, not of the disease.
 */
import { connectedComponents, spacingMm as spacingOf, type Volume, voxelVolumeMm3 } from '@quickcolumn/volume';
import { type Box, boxSize, countPairs } from './confusion.js';
import { measureInvolvement } from './involvement.js';
import { findLungRoles } from './lung-roles.js';
import { indexRows, type RowIndex } from './nearest.js';
import { cropMask, surfaceOf } from './surface.js';
import type { LabelClass, LabelQuantities, LungInvolvement, LungRoles } from './types.js';

/** Smaller components are not counted as lesions: 0.05 ml, a ball of 4.6 mm. */
export const defaultMinimumLesionMl = 0.05;

export interface QuantityOptions {
  /** The scan, on the grid of the label map; without it, or where it is not in HU, mean HU is null. */
  readonly image?: Volume | undefined;
  /** Default 0.05 ml. */
  readonly minimumLesionMl?: number | undefined;
}

/** What `predict` writes beside a mask. */
export interface MaskQuantities extends LabelQuantities {
  /** Name of the class that lesions are of. */
  readonly lesion: string;
  readonly minimumLesionMl: number;
  /** null where the classes hold no pair of lungs, or the map shows no lung. */
  readonly infectedShare: Readonly<Record<'left' | 'right' | 'both', number | null>> | null;
}

/** Whether a scan is in HU: spec section 3, a minimum below −200 can be nothing else. */
export function holdsHu({ voxels }: Volume): boolean {
  for (let i = 0; i < voxels.length; i++) if (voxels[i] < -200) return true;
  return false;
}

/** The class that lesions are of, by its name: infection, lesion or tumour; undefined without one. */
export function lesionClass(classes: readonly LabelClass[]): LabelClass | undefined {
  return classes.find((one) => one.value !== 0 && /infect|lesion|tumou?r/i.test(one.name));
}

/** Where the lesions of a label map are, and what else is known of it. */
export interface LesionPlaces {
  readonly lesion: number;
  readonly roles: LungRoles | null;
  /** Holds every voxel of the lesion class; null without any. */
  readonly box: Box | null;
}

/** Quantities of one label map; the image, if any, must be in HU. */
export function labelQuantities(
  { voxels, size, affine }: Volume<Uint8Array>,
  { lesion, roles, box }: LesionPlaces,
  imageHu: Volume | undefined,
  minimumLesionMl: number,
): LabelQuantities {
  const voxelMl = voxelVolumeMm3(affine) / 1000;
  const mask = box === null ? new Uint8Array(0) : cropMask(voxels, size, box, lesion);
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
    lesionMeanHu: meanHu(lesion),
    leftLungMeanHu: roles === null ? null : meanHu(roles.leftLung),
    rightLungMeanHu: roles === null ? null : meanHu(roles.rightLung),
  };
}

/**
 * Quantities of a predicted mask, for the file beside it; null where no class is called infection, lesion or tumour.
 * Shares and HU are of the mask, whatever it misses.
 */
export function maskQuantities(
  labels: Volume<Uint8Array>,
  classes: readonly LabelClass[],
  options: QuantityOptions = {},
): MaskQuantities | null {
  const lesion = lesionClass(classes);
  if (lesion === undefined) return null;
  const { image, minimumLesionMl = defaultMinimumLesionMl } = options;
  const roles = findLungRoles(classes);
  const { boxOf, counts } = countPairs(labels.voxels, labels.voxels, labels.size);
  const places = { lesion: lesion.value, roles, box: boxOf(lesion.value) };
  const imageHu = image !== undefined && holdsHu(image) ? image : undefined;
  const voxelsOf = (value: number): number => counts[value * 257];
  const involvement = roles === null ? null : involvementOf(labels, roles, boxOf, voxelsOf);
  return {
    lesion: lesion.name,
    minimumLesionMl,
    ...labelQuantities(labels, places, imageHu, minimumLesionMl),
    infectedShare:
      involvement === null ? null : { left: involvement.left, right: involvement.right, both: involvement.both },
  };
}

function involvementOf(
  { voxels, size, affine }: Volume<Uint8Array>,
  roles: LungRoles,
  boxOf: (value: number) => Box | null,
  voxelsOf: (value: number) => number,
): LungInvolvement | null {
  const rowsOf = (value: number): RowIndex | null => {
    const box = boxOf(value);
    return box === null ? null : indexRows(surfaceOf(cropMask(voxels, size, box, value), boxSize(box)), box);
  };
  const value = roles.infection;
  const infection = { labels: voxels, size, spacingMm: spacingOf(affine), value, box: boxOf(value) };
  const counts = {
    leftVoxels: voxelsOf(roles.leftLung),
    rightVoxels: voxelsOf(roles.rightLung),
    infectionVoxels: voxelsOf(value),
  };
  const rows = { left: rowsOf(roles.leftLung), right: rowsOf(roles.rightLung) };
  return measureInvolvement(infection, counts, rows, voxelVolumeMm3(affine) / 1000);
}

/** Mean intensity of each label; null without voxels, or where one of them is not finite. */
function meansByLabel(labels: Uint8Array, image: Volume['voxels']): (value: number) => number | null {
  const sums = new Float64Array(256);
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === 0) continue;
    sums[label] += image[i];
    counts[label]++;
  }
  return (value) => {
    const mean = sums[value] / counts[value];
    return Number.isFinite(mean) ? mean : null;
  };
}
