/**
 * Doubts about a scan that is unlike those that the model was trained on: voxels, field of view, intensities inside the body,
 * volumes of lungs and lesions. Ranges come with the model (`trainingScans`); models without them say nothing. A range of a dozen
 * scans does not hold the next one, so that each is widened.
 */
import type { MaskMeasurement, RoleValues } from '@quickcolumn/measure';
import { type FactRange, intensityQuartiles, type ScanFacts, type TrainingScans } from '@quickcolumn/pipeline';
import type { Doubt, DoubtId } from './doubts.js';

/**
 * How many times smaller or larger than any of the training's. Finer voxels lose nothing on the way to the model's own grid;
 * volumes of lungs and lesions are widely spread.
 */
export const unlikeLimits = {
  spacing: { smaller: 3, larger: 1.25 },
  field: { smaller: 1.25, larger: 1.25 },
  volume: { smaller: 1.5, larger: 1.5 },
  /** How far beyond the range, in 0–255; of 12 scans none is more than 14 beyond the others. */
  intensity: 20,
} as const;

const axisNames = ['from left to right', 'from front to back', 'from head to feet'] as const;

const number = (value: number): string => String(Number(value.toPrecision(3)));
const told = ([low, high]: FactRange): string => (low === high ? number(low) : `${number(low)} to ${number(high)}`);

/** Whether a value is farther from the range than factors allow. */
function isBeyond(value: number, [low, high]: FactRange, allowed: { smaller: number; larger: number }): boolean {
  return value * allowed.smaller < low || value > high * allowed.larger;
}

/** @param isPart the scan shows a part of the chest: neither its length nor its lungs' volumes are judged */
export function unlikeTraining(
  facts: ScanFacts,
  trained: TrainingScans,
  mask: { readonly roles: RoleValues; readonly volumes: MaskMeasurement['volumes']; readonly isPart: boolean },
): Doubt[] {
  return [
    ...unlikeLengths('unlike-spacing', facts.spacingMm, trained.spacingMm, false),
    ...unlikeLengths('unlike-field', facts.fieldMm, trained.fieldMm, mask.isPart),
    ...unlikeIntensities(facts.intensities, trained.intensities),
    ...unlikeVolumes(trained, mask),
  ];
}

function unlikeLengths(
  id: DoubtId,
  values: readonly number[],
  ranges: TrainingScans['spacingMm'],
  isPart: boolean,
): Doubt[] {
  const [what, allowed, advice] =
    id === 'unlike-spacing'
      ? ['voxels of', unlikeLimits.spacing, 'look at small lesions and at outlines']
      : ['a field of view of', unlikeLimits.field, 'look at its rim, and at what else it shows'];
  return values.flatMap((value, axis): Doubt[] => {
    const range = ranges[axis];
    if (!isBeyond(value, range, allowed) || (isPart && value < range[0])) return [];
    const message = `${what} ${number(value)} mm ${axisNames[axis]}; the model was trained on ${told(range)} mm; ${advice}`;
    return [{ id, message, value: Number(value.toPrecision(4)) }];
  });
}

/** The one that is farthest off stands for all: they move together. */
function unlikeIntensities(values: ScanFacts['intensities'], ranges: TrainingScans['intensities']): Doubt[] {
  if (values === null) return [];
  const off = values.map((value, n) => Math.max(ranges[n][0] - value, value - ranges[n][1]));
  const worst = off.reduce((at, one, n) => (one > off[at] ? n : at), 0);
  if (off[worst] <= unlikeLimits.intensity) return [];
  const { of, share } = intensityQuartiles[worst];
  const where = of === 'air' ? 'lungs and other air in the body' : 'tissue';
  const message =
    `${100 * share} % of ${where} are below ${values[worst]} of 255, in the scans of the training below ${told(ranges[worst])}; ` +
    'look whether the values are HU, and for contrast medium and another window';
  return [{ id: 'unlike-intensities', message, value: values[worst] }];
}

function unlikeVolumes(
  { volumesMl }: TrainingScans,
  { roles: { lungs, lesions, lesionName }, volumes, isPart }: Parameters<typeof unlikeTraining>[2],
): Doubt[] {
  const judge = (values: readonly number[], name: string, isLower: boolean): Doubt[] => {
    const known = values.flatMap((value): FactRange[] => (volumesMl[value] === undefined ? [] : [volumesMl[value]]));
    if (known.length < values.length || values.length === 0) return [];
    const range: FactRange = [
      known.reduce((sum, [low]) => sum + low, 0),
      known.reduce((sum, [, high]) => sum + high, 0),
    ];
    const ml = volumes.reduce((sum, one) => sum + (values.includes(one.value) ? one.volumeMl : 0), 0);
    if (!isBeyond(ml, range, unlikeLimits.volume) || (ml < range[0] && !isLower)) return [];
    const message = `${number(ml)} ml of ${name}; the scans of the training had ${told(range)} ml; look for parts that are too much or missed`;
    return [{ id: 'unlike-volumes', message, value: Number(ml.toPrecision(4)) }];
  };
  return [
    ...(lungs === null ? [] : judge([lungs.left, lungs.right], 'lungs', !isPart)),
    // A patient with less disease than all others is no surprise.
    ...judge(lesions, lesionName, false),
  ];
}
