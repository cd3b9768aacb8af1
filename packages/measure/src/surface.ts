/**
 * Masks of label values and their surfaces.
 *
 * A surface voxel belongs to the mask and has at least one of its 6 neighbours outside it; outside the image counts as
 * outside the mask (scipy: mask & ~binary_erosion(mask)).
 */
import type { Size3 } from '@quickcolumn/volume';
import { type Box, boxSize } from './extents.js';

export interface Surface {
  /** 1 on surface voxels, the size of the box. */
  readonly mask: Uint8Array;
  /** Indices of the surface voxels in the box, ascending. */
  readonly indices: Uint32Array;
}

/** A set of label values that is quick to ask: 1 at the values, 256 numbers. */
export function valueSet(...values: readonly number[]): Uint8Array {
  const set = new Uint8Array(256);
  for (const value of values) set[value] = 1;
  return set;
}

/** Copies a box of a label map as a mask: 1 where the label is one of the values (`valueSet`). */
export function cropMask(labels: Uint8Array, size: Size3, box: Box, values: Uint8Array): Uint8Array {
  const [bx, by, bz] = boxSize(box);
  const mask = new Uint8Array(bx * by * bz);
  for (let z = 0, to = 0; z < bz; z++) {
    for (let y = 0; y < by; y++, to += bx) {
      const from = box.minimum[0] + size[0] * (box.minimum[1] + y + size[1] * (box.minimum[2] + z));
      for (let x = 0; x < bx; x++) mask[to + x] = values[labels[from + x]];
    }
  }
  return mask;
}

/** Surface voxels of a mask whose surroundings, beyond the box, are empty. */
export function surfaceOf(mask: Uint8Array, size: Size3): Surface {
  const [nx, ny, nz] = size;
  const plane = nx * ny;
  const surface = new Uint8Array(mask.length);
  let count = 0;
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const edge = z === 0 || z === nz - 1 || y === 0 || y === ny - 1;
      for (let x = 0; x < nx; x++, i++) {
        if (mask[i] === 0) continue;
        const inside =
          !edge &&
          x > 0 &&
          x < nx - 1 &&
          (mask[i - 1] & mask[i + 1] & mask[i - nx] & mask[i + nx] & mask[i - plane] & mask[i + plane]) === 1;
        if (inside) continue;
        surface[i] = 1;
        count++;
      }
    }
  }
  const indices = new Uint32Array(count);
  for (let i = 0, n = 0; n < count; i++) if (surface[i] === 1) indices[n++] = i;
  return { mask: surface, indices };
}
