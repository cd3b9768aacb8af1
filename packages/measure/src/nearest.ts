/**
 * Distance from chosen voxels to the nearest surface voxel, exact, in mm.
 *
 * A full distance transform answers every voxel of a box; the metrics ask only at the other surface, mostly a few voxels
 * away. So each row keeps the steps to its nearest surface voxel (the first pass of the transform), and a query looks at
 * the rows around it, outwards, until no row can be closer. The trap is two surfaces far apart, where a query sees many
 * rows: past a budget `surfaceDistances` takes the whole transform instead, so the time stays bounded.
 * Rows do not lie above each other where the axes of a grid are slanted: there a tree of the surface's places answers.
 */
import { distanceTransform, type Size3, type Vector3 } from '@quickcolumn/volume';
import { type Box, boxSize } from './extents.js';
import { type GridMetric, placeMm, stepMm } from './metric.js';
import { type PointTree, pointTree } from './point-tree.js';
import type { Surface } from './surface.js';

/** A surface in a box that can be asked for the distance to it. */
export interface SurfaceIndex {
  readonly box: Box;
  readonly size: Size3;
  readonly metric: GridMetric;
  /** Steps along x to the nearest surface voxel of the row, for each voxel of the box; `noneInRow` without any. */
  readonly steps: Uint16Array;
  /** In place of the steps, where the axes are slanted. */
  readonly tree?: PointTree;
}

const noneInRow = 65_535;

/** Rows looked at per voxel of the box before the full transform is the cheaper way. */
const rowBudget = 4;

/** Counts the rows that queries looked at. */
export interface QueryWork {
  rows: number;
}

/** Index of a surface that fills a box. */
export function indexSurface(surface: Surface, box: Box, metric: GridMetric): SurfaceIndex {
  const size = boxSize(box);
  const [nx] = size;
  if (metric.slanted !== undefined) {
    const tree = pointTree(placesOf(surface, box, metric.slanted));
    return { box, size, metric, steps: new Uint16Array(0), tree };
  }
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
  return { box, size, metric, steps };
}

/** Where the voxels of a surface are, in mm from the first voxel of the whole volume. */
function placesOf({ indices }: Surface, box: Box, slanted: readonly number[]): Float64Array {
  const [nx, ny] = boxSize(box);
  const [x0, y0, z0] = box.minimum;
  const places = new Float64Array(3 * indices.length);
  for (let n = 0; n < indices.length; n++) {
    const i = indices[n];
    const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    places.set(placeMm(slanted, x0 + x, y0 + y, z0 + z), 3 * n);
  }
  return places;
}

/**
 * Squared distance (mm²) of the voxel (x, y, z) of the whole volume, inside the box or not, to the indexed surface;
 * `cap` where the surface is not closer than that.
 */
export function nearestSquared(index: SurfaceIndex, [x, y, z]: Vector3, cap: number, work: QueryWork): number {
  const { steps, metric, tree } = index;
  if (tree !== undefined && metric.slanted !== undefined) {
    return tree.nearestSquared(...placeMm(metric.slanted, x, y, z), cap);
  }
  const [nx, ny, nz] = index.size;
  const [sx, sy, sz] = metric.spacingMm;
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
export function surfaceDistances(from: Surface, to: Surface, toIndex: SurfaceIndex): Float32Array {
  const { box, size, metric } = toIndex;
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
    const moved = stepMm(metric, x - px, y - py, z - pz);
    const cap = (previous + moved) ** 2 * (1 + 1e-9) + 1e-9;
    const place: Vector3 = [x + box.minimum[0], y + box.minimum[1], z + box.minimum[2]];
    previous = Math.sqrt(nearestSquared(toIndex, place, cap, work));
    distances[n] = previous;
    [px, py, pz] = [x, y, z];
    if (work.rows > budget) return transformedDistances(from, to, size, metric.spacingMm);
  }
  return distances;
}

/** As `surfaceDistances`, by the full transform of the box; for axes at right angles. */
export function transformedDistances(from: Surface, to: Surface, size: Size3, spacingMm: Vector3): Float32Array {
  const squared = distanceTransform(to.mask, size, spacingMm, { squared: true });
  return Float32Array.from(from.indices, (i) => Math.sqrt(squared[i]));
}
