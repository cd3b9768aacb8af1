/**
 * Infected share of each lung.
 *
 * The infection class of COVID-19-CT-Seg replaces the lung label, so an infected voxel no longer says which lung it is
 * in. Each one is counted to the lung whose nearest lung voxel, in the same label map, is closer (exact distance in
 * mm; a tie goes to the left lung; where only one lung is labelled, to that one). The share of a lung is its infection
 * over lung plus infection.
 */
import type { Size3, Vector3 } from '@quickcolumn/volume';
import type { Box } from './extents.js';
import { stepMm } from './metric.js';
import { nearestSquared, type QueryWork, type SurfaceIndex } from './nearest.js';

/** Infected share of each lung in one label map, 0–1; null where that lung has neither lung nor infection voxels. */
export interface LungInvolvement {
  readonly left: number | null;
  readonly right: number | null;
  readonly both: number | null;
  readonly leftInfectionMl: number;
  readonly rightInfectionMl: number;
}

/** Voxel counts of one label map. */
interface LungCounts {
  readonly leftVoxels: number;
  readonly rightVoxels: number;
  readonly infectionVoxels: number;
}

/** Infection voxels of a label map and where to look for them. */
interface InfectionPlaces {
  readonly labels: Uint8Array;
  readonly size: Size3;
  /** The values that are infection (`valueSet`). */
  readonly values: Uint8Array;
  readonly box: Box;
}

/**
 * Infected shares of one label map.
 * @param rows surfaces of the lungs; null where the map does not have that lung
 * @returns null where the map shows no lung.
 */
export function measureInvolvement(
  infection: Omit<InfectionPlaces, 'box'> & { readonly box: Box | null },
  counts: LungCounts,
  rows: { readonly left: SurfaceIndex | null; readonly right: SurfaceIndex | null },
  voxelMl: number,
): LungInvolvement | null {
  const { box } = infection;
  let nearerLeft = rows.right === null ? counts.infectionVoxels : 0;
  if (box !== null && rows.left !== null && rows.right !== null) {
    nearerLeft = countNearerLeft({ ...infection, box }, rows.left, rows.right);
  }
  return lungInvolvement(counts, nearerLeft, voxelMl);
}

/** Shares of one label map from its counts; null where it shows no lung, so that nothing can be said. */
function lungInvolvement(counts: LungCounts, infectionLeftVoxels: number, voxelMl: number): LungInvolvement | null {
  if (counts.leftVoxels + counts.rightVoxels === 0) return null;
  const infectionRightVoxels = counts.infectionVoxels - infectionLeftVoxels;
  const share = (infected: number, lung: number): number | null =>
    infected + lung === 0 ? null : infected / (infected + lung);
  return {
    left: share(infectionLeftVoxels, counts.leftVoxels),
    right: share(infectionRightVoxels, counts.rightVoxels),
    both: share(counts.infectionVoxels, counts.leftVoxels + counts.rightVoxels),
    leftInfectionMl: infectionLeftVoxels * voxelMl,
    rightInfectionMl: infectionRightVoxels * voxelMl,
  };
}

/** Voxels along x, y, z of the blocks that are decided together. */
const block: Size3 = [8, 8, 4];
/** Of a block one half of the corners; the others are opposite. */
const corners = [
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
] as const;

/**
 * Number of infection voxels that are nearer to the left lung than to the right one.
 *
 * Decided by blocks: distances change by no more than the way walked, so where the two lungs differ at the middle of a
 * block by more than twice the way to its corners, the whole block is on one side. Others are decided voxel by voxel.
 */
function countNearerLeft(infection: InfectionPlaces, left: SurfaceIndex, right: SurfaceIndex): number {
  const { labels, size, values, box } = infection;
  const [hx, hy, hz] = block.map((n) => n / 2);
  // The corners of a slanted block are not equally far from its middle.
  const reach = Math.max(...corners.map(([x, y]) => stepMm(left.metric, x * hx, y * hy, hz)));
  const work: QueryWork = { rows: 0 };
  let count = 0;
  let nearLeft = true;
  const places: Vector3[] = [];
  for (let z0 = box.minimum[2]; z0 < box.maximum[2]; z0 += block[2]) {
    for (let y0 = box.minimum[1]; y0 < box.maximum[1]; y0 += block[1]) {
      for (let x0 = box.minimum[0]; x0 < box.maximum[0]; x0 += block[0]) {
        places.length = 0;
        for (let z = z0; z < Math.min(z0 + block[2], box.maximum[2]); z++) {
          for (let y = y0; y < Math.min(y0 + block[1], box.maximum[1]); y++) {
            const row = size[0] * (y + size[1] * z);
            const end = Math.min(x0 + block[0], box.maximum[0]);
            for (let x = x0; x < end; x++) if (values[labels[row + x]] === 1) places.push([x, y, z]);
          }
        }
        if (places.length === 0) continue;
        const middle: Vector3 = [x0 + block[0] / 2, y0 + block[1] / 2, z0 + block[2] / 2];
        // The side of the block before is the likely one; the other is searched only as far as it could matter.
        const [likely, other] = nearLeft ? [left, right] : [right, left];
        const near = Math.sqrt(nearestSquared(likely, middle, Number.POSITIVE_INFINITY, work));
        const decisive = near + 2 * reach + 1e-3;
        const far = Math.sqrt(nearestSquared(other, middle, decisive * decisive, work));
        if (far >= decisive - 1e-6) {
          if (nearLeft) count += places.length;
        } else if (near > far + 2 * reach + 1e-3) {
          nearLeft = !nearLeft;
          if (nearLeft) count += places.length;
        } else {
          for (const place of places) {
            const toLeft = nearestSquared(left, place, Number.POSITIVE_INFINITY, work);
            if (nearestSquared(right, place, toLeft, work) >= toLeft) count++;
          }
        }
      }
    }
  }
  return count;
}
