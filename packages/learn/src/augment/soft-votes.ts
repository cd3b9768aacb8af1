/**
 * Soft votes: how much of each voxel belongs to each class, as teachers see it (distillation: Hinton, Vinyals, Dean 2015,
 * "Distilling the Knowledge in a Neural Network", section 2, at temperature 1: the mean of several networks is soft already).
 *
 * Packed, they are whole 255ths that add up to 255 in every voxel, [C, D, H, W] as uint8: what rounding down leaves goes to the
 * largest remainders, so each share is off by less than 1/255. Unpacked (`truth`), they are float32 [C, D, H, W] of 0 to 1.
 * The trap: they are interpolated as shares, class by class; labels never are.
 */
import { noClass } from '@quickcolumn/cases';
import type { Size3 } from '@quickcolumn/volume';
import { flip, type MirrorClass } from './mirror.js';

/** What the teachers say of a scan. */
export interface SoftVotes {
  /** [C, D, H, W] in 255ths. */
  readonly packed: Uint8Array;
  /** How much the labels count beside them, 0 to 1, where a voxel has one; 0 in a scan without labels. */
  readonly hardShare: number;
}

const whole = 255;

/** Packs shares that add up to 1; @param shares one array of the same length for each class. */
export function packVotes(shares: readonly Float32Array[]): Uint8Array {
  const classes = shares.length;
  const voxels = shares[0].length;
  const packed = new Uint8Array(classes * voxels);
  const rest = new Float64Array(classes);
  for (let at = 0; at < voxels; at++) {
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += shares[c][at];
    let left = whole;
    for (let c = 0; c < classes; c++) {
      const exact = (whole * shares[c][at]) / sum;
      const floor = Math.floor(exact);
      packed[c * voxels + at] = floor;
      rest[c] = exact - floor;
      left -= floor;
    }
    for (; left > 0; left--) {
      let largest = 0;
      for (let c = 1; c < classes; c++) if (rest[c] > rest[largest]) largest = c;
      packed[largest * voxels + at]++;
      rest[largest] = -1;
    }
  }
  return packed;
}

/** The class with the largest share in each voxel; of equal ones the first. */
export function votedClasses(packed: Uint8Array, classes: number): Uint8Array {
  const voxels = packed.length / classes;
  const voted = new Uint8Array(voxels);
  for (let at = 0; at < voxels; at++) {
    for (let c = 1; c < classes; c++) if (packed[c * voxels + at] > packed[voted[at] * voxels + at]) voted[at] = c;
  }
  return voted;
}

/** Reads shares at places of a scan into the truth of a patch. */
export interface VoteReader {
  /** [C, D, H, W] of the patch. */
  readonly truth: Float32Array<ArrayBuffer>;
  /** Trilinear at a position in voxels, from half a voxel outside the outermost samples on, where they are repeated. */
  sample(to: number, x: number, y: number, z: number): void;
  /** Where there is no scan: all of it one class, or none for `noClass`. */
  fill(to: number, label: number): void;
}

/** @param patchVoxels of the patch that is filled voxel by voxel */
export function readVotes(packed: Uint8Array, [nx, ny, nz]: Size3, patchVoxels: number): VoteReader {
  const voxels = nx * ny * nz;
  const classes = packed.length / voxels;
  const truth = new Float32Array(classes * patchVoxels);
  return {
    truth,
    sample(to, x, y, z) {
      const x0 = Math.floor(x);
      const y0 = Math.floor(y);
      const z0 = Math.floor(z);
      for (let corner = 0; corner < 8; corner++) {
        const i = corner & 1;
        const j = (corner >> 1) & 1;
        const k = corner >> 2;
        const weight = Math.abs(1 - i - (x - x0)) * Math.abs(1 - j - (y - y0)) * Math.abs(1 - k - (z - z0));
        if (weight === 0) continue;
        let from = (within(z0 + k, nz) * ny + within(y0 + j, ny)) * nx + within(x0 + i, nx);
        for (let at = to; at < truth.length; at += patchVoxels, from += voxels) truth[at] += weight * packed[from];
      }
      for (let at = to; at < truth.length; at += patchVoxels) truth[at] /= whole;
    },
    fill(to, label) {
      if (label !== noClass) truth[label * patchVoxels + to] = 1;
    },
  };
}

/** The shares of the patch at `start`; what lies outside the scan is of the class `outside`. */
export function cropVotes(
  packed: Uint8Array,
  size: Size3,
  { patch, start, outside }: { readonly patch: Size3; readonly start: Size3; readonly outside: number },
): Float32Array<ArrayBuffer> {
  const reader = readVotes(packed, size, patch[0] * patch[1] * patch[2]);
  const isIn = (at: number, axis: 0 | 1 | 2): boolean => at >= 0 && at < size[axis];
  let to = 0;
  for (let z = start[2]; z < start[2] + patch[2]; z++) {
    for (let y = start[1]; y < start[1] + patch[1]; y++) {
      const isRow = isIn(z, 2) && isIn(y, 1);
      for (let x = start[0]; x < start[0] + patch[0]; x++, to++) {
        if (isRow && isIn(x, 0)) reader.sample(to, x, y, z);
        else reader.fill(to, outside);
      }
    }
  }
  return reader.truth;
}

const within = (at: number, length: number): number => Math.min(length - 1, Math.max(0, at));

/** Mirrors the shares in place as `flip` does labels; with `swap`, left and right change their places along x. */
export function mirrorVotes(
  truth: Float32Array,
  patch: Size3,
  {
    axes,
    classes,
    swap,
  }: {
    readonly axes: readonly [boolean, boolean, boolean];
    readonly classes: readonly MirrorClass[];
    readonly swap: boolean;
  },
): void {
  const voxels = patch[0] * patch[1] * patch[2];
  const ofClass = (c: number): Float32Array => truth.subarray(c * voxels, (c + 1) * voxels);
  for (let c = 0; c < classes.length; c++) flip(ofClass(c), patch, axes);
  if (!axes[0] || !swap) return;
  for (const { value, mirror = value } of classes) {
    if (mirror <= value) continue;
    const kept = ofClass(value).slice();
    ofClass(value).set(ofClass(mirror));
    ofClass(mirror).set(kept);
  }
}

/** Lets the labels count for `hardShare` of the truth, in place, where a voxel has one; elsewhere the votes alone count. */
export function mixLabels(truth: Float32Array, labels: Uint8Array, hardShare: number): void {
  if (hardShare === 0) return;
  const voxels = labels.length;
  for (let at = 0; at < voxels; at++) {
    if (labels[at] === noClass) continue;
    for (let i = at; i < truth.length; i += voxels) truth[i] *= 1 - hardShare;
    truth[labels[at] * voxels + at] += hardShare;
  }
}
