/**
 * Doubts about the lungs of a mask: missing, of a volume or a ratio that no adult's have, or in pieces. Only where the classes
 * declare both lungs. A lung is counted with the lesions in it. Volume and ratio of lungs that the scan cuts are not judged.
 *
 * Volumes: 4468 ± 1271 ml in 564 adults in inspiration (Cheng et al. 2019, https://doi.org/10.2147/COPD.S187596).
 * Ratio: the right lung has 53.6 ± 1.5 % of both, 50.6 to 57.4 % in 32 adults (Yamada et al. 2020,
 * https://pmc.ncbi.nlm.nih.gov/articles/PMC7490509/table/T3); the limits leave room for disease and children.
 */
import { type LungValues, type MaskMeasurement, valueSet } from '@quickcolumn/measure';
import { connectedComponents } from '@quickcolumn/volume';
import type { CoarseMask } from './coarse-mask.js';
import type { Doubt } from './doubts.js';

/** Both lungs, ml. */
const [leastMl, mostMl] = [1000, 8500];
/** Left over right. */
const [leastRatio, mostRatio] = [0.6, 1.2];
/** A lung of less than this share of the other is missing; where both have less than so many ml, both are. */
const [missingShare, missingMl] = [0.1, 100];
/** Share of a lung that may lie apart from its largest piece. */
const mostApart = 0.05;
/** Lungs that meet a border of the scan with this area go on beyond it. */
const cutCm2 = 15;

export interface LungMeasures {
  /** With the lesions that are nearer to this lung than to the other. */
  readonly leftMl: number;
  readonly rightMl: number;
  /** Share of each lung's voxels outside its largest piece; 0 for none. Pieces are joined through lesions. */
  readonly leftApart: number;
  readonly rightApart: number;
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
    isCut: isCut(mask, lungs),
  };
}

/** @param isPart the scan shows a part of the chest, as it was judged before */
export function lungDoubts(measured: LungMeasures, isPart: boolean): Doubt[] {
  const { leftMl, rightMl, leftApart, rightApart } = measured;
  const both = leftMl + rightMl;
  const told = (ml: number): string => ml.toFixed(0);
  const cut = isPart || measured.isCut;
  if (both < missingMl) {
    // A slice at the end of the lungs shows little of them.
    if (cut) return [];
    const message = `the mask shows ${told(both)} ml of lungs; look whether this is a chest CT, and how it lies`;
    return [{ id: 'lungs-missing', message, value: both }];
  }
  const [less, more, side] = leftMl < rightMl ? [leftMl, rightMl, 'left'] : [rightMl, leftMl, 'right'];
  const found: Doubt[] = [];
  if (less < missingShare * more) {
    const message =
      `the ${side} lung has ${told(less)} ml, the other ${told(more)} ml; look whether it is collapsed, removed, ` +
      'beyond the scan, or missed';
    found.push({ id: 'lungs-missing', message, value: less });
  } else if (!cut) {
    const ratio = leftMl / rightMl;
    if (ratio < leastRatio || ratio > mostRatio) {
      const message =
        `the left lung has ${ratio.toFixed(2)} times the volume of the right (${told(leftMl)} and ${told(rightMl)} ml), ` +
        `expected ${leastRatio} to ${mostRatio}; look whether parts of one are missed or given to the other`;
      found.push({ id: 'lung-ratio', message, value: ratio });
    }
  }
  if (!cut && (both < leastMl || both > mostMl)) {
    const message =
      `the lungs have ${told(both)} ml, those of adults ${leastMl} to ${mostMl} ml; look whether parts are missed, or air ` +
      'around the body or in the bowel is taken for lung';
    found.push({ id: 'lung-volume', message, value: both });
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
