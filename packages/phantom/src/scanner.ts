/**
 * What a scanner adds: a small point-spread blur and noise. CT noise is correlated between neighbours (the
 * reconstruction filter) and grows towards the middle of the body, where fewer photons get through.
 */
import type { Size3 } from '@quickcolumn/volume';
import type { Random } from './random.js';

/** One in-plane blur of about 0.6 voxels and a weaker one along z; returns a new array. */
export function blurPointSpread(hu: Float32Array, size: Size3): Float32Array {
  const [nx, ny, nz] = size;
  let voxels = blurAxis(hu, 1, nx, 0.16);
  voxels = blurAxis(voxels, nx, ny, 0.16);
  return blurAxis(voxels, nx * ny, nz, 0.06);
}

/** Adds noise and rounds to HU in −1024…3071. `bodyDepthMm` is the depth below the skin, negative outside. */
export function addScannerNoise(
  hu: Float32Array,
  bodyDepthMm: Float32Array,
  size: Size3,
  random: Random,
): Int16Array<ArrayBuffer> {
  const [nx, ny, nz] = size;
  const white = new Float32Array(hu.length);
  for (let at = 0; at < white.length; at++) white[at] = random.normal();
  let grains = white;
  for (let pass = 0; pass < 2; pass++) grains = blurAxis(blurAxis(grains, 1, nx, 0.25), nx, ny, 0.25);
  grains = blurAxis(grains, nx * ny, nz, 0.15);
  let square = 0;
  for (const value of grains) square += value * value;
  const unit = 1 / Math.sqrt(square / grains.length);
  const fine = random.uniform(6, 14);
  const coarse = random.uniform(12, 24);
  const out = new Int16Array(hu.length);
  for (let at = 0; at < out.length; at++) {
    const depth = bodyDepthMm[at];
    const strength = depth < 0 ? 0.4 : 0.7 + Math.min(0.5, depth / 160);
    const value = hu[at] + strength * (fine * random.normal() + coarse * unit * grains[at]);
    out[at] = Math.max(-1024, Math.min(3071, Math.round(value)));
  }
  return out;
}

/** [w, 1−2w, w] along the axis with this stride and length; edges repeat. */
function blurAxis(voxels: Float32Array, stride: number, length: number, w: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(voxels.length);
  for (let at = 0; at < voxels.length; at++) {
    const index = Math.floor(at / stride) % length;
    const before = index > 0 ? voxels[at - stride] : voxels[at];
    const after = index < length - 1 ? voxels[at + stride] : voxels[at];
    out[at] = (1 - 2 * w) * voxels[at] + w * (before + after);
  }
  return out;
}
