/**
 * Stationary-wavelet augmentation (Ahuja et al., Applied Intelligence 51:571, 2021: three levels): the patch is taken
 * apart into bands by an undecimated Haar transform, every detail band is scaled by a factor of its own, and the bands
 * are put together again. It sharpens or softens detail of some size and direction and leaves the rest.
 *
 * Haar at level j with the step s = 2^(j−1): a[n] = (x[n] + x[n+s])/2, d[n] = (x[n] − x[n+s])/2, put together as the mean
 * over both shifts, x[n] = (a[n] + d[n] + a[n−s] − d[n−s])/2. What a band adds to the result is then a filter without
 * a shift: (x[n−s] + 2x[n] + x[n+s])/4 along an axis where the band is low, x minus that where it is high. That is
 * computed here, and what is low along all axes goes on to the next level. Beyond the border the patch is mirrored
 * (its outermost voxel twice). The trap is memory: bands are added up one after the other, never kept.
 */
import type { Size3 } from '@quickcolumn/volume';
import type { RandomStream } from '@quickcolumn/random';
import type { AugmentationConfig } from './config.js';
import { drawAroundOne } from './draw.js';

/** Levels of the transform; the coarsest detail is about 8 voxels wide. */
const levels = 3;

/** An axis as runs of `inner` voxels, `length` positions and `outer` repetitions (x fastest). */
interface Axis {
  readonly inner: number;
  readonly length: number;
  readonly outer: number;
}

/** Draws the factors of all bands and applies them in place. */
export function applyWavelet(
  image: Float32Array,
  size: Size3,
  random: RandomStream,
  { axes, range }: NonNullable<AugmentationConfig['wavelet']>,
): void {
  const bands = 2 ** axes.length - 1;
  const factors = Array.from({ length: levels }, () =>
    Array.from({ length: bands }, () => drawAroundOne(random, range)),
  );
  scaleDetails(image, size, { axes, factors });
}

/**
 * Scales the detail bands in place; holds up to five more arrays of the image's size.
 * @param options.axes axes that are taken apart: 'xy' slice by slice as in the paper, 'xyz' in space
 * @param options.factors one list a level, the finest first, with one factor a band: band b ≥ 1 is high along the axes
 *   whose bit is set in b (1 is x, 2 is y, 4 is z) and its factor is at b − 1
 */
export function scaleDetails(
  image: Float32Array,
  size: Size3,
  options: { readonly axes: 'xy' | 'xyz'; readonly factors: readonly (readonly number[])[] },
): void {
  const [nx, ny, nz] = size;
  const all: Axis[] = [
    { inner: 1, length: nx, outer: ny * nz },
    { inner: nx, length: ny, outer: nz },
    { inner: nx * ny, length: nz, outer: 1 },
  ];
  const axes = all.slice(0, options.axes.length);
  const sum = new Float32Array(image.length);
  // One for every axis but the last, which needs none.
  const scratch = axes.slice(1).map(() => new Float32Array(image.length));
  let rest = image;
  for (const [level, factors] of options.factors.entries()) {
    const step = 2 ** level;
    const next = new Float32Array(image.length);
    const split = (values: Float32Array, at: number, band: number): void => {
      const bit = 2 ** at;
      if (at === axes.length - 1) {
        const low = band === 0 ? 0 : factors[band - 1];
        addBands(values, axes[at], {
          step,
          low,
          high: factors[band + bit - 1],
          sum,
          next: band === 0 ? next : undefined,
        });
        return;
      }
      const part = scratch[at];
      smooth(values, axes[at], step, part);
      split(part, at + 1, band);
      smooth(values, axes[at], step, part);
      for (let i = 0; i < part.length; i++) part[i] = values[i] - part[i];
      split(part, at + 1, band + bit);
    };
    split(rest, 0, 0);
    rest = next;
  }
  for (let i = 0; i < image.length; i++) image[i] = rest[i] + sum[i];
}

/** (x[n−s] + 2x[n] + x[n+s])/4 along an axis. */
function smooth(values: Float32Array, axis: Axis, step: number, out: Float32Array): void {
  eachRun(axis, step, (at, before, after) => {
    for (let i = 0; i < axis.inner; i++) {
      out[at + i] = 0.25 * (values[before + i] + values[after + i]) + 0.5 * values[at + i];
    }
  });
}

/** Adds low · (smoothed values) + high · (the rest of them) to `sum`; `next` gets the smoothed values. */
function addBands(
  values: Float32Array,
  axis: Axis,
  options: {
    readonly step: number;
    readonly low: number;
    readonly high: number;
    readonly sum: Float32Array;
    readonly next: Float32Array | undefined;
  },
): void {
  const { step, low, high, sum, next } = options;
  eachRun(axis, step, (at, before, after) => {
    for (let i = 0; i < axis.inner; i++) {
      const value = values[at + i];
      const smoothed = 0.25 * (values[before + i] + values[after + i]) + 0.5 * value;
      sum[at + i] += low * smoothed + high * (value - smoothed);
      if (next !== undefined) next[at + i] = smoothed;
    }
  });
}

/** Calls visit(start of a run, of the run `step` before it, of the one after it), mirrored at the border. */
function eachRun(
  { inner, length, outer }: Axis,
  step: number,
  visit: (at: number, before: number, after: number) => void,
): void {
  const offset = (position: number): number => {
    const period = 2 * length;
    const within = ((position % period) + period) % period;
    return inner * (within < length ? within : period - 1 - within);
  };
  const before = Int32Array.from({ length }, (_, k) => offset(k - step));
  const after = Int32Array.from({ length }, (_, k) => offset(k + step));
  for (let o = 0; o < outer; o++) {
    const start = o * length * inner;
    for (let k = 0; k < length; k++) visit(start + k * inner, start + before[k], start + after[k]);
  }
}
