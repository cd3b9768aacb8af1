/**
 * What the lungs tell of a scan. Where its first or last axial slice shows lung, they go on beyond it: the scan was planned
 * so, or slices at its end were lost, which nothing else tells; volumes and shares of a mask are then those of a part. And
 * lungs have a size: smaller ones mean spacings in other units.
 */
import { axisDirections, type IntensityScale, spacingMm, type Volume } from '@quickcolumn/volume';
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
/** Slices that are looked at, and at most about so many pixels across each. */
const [slicesSeen, pixelsAcross] = [25, 256];
/** Lungs that fill less of a slice, in pixels and as a share, may be something else. */
const [leastPixels, leastShare] = [50, 0.04];
/** Those of a newborn are larger. */
const [narrowestMm, shortestMm] = [50, 30];

/** `scan` may have its axes in any order. */
export function lungDefects(scan: Volume, scale: IntensityScale): Defect[] {
  const directions = axisDirections(scan.affine);
  const axis = directions.findIndex(({ worldAxis }) => worldAxis === 2);
  // Padding around a scan is not its end.
  let [first, last] = [0, scan.size[axis] - 1];
  while (first < last && isFlat(axialSlice(scan, axis, first))) first++;
  while (first < last && isFlat(axialSlice(scan, axis, last))) last--;
  const steps = Math.max(1, Math.min(last - first, slicesSeen - 1));
  const places = Array.from({ length: steps + 1 }, (_, n) => first + Math.round((n * (last - first)) / steps));
  const seen = places.map((index) => lungAt(scan, axis, index, limits[scale]));
  const isUp = directions[axis].sign > 0;
  const ends = { lowest: seen[isUp ? 0 : seen.length - 1], highest: seen[isUp ? seen.length - 1 : 0] };
  const found = Object.entries(ends)
    .filter(([, { cm2 }]) => cm2 >= leastCm2)
    .map(([end, { cm2 }]): Defect => {
      const message = `the ${end} slice shows ${cm2.toFixed(0)} cm² of lung; it goes on beyond the scan`;
      return { kind: 'coverage', message };
    });
  const size = found.length === 0 ? sizeProblem(seen, spacingMm(scan.affine)[axis]) : undefined;
  return size === undefined ? found : [{ kind: 'extent', message: size }];
}

/** Lungs that lie within the scan as a whole, and are too small for any patient. */
function sizeProblem(seen: readonly LungSlice[], sliceMm: number): string | undefined {
  const largest = seen.reduce((most, slice) => (slice.pixels > most.pixels ? slice : most));
  if (largest.pixels < leastPixels || largest.share < leastShare) return undefined;
  const shown = seen.filter(({ pixels }) => pixels > 0.1 * largest.pixels);
  const width = Math.max(...shown.map(({ widthMm }) => widthMm));
  const height = (shown[shown.length - 1].index - shown[0].index + 1) * sliceMm;
  if (width >= narrowestMm && height >= shortestMm) return undefined;
  const size = `${width.toFixed(0)} mm wide and ${height.toFixed(0)} mm high`;
  return `the lungs are ${size}, smaller than any patient's; its spacing may be in other units`;
}

interface LungSlice {
  readonly index: number;
  readonly pixels: number;
  readonly cm2: number;
  /** Of the slice. */
  readonly share: number;
  /** The longer side of a box around nearly all of it. */
  readonly widthMm: number;
}

function lungAt(
  scan: Volume,
  axis: number,
  index: number,
  { air, lung }: { readonly air: number; readonly lung: number },
): LungSlice {
  const { values, columns, rows, columnMm, rowMm } = axialSlice(scan, axis, index);
  const inside = enclosedAir(values, columns, rows, air);
  const [xs, ys]: [number[], number[]] = [[], []];
  for (let at = 0; at < values.length; at++) {
    if (inside[at] !== 1 || values[at] <= lung) continue;
    xs.push(at % columns);
    ys.push(Math.floor(at / columns));
  }
  const extent = (places: number[]): number => {
    places.sort((a, b) => a - b);
    const [from, to] = [0.02, 0.98].map((share) => places[Math.floor(share * (places.length - 1))]);
    return places.length === 0 ? 0 : to - from + 1;
  };
  return {
    index,
    pixels: xs.length,
    cm2: (xs.length * columnMm * rowMm) / 100,
    share: xs.length / values.length,
    widthMm: Math.max(extent(xs) * columnMm, extent(ys) * rowMm),
  };
}

interface AxialSlice {
  readonly values: Float32Array;
  readonly columns: number;
  readonly rows: number;
  readonly columnMm: number;
  readonly rowMm: number;
}

/** One slice across `axis`, the first of the other axes fastest; of a fine one every second pixel, or fewer. */
function axialSlice({ voxels, size, affine }: Volume, axis: number, index: number): AxialSlice {
  const strides = [1, size[0], size[0] * size[1]];
  const [columnAxis, rowAxis] = [0, 1, 2].filter((other) => other !== axis);
  const spacing = spacingMm(affine);
  const step = Math.max(1, Math.floor(Math.max(size[columnAxis], size[rowAxis]) / pixelsAcross));
  const [columns, rows] = [columnAxis, rowAxis].map((along) => Math.ceil(size[along] / step));
  const values = new Float32Array(columns * rows);
  for (let j = 0, to = 0; j < rows; j++) {
    let from = index * strides[axis] + j * step * strides[rowAxis];
    for (let i = 0; i < columns; i++, to++, from += step * strides[columnAxis]) values[to] = voxels[from];
  }
  return { values, columns, rows, columnMm: step * spacing[columnAxis], rowMm: step * spacing[rowAxis] };
}

const isFlat = ({ values }: AxialSlice): boolean => values.every((value) => value === values[0]);
