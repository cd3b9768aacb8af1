/**
 * Distance from chosen voxels to the nearest surface voxel, exact, in mm.
 *
 * A full distance transform answers every voxel of a box; the metrics ask only at the other surface, mostly a few voxels
 * away. So each row keeps the steps to its nearest surface voxel (the first pass of the transform), and a query looks at
 * the rows around it, outwards, until no row can be closer. The trap is two surfaces far apart, where a query sees many
 * rows: past a budget `surfaceDistances` takes the whole transform instead, so the time stays bounded.
 */
import { distanceTransform, type Size3, type Vector3 } from '@quickcolumn/volume';
import { type Box, boxSize } from './extents.js';
import type { Surface } from './surface.js';

/** Steps along x to the nearest surface voxel of the row, for each voxel of a box; `noneInRow` without any. */
export interface RowIndex {
  readonly box: Box;
  readonly size: Size3;
  readonly steps: Uint16Array;
}

const noneInRow = 65_535;

/** Rows looked at per voxel of the box before the full transform is the cheaper way. */
const rowBudget = 4;

/** Counts the rows that queries looked at. */
export interface QueryWork {
  rows: number;
}

/** Index of a surface that fills a box. */
export function indexRows(surface: Surface, box: Box): RowIndex {
  const size = boxSize(box);
  const [nx] = size;
  const { mask } = surface;
  const steps = new Uint16Array(mask.length);
  for (let row = 0; row < mask.length; row += nx) {
    let since = noneInRow;
    for (let i = row; i < row + nx; i++) {
      since = mask[i] === 1 ? 0 : Math.min(since + 1, noneInRow);
      steps[i] = since;
    }
    since = noneInRow;
    for (let i = row + nx - 1; i >= row; i--) {
      since = mask[i] === 1 ? 0 : Math.min(since + 1, noneInRow);
      if (since < steps[i]) steps[i] = since;
    }
  }
  return { box, size, steps };
}

/**
 * Squared distance (mm²) of the voxel (x, y, z) of the whole volume, inside the box or not, to the indexed surface;
 * `cap` where the surface is not closer than that.
 */
export function nearestSquared(
  index: RowIndex,
  spacingMm: Vector3,
  [x, y, z]: Vector3,
  cap: number,
  work: QueryWork,
): number {
  const { steps } = index;
  const [nx, ny, nz] = index.size;
  const [sx, sy, sz] = spacingMm;
  const cx = x - index.box.minimum[0];
  const cy = y - index.box.minimum[1];
  const cz = z - index.box.minimum[2];
  const inRow = cx < 0 ? 0 : cx >= nx ? nx - 1 : cx;
  // Beyond the box every surface voxel of the row lies on the same side, behind the row's end.
  const beyond = Math.abs(cx - inRow);
  const farZ = Math.max(cz, nz - 1 - cz);
  const farY = Math.max(cy, ny - 1 - cy);
  let best = cap;
  let rows = 0;
  for (let dz = 0; dz <= farZ; dz++) {
    const z2 = dz * dz * sz * sz;
    if (z2 >= best) break;
    for (let zz = cz - dz; zz <= cz + dz; zz += 2 * dz || 1) {
      if (zz < 0 || zz >= nz) continue;
      for (let dy = 0; dy <= farY; dy++) {
        const yz2 = z2 + dy * dy * sy * sy;
        if (yz2 >= best) break;
        for (let yy = cy - dy; yy <= cy + dy; yy += 2 * dy || 1) {
          if (yy < 0 || yy >= ny) continue;
          rows++;
          const along = steps[inRow + nx * (yy + ny * zz)];
          if (along === noneInRow) continue;
          const dx = (along + beyond) * sx;
          const squared = yz2 + dx * dx;
          if (squared < best) best = squared;
        }
      }
    }
  }
  work.rows += rows;
  return best;
}

/**
 * Distance in mm of every surface voxel of `from` to the surface `to`; both fill the same box and are not empty.
 * @returns one number a surface voxel, in the order of `from.indices`.
 */
export function surfaceDistances(from: Surface, to: Surface, toRows: RowIndex, spacingMm: Vector3): Float32Array {
  const { box, size } = toRows;
  const distances = new Float32Array(from.indices.length);
  const work: QueryWork = { rows: 0 };
  const budget = rowBudget * from.mask.length;
  let [px, py, pz] = [0, 0, 0];
  let previous = Number.POSITIVE_INFINITY;
  for (let n = 0; n < distances.length; n++) {
    const i = from.indices[n];
    const x = i % size[0];
    const y = Math.floor(i / size[0]) % size[1];
    const z = Math.floor(i / (size[0] * size[1]));
    // The distance changes by no more than the way between two places: a cap that prunes from the first row on.
    const moved = Math.hypot((x - px) * spacingMm[0], (y - py) * spacingMm[1], (z - pz) * spacingMm[2]);
    const cap = (previous + moved) ** 2 * (1 + 1e-9) + 1e-9;
    const place: Vector3 = [x + box.minimum[0], y + box.minimum[1], z + box.minimum[2]];
    previous = Math.sqrt(nearestSquared(toRows, spacingMm, place, cap, work));
    distances[n] = previous;
    [px, py, pz] = [x, y, z];
    if (work.rows > budget) return transformedDistances(from, to, size, spacingMm);
  }
  return distances;
}

/** As `surfaceDistances`, by the full transform of the box. */
export function transformedDistances(from: Surface, to: Surface, size: Size3, spacingMm: Vector3): Float32Array {
  const squared = distanceTransform(to.mask, size, spacingMm, { squared: true });
  return Float32Array.from(from.indices, (i) => Math.sqrt(squared[i]));
}
