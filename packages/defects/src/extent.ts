/** Whether a scan has the size of a chest CT, or of a part of one. */
import { type Grid, spacingMm } from '@quickcolumn/volume';

/** Fewer voxels than this along two axes show nothing. */
const fewestVoxels = 4;
/** The finest CT of a chest has 0.1 mm, the coarsest slices 10 mm. */
const [finestMm, coarsestMm] = [0.05, 25];
/** No field of view is wider, and no patient longer. */
const [widestMm, longestMm] = [1000, 2500];
/** A scan of so many voxels across is no small part of a chest, and a chest is wider than this, a newborn's too. */
const [wholeVoxels, narrowestMm] = [200, 80];

/** What is wrong with the size, or undefined. */
export function extentProblem({ size, affine }: Grid): string | undefined {
  const spacing = spacingMm(affine);
  const lengths = size.map((n, axis) => n * spacing[axis]);
  const shape = `${size.join('×')} voxels`;
  const inMm = `${spacing.map((mm) => Number(mm.toPrecision(4))).join('×')} mm`;
  if (size.filter((n) => n < fewestVoxels).length >= 2) return `${shape}: too few to show a chest`;
  if (spacing.some((mm) => mm < finestMm || mm > coarsestMm)) {
    return `voxels of ${inMm}; expected ${finestMm} to ${coarsestMm} mm along each axis`;
  }
  const across = [...lengths].sort((a, b) => b - a);
  const whole = lengths.map((mm) => Number(mm.toPrecision(4))).join('×');
  if (across[0] > longestMm || across[1] > widestMm) {
    return `${shape} of ${inMm} make ${whole} mm, larger than any patient`;
  }
  const large = size.filter((n) => n >= wholeVoxels).length >= 2;
  if (large && across[0] < narrowestMm) return `${shape} of ${inMm} make ${whole} mm, smaller than any chest`;
  return undefined;
}
