/**
 * Mirroring: each axis is flipped on its own. The prepared grid is LPS oriented, so an x flip exchanges the
 * patient's left and right; label values then swap with it (spec 4), or the network would learn that side is noise.
 */
import type { Size3 } from '@quickcolumn/volume';
import type { RandomStream } from '@quickcolumn/random';

/** The part of a label class that mirroring needs: `mirror` is the value it becomes on a left–right flip. */
export interface MirrorClass {
  readonly value: number;
  readonly mirror?: number;
}

export function drawMirror(random: RandomStream, probability: number): readonly [boolean, boolean, boolean] {
  return [random.chance(probability), random.chance(probability), random.chance(probability)];
}

/** Reverses `voxels` (x fastest) in place along the flagged axes. */
export function flip(voxels: Float32Array | Uint8Array, size: Size3, axes: readonly [boolean, boolean, boolean]): void {
  const [nx, ny, nz] = size;
  if (axes[0]) for (let row = 0; row < voxels.length; row += nx) voxels.subarray(row, row + nx).reverse();
  if (axes[1]) {
    for (let z = 0; z < nz; z++) swapBlocks(voxels.subarray(z * nx * ny, (z + 1) * nx * ny), nx, ny);
  }
  if (axes[2]) swapBlocks(voxels, nx * ny, nz);
}

/** Reverses the order of `count` consecutive blocks. */
function swapBlocks(voxels: Float32Array | Uint8Array, block: number, count: number): void {
  for (let first = 0, last = count - 1; first < last; first++, last--) {
    const kept = voxels.slice(first * block, (first + 1) * block);
    voxels.copyWithin(first * block, last * block, (last + 1) * block);
    voxels.set(kept, last * block);
  }
}

/** Replaces every label by its class's mirror value, in place; values without a mirror stay. */
export function swapMirrorLabels(labels: Uint8Array, classes: readonly MirrorClass[]): void {
  const table = Uint8Array.from({ length: 256 }, (_, value) => value);
  for (const { value, mirror } of classes) if (mirror !== undefined) table[value] = mirror;
  for (let i = 0; i < labels.length; i++) labels[i] = table[labels[i]];
}
