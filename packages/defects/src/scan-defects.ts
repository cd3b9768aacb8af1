/**
 * What is wrong with a scan, whatever it was read from. Prediction, training, dataset checks and pages all ask here, and
 * `judge` says what becomes of it.
 */
import { intensityScaleOf, spacingMm, type Volume, type VoxelArray } from '@quickcolumn/volume';
import { anatomyProblem } from './anatomy.js';
import { calibrationProblem } from './calibration.js';
import { continuityDefects } from './continuity.js';
import type { DefectKind } from './defects.js';
import { extentProblem } from './extent.js';
import { type Intensities, intensitiesOf } from './intensities.js';
import type { Defect } from './judge.js';
import { lungDefects } from './lungs.js';
import { rowLengthProblem } from './row-length.js';

/** Beyond what CT stores in 16 bits with a rescale intercept. */
const [lowestStored, highestStored] = [-40_000, 70_000];
/** A scan windowed to 0–255 has bone near 255. */
const darkestWindowed = 100;
/** What must be seen before the values are compared with those of a chest; mm across and along. */
const wholeMm = [150, 150, 40] as const;

/**
 * All defects of a scan; empty for one without. One does not hide another, since it may be accepted; but what goes by HU and by
 * the shape of a body is not looked for where there are none.
 */
export function scanDefects(scan: Volume): Defect[] {
  const values = intensitiesOf(scan.voxels);
  const found: Defect[] = [];
  const tell = (kind: DefectKind, message: string | undefined): boolean => {
    if (message !== undefined) found.push({ kind, message });
    return message !== undefined;
  };
  tell('extent', extentProblem(scan));
  if (values.notFinite > 0) return [...found, notFinite(values)];
  const { min, max } = values;
  if (tell('constant', min === max ? `every voxel is ${min}: no image` : undefined)) return found;
  const whole = isWhole(scan);
  const isOdd =
    tell('value-range', rangeProblem(values)) ||
    tell('calibration', whole && min < -200 ? rescaleProblem(values) : undefined);
  const isTorn = tell('row-length', whole ? rowLengthProblem(scan) : undefined);
  if (!isOdd && !isTorn) {
    tell('anatomy', anatomyProblem(scan));
    found.push(...lungDefects(scan, intensityScaleOf(scan.voxels)));
  }
  if (!isTorn) found.push(...continuityDefects(scan));
  return found;
}

/** The one defect that nothing can be computed with, alone. */
export function finiteDefects(voxels: VoxelArray): Defect[] {
  const values = intensitiesOf(voxels);
  return values.notFinite > 0 ? [notFinite(values)] : [];
}

const notFinite = ({ notFinite: count, voxels }: Intensities): Defect => ({
  kind: 'not-finite',
  message:
    `${count} of ${voxels} voxels are not finite numbers; expected HU or 0–255 everywhere. ` +
    'Replace them, e.g. by −1000 (air)',
});

function rescaleProblem(values: Intensities): string | undefined {
  const problem = calibrationProblem(values);
  return problem === undefined ? undefined : `${problem}: no HU of a chest, or a wrong rescale slope or intercept`;
}

function rangeProblem({ min, max }: Intensities): string | undefined {
  const values = `values from ${min} to ${max}`;
  if (min < lowestStored || max > highestStored) return `${values}: no CT has these`;
  if (min < -200) return undefined;
  if (min < 0 || max > 255) {
    const guess = min >= 0 && max > 1000 ? ' (HU + 1024?)' : '';
    return `${values} are neither HU nor 0–255${guess}`;
  }
  if (max < darkestWindowed) return `${values}: neither HU nor the whole range of 0–255`;
  return undefined;
}

function isWhole({ size, affine }: Volume): boolean {
  const spacing = spacingMm(affine);
  const lengths = size.map((n, axis) => n * spacing[axis]).sort((a, b) => b - a);
  return lengths.every((mm, at) => mm >= wholeMm[at]);
}
