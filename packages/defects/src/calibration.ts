/**
 * Whether values that look like HU can be those of a chest: air near −1000, lungs, and soft tissue near 40. A wrong rescale
 * slope or intercept moves these peaks; what a network makes of such a scan is wrong without a sign of it.
 */
import { binsFrom, binWidth, type Intensities } from './intensities.js';

/** Of all voxels but padding, the least that a chest has of air and lungs, and of soft tissue. */
const leastShare = 0.01;
/** Noise in air goes below −1200 with the sharpest kernels, but not for this share of the voxels. */
const largestShareBelowAir = 0.1;
/** Where most of what is not air lies: fat, muscle, blood with contrast. HU. */
const softTissue = { from: -150, to: 150 };
/** Where most of what is air lies: outside the patient, or lungs in a narrow field of view. HU. */
const air = { from: -1100, to: -600 };

/** What is wrong with the scale, or undefined. Only for scans in HU that show a whole chest or a large part of one. */
export function calibrationProblem({ voxels, min, atMin, below, bins: all }: Intensities): string | undefined {
  // The lowest value alone may be what the scanner pads with, which says nothing about the scale.
  const counted = voxels - atMin;
  const bins = all.slice();
  if (min >= binsFrom) bins[Math.floor(binOf(min))] -= atMin;
  const padding = min < binsFrom ? atMin : 0;
  const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const share = (from: number, to: number): number => sum(bins, from, to) / counted;
  const belowAir = (below - padding) / counted;
  if (belowAir > largestShareBelowAir) return `${percent(belowAir)} of the voxels are below −1200, darker than air`;
  const airShare = share(binsFrom, -300);
  if (!(airShare >= leastShare)) {
    return `${percent(airShare)} of the voxels are between −1200 and −300, where air and lungs lie`;
  }
  const softShare = share(-300, 300);
  if (softShare < leastShare)
    return `${percent(softShare)} of the voxels are between −300 and 300, where soft tissue lies`;
  const soft = mode(bins, -200, 3000);
  if (soft < softTissue.from || soft > softTissue.to) {
    return `the values of soft tissue lie near ${soft}, expected ${softTissue.from} to ${softTissue.to}`;
  }
  const dark = mode(bins, binsFrom, -300);
  if (dark < air.from || dark > air.to) {
    return `the values of air and lungs lie near ${dark}, expected ${air.from} to ${air.to}`;
  }
  return undefined;
}

const binOf = (value: number): number => (value - binsFrom) / binWidth;

function sum(bins: Float64Array, from: number, to: number): number {
  let total = 0;
  for (let i = binOf(from); i < binOf(to); i++) total += bins[i];
  return total;
}

/** Middle of the five bins that hold the most, so that values stored in steps do not make a peak. */
function mode(bins: Float64Array, from: number, to: number): number {
  let [best, most] = [from, -1];
  for (let at = from; at < to; at += binWidth) {
    const around = sum(bins, Math.max(from, at - 2 * binWidth), Math.min(to, at + 3 * binWidth));
    if (around > most) [best, most] = [at, around];
  }
  return best + binWidth / 2;
}
