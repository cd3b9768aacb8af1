/**
 * Doubts about the lungs of a mask: missing, of a volume or a ratio that no adult's have, in pieces, exchanged, or where no
 * air is. Only where the classes
 * declare both lungs. A lung is counted with the lesions in it. Volume and ratio of lungs that the scan cuts are not judged.
 *
 * Volumes: 4468 ± 1271 ml in 564 adults in inspiration (Cheng et al. 2019, https://doi.org/10.2147/COPD.S187596).
 * Ratio: the right lung has 53.6 ± 1.5 % of both, 50.6 to 57.4 % in 32 adults (Yamada et al. 2020,
 * https://pmc.ncbi.nlm.nih.gov/articles/PMC7490509/table/T3); the limits leave room for disease and children.
 */
import { type LungValues, type MaskMeasurement, valueSet } from '@quickcolumn/measure';
import { connectedComponents, distanceTransform } from '@quickcolumn/volume';
import type { CoarseMask } from './coarse-mask.js';
import type { Doubt } from './doubts.js';

/** What experts drew in 12 scans: 2231 to 5791 ml, left over right 0.74 to 0.95, at most 0.009 apart and 0.001 in tissue. */
export const lungLimits = {
  /** Both lungs, ml. */
  ml: [1000, 8500],
  /** Left over right. */
  ratio: [0.6, 1.2],
  /** A lung of less than this share of the other is missing; where both have less than so many ml, both are. */
  missing: { share: 0.1, ml: 100 },
  /** Share of a lung that may lie apart from its largest piece. */
  apart: 0.05,
  /** Share of the lungs that may lie more than so many mm from air that the body encloses. */
  tissue: { mm: 10, share: 0.03 },
} as const;
/** Lungs that meet a border of the scan with this area go on beyond it. */
const cutCm2 = 15;

export interface LungMeasures {
  /** With the lesions that are nearer to this lung than to the other. */
  readonly leftMl: number;
  readonly rightMl: number;
  /** Share of each lung's voxels outside its largest piece; 0 for none. Pieces are joined through lesions. */
  readonly leftApart: number;
  readonly rightApart: number;
  /** How far the middle of the left lung lies to the left of the other's; null where one is missing. */
  readonly leftwardsMm: number | null;
  /** Share of the lungs that lies far from air that the body encloses; 0 for none. */
  readonly inTissue: number;
  /** The mask's lungs end at a border of the scan. */
  readonly isCut: boolean;
}

export function measureLungs(
  mask: CoarseMask,
  lungs: LungValues,
  lesions: readonly number[],
  { volumes, quantities }: MaskMeasurement,
): LungMeasures {
  const ml = (value: number, share: number | null | undefined): number => {
    const { volumeMl } = volumes.find((one) => one.value === value) ?? { volumeMl: 0 };
    return typeof share === 'number' && share < 1 ? volumeMl / (1 - share) : volumeMl;
  };
  const shares = quantities?.infectedShare;
  return {
    leftMl: ml(lungs.left, shares?.left),
    rightMl: ml(lungs.right, shares?.right),
    leftApart: shareApart(mask, lungs.left, lesions),
    rightApart: shareApart(mask, lungs.right, lesions),
    leftwardsMm: leftwardsMm(mask, lungs),
    inTissue: shareInTissue(mask, lungs),
    isCut: isCut(mask, lungs),
  };
}

/** @param isPart the scan shows a part of the chest, as it was judged before */
export function lungDoubts(measured: LungMeasures, isPart: boolean): Doubt[] {
  const { leftMl, rightMl, leftApart, rightApart } = measured;
  const both = leftMl + rightMl;
  const told = (volume: number): string => volume.toFixed(0);
  const { ml, ratio: ratios, missing, apart: mostApart } = lungLimits;
  const cut = isPart || measured.isCut;
  if (both < missing.ml) {
    // A slice at the end of the lungs shows little of them.
    if (cut) return [];
    const message = `the mask shows ${told(both)} ml of lungs; look whether this is a chest CT, and how it lies`;
    return [{ id: 'lungs-missing', message, value: both }];
  }
  const [less, more, side] = leftMl < rightMl ? [leftMl, rightMl, 'left'] : [rightMl, leftMl, 'right'];
  const found: Doubt[] = [];
  if (less < missing.share * more) {
    const message =
      `the ${side} lung has ${told(less)} ml, the other ${told(more)} ml; look whether it is collapsed, removed, ` +
      'beyond the scan, or missed';
    found.push({ id: 'lungs-missing', message, value: less });
  } else if (!cut) {
    const ratio = leftMl / rightMl;
    if (ratio < ratios[0] || ratio > ratios[1]) {
      const message =
        `the left lung has ${ratio.toFixed(2)} times the volume of the right (${told(leftMl)} and ${told(rightMl)} ml), ` +
        `expected ${ratios[0]} to ${ratios[1]}; look whether parts of one are missed or given to the other`;
      found.push({ id: 'lung-ratio', message, value: ratio });
    }
  }
  if (!cut && (both < ml[0] || both > ml[1])) {
    const message =
      `the lungs have ${told(both)} ml, those of adults ${ml[0]} to ${ml[1]} ml; look whether parts are missed, or air ` +
      'around the body or in the bowel is taken for lung';
    found.push({ id: 'lung-volume', message, value: both });
  }
  const { leftwardsMm: leftwards, inTissue } = measured;
  if (leftwards !== null && leftwards < 0) {
    const message =
      `the left lung lies ${(-leftwards).toFixed(0)} mm to the right of the right lung; look whether the scan, or the labels ` +
      'that the model was trained on, are mirrored';
    found.push({ id: 'lungs-exchanged', message, value: leftwards });
  }
  // At a border of the scan a lung's air is not enclosed.
  if (!cut && inTissue > lungLimits.tissue.share) {
    const { mm, share } = lungLimits.tissue;
    const message =
      `${(100 * inTissue).toFixed(0)} % of the lungs lie more than ${mm} mm from all air in the body, expected at most ` +
      `${100 * share} %; look whether the mask lies where the lungs are`;
    found.push({ id: 'lungs-in-tissue', message, value: inTissue });
  }
  for (const [name, apart] of [
    ['left', leftApart],
    ['right', rightApart],
  ] as const) {
    if (apart <= mostApart) continue;
    const percent = (100 * apart).toFixed(0);
    const message = `${percent} % of the ${name} lung lie apart from the rest of it; look at the pieces, on the other side as well`;
    found.push({ id: 'lung-pieces', message, value: apart });
  }
  return found;
}

function shareApart({ labels, size }: CoarseMask, lung: number, lesions: readonly number[]): number {
  const values = valueSet(lung, ...lesions);
  const components = connectedComponents(
    labels.map((label) => values[label]),
    size,
  );
  const counts = new Float64Array(components.count + 1);
  let all = 0;
  for (let at = 0; at < labels.length; at++) {
    if (labels[at] !== lung) continue;
    counts[components.labels[at]]++;
    all++;
  }
  return all === 0 ? 0 : 1 - counts.reduce((most, one) => Math.max(most, one), 0) / all;
}

/** In the grid x grows to the left. */
function leftwardsMm({ labels, size, mm }: CoarseMask, { left, right }: LungValues): number | null {
  const sums = new Float64Array(256);
  const counts = new Float64Array(256);
  for (let at = 0; at < labels.length; at++) {
    sums[labels[at]] += at % size[0];
    counts[labels[at]]++;
  }
  if (counts[left] === 0 || counts[right] === 0) return null;
  return (sums[left] / counts[left] - sums[right] / counts[right]) * mm[0];
}

function shareInTissue({ labels, size, mm, air }: CoarseMask, { left, right }: LungValues): number {
  const distance = distanceTransform(air, size, mm);
  let [all, far] = [0, 0];
  for (let at = 0; at < labels.length; at++) {
    if (labels[at] !== left && labels[at] !== right) continue;
    all++;
    if (distance[at] > lungLimits.tissue.mm) far++;
  }
  return all === 0 ? 0 : far / all;
}

function isCut({ labels, size: [nx, ny, nz], mm: [sx, sy, sz] }: CoarseMask, { left, right }: LungValues): boolean {
  const mm2 = new Float64Array(6);
  for (let z = 0, at = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, at++) {
        if (labels[at] !== left && labels[at] !== right) continue;
        if (x === 0) mm2[0] += sy * sz;
        if (x === nx - 1) mm2[1] += sy * sz;
        if (y === 0) mm2[2] += sx * sz;
        if (y === ny - 1) mm2[3] += sx * sz;
        if (z === 0) mm2[4] += sx * sy;
        if (z === nz - 1) mm2[5] += sx * sy;
      }
    }
  }
  return mm2.some((area) => area >= 100 * cutCm2);
}
