/**
 * Whether the lungs lie within the scan. Where its first or last axial slice shows much air inside the body, the lungs go on
 * beyond it: the scan was planned so, or slices at its end were lost, which nothing else tells. Volumes and shares of a
 * mask are then those of a part.
 */
import { axisDirections, spacingMm, type IntensityScale, type Volume } from '@quickcolumn/volume';
import { enclosedAir } from './enclosed-air.js';
import type { Defect } from './judge.js';

/**
 * Air is below `air`. Lungs are above `lung`: they hold some blood; gas of the bowel and foam under the head do not.
 * 0–255 stands for −1250 to 250 HU or a similar window.
 */
const limits: Readonly<Record<IntensityScale, { readonly air: number; readonly lung: number }>> = {
  hu: { air: -500, lung: -900 },
  '0-255': { air: 127, lung: 59 },
};
/** Rims of other air take up a few. */
const leastCm2 = 15;

/** Looks at the highest and the lowest slice. `scan` may have its axes in any order. */
export function coverageDefects(scan: Volume, scale: IntensityScale): Defect[] {
  const directions = axisDirections(scan.affine);
  const axis = directions.findIndex(({ worldAxis }) => worldAxis === 2);
  const [columnAxis, rowAxis] = [0, 1, 2].filter((other) => other !== axis);
  const spacing = spacingMm(scan.affine);
  const pixelCm2 = (spacing[columnAxis] * spacing[rowAxis]) / 100;
  const found: Defect[] = [];
  for (const end of ['lowest', 'highest'] as const) {
    const isFirst = (end === 'lowest') === directions[axis].sign > 0;
    const slice = valuesOf(scan, { axis, columnAxis, rowAxis, index: isFirst ? 0 : scan.size[axis] - 1 });
    const isInside = enclosedAir(slice, scan.size[columnAxis], scan.size[rowAxis], limits[scale].air);
    const cm2 = slice.filter((value, i) => isInside[i] === 1 && value > limits[scale].lung).length * pixelCm2;
    if (cm2 < leastCm2) continue;
    found.push({
      kind: 'coverage',
      message: `the ${end} slice shows ${cm2.toFixed(0)} cm² of lung; it goes on beyond the scan`,
    });
  }
  return found;
}

interface Place {
  readonly axis: number;
  readonly columnAxis: number;
  readonly rowAxis: number;
  readonly index: number;
}

function valuesOf({ voxels, size }: Volume, place: Place): Float32Array {
  const strides = [1, size[0], size[0] * size[1]];
  const { axis, columnAxis, rowAxis, index } = place;
  const [columns, rows] = [size[columnAxis], size[rowAxis]];
  const start = index * strides[axis];
  const at = (pixel: number): number =>
    start + (pixel % columns) * strides[columnAxis] + Math.floor(pixel / columns) * strides[rowAxis];
  return Float32Array.from({ length: columns * rows }, (_, pixel) => voxels[at(pixel)]);
}
