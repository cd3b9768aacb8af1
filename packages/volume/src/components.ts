/**
 * Connected components of a mask, by runs.
 *
 * A run is a maximal row of set voxels along x. Runs of neighbouring rows that touch are joined by union-find (always
 * towards the earlier run), so the work per voxel is finding the runs, and memory beside the result grows with the
 * number of runs only. Components are numbered 1, 2, … in the order of their first voxel.
 */
import { VolumeError } from './errors.js';
import { checkVoxels } from './volume-checks.js';
import type { Size3 } from './volume.js';

/** Neighbours of a voxel: 6 share a face, 18 a face or an edge, 26 also a corner. */
export type Connectivity = 6 | 18 | 26;

export interface ComponentOptions {
  /** Default 26. */
  readonly connectivity?: Connectivity;
}

export interface Components {
  /** Component of each voxel, 0 where the mask is 0. */
  readonly labels: Int32Array;
  /** Number of components. */
  readonly count: number;
  /** Voxels of each component at its number; sizes[0] is the number of voxels outside the mask. */
  readonly sizes: Uint32Array;
}

/** Runs in scan order; run r covers [start[r], end[r]) as voxel indices. Row q owns runs rowFirst[q] … rowFirst[q+1]−1. */
interface Runs {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly rowFirst: Int32Array;
}

/**
 * Label the connected components of the non-zero voxels.
 * @throws VolumeError when mask and size do not fit, or for another connectivity
 */
export function connectedComponents(mask: Uint8Array, size: Size3, options: ComponentOptions = {}): Components {
  const { runs, component, count } = labelRuns(mask, size, options);
  const labels = new Int32Array(mask.length);
  const sizes = countVoxels(runs, component, count, mask.length);
  for (let r = 0; r < component.length; r++) labels.fill(component[r], runs.start[r], runs.end[r]);
  return { labels, count, sizes };
}

/**
 * Mask (0 or 1) of the component with the most voxels; of equal ones the first. All zeros when the mask is empty.
 * @throws VolumeError when mask and size do not fit, or for another connectivity
 */
export function largestComponent(mask: Uint8Array, size: Size3, options: ComponentOptions = {}): Uint8Array {
  const { runs, component, count } = labelRuns(mask, size, options);
  const sizes = countVoxels(runs, component, count, mask.length);
  let largest = 1;
  for (let c = 2; c <= count; c++) if (sizes[c] > sizes[largest]) largest = c;
  const result = new Uint8Array(mask.length);
  for (let r = 0; r < component.length; r++) {
    if (component[r] === largest) result.fill(1, runs.start[r], runs.end[r]);
  }
  return result;
}

function labelRuns(
  mask: Uint8Array,
  size: Size3,
  { connectivity = 26 }: ComponentOptions,
): { runs: Runs; component: Int32Array; count: number } {
  checkVoxels(mask, size, 'connectedComponents');
  if (connectivity !== 6 && connectivity !== 18 && connectivity !== 26) {
    throw new VolumeError(`connectivity ${String(connectivity)} must be 6, 18 or 26`, { connectivity });
  }
  const [nx, ny, nz] = size;
  const runs = findRuns(mask, nx, ny * nz);
  const parent = Int32Array.from(runs.start, (_, r) => r);
  // Rows one step away reach one voxel further along x where edges join; diagonal rows where corners join.
  const beside = connectivity === 6 ? 0 : 1;
  const diagonal = connectivity === 26 ? 1 : 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = z * ny + y;
      if (y > 0) joinRows(runs, parent, row, row - 1, nx, beside);
      if (z > 0) joinRows(runs, parent, row, row - ny, nx, beside);
      if (z > 0 && connectivity !== 6) {
        if (y > 0) joinRows(runs, parent, row, row - ny - 1, nx, diagonal);
        if (y < ny - 1) joinRows(runs, parent, row, row - ny + 1, nx, diagonal);
      }
    }
  }
  const component = new Int32Array(parent.length);
  let count = 0;
  for (let r = 0; r < parent.length; r++) {
    const root = find(parent, r);
    component[r] = root === r ? ++count : component[root];
  }
  return { runs, component, count };
}

function findRuns(mask: Uint8Array, nx: number, rows: number): Runs {
  const rowFirst = new Int32Array(rows + 1);
  let count = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    rowFirst[row] = count;
    let before = 0;
    for (const rowEnd = at + nx; at < rowEnd; at++) {
      const value = mask[at];
      if (value !== 0 && before === 0) count++;
      before = value;
    }
  }
  rowFirst[rows] = count;
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  for (let row = 0; row < rows; row++) {
    const rowEnd = (row + 1) * nx;
    let at = row * nx;
    for (let r = rowFirst[row]; r < rowFirst[row + 1]; r++) {
      while (mask[at] === 0) at++;
      start[r] = at;
      while (at < rowEnd && mask[at] !== 0) at++;
      end[r] = at;
    }
  }
  return { start, end, rowFirst };
}

/** Join the runs of a row with those of an earlier row that come within `reach` voxels of them along x. */
function joinRows(runs: Runs, parent: Int32Array, row: number, earlier: number, nx: number, reach: number): void {
  const { start, end, rowFirst } = runs;
  const shift = (row - earlier) * nx;
  const lastA = rowFirst[row + 1];
  const lastB = rowFirst[earlier + 1];
  let a = rowFirst[row];
  let b = rowFirst[earlier];
  while (a < lastA && b < lastB) {
    const startB = start[b] + shift;
    const endB = end[b] + shift;
    if (start[a] < endB + reach && startB < end[a] + reach) {
      const rootA = find(parent, a);
      const rootB = find(parent, b);
      if (rootA < rootB) parent[rootB] = rootA;
      else parent[rootA] = rootB;
    }
    if (end[a] < endB) a++;
    else b++;
  }
}

function find(parent: Int32Array, run: number): number {
  let at = run;
  while (parent[at] !== at) {
    parent[at] = parent[parent[at]];
    at = parent[at];
  }
  return at;
}

function countVoxels({ start, end }: Runs, component: Int32Array, count: number, total: number): Uint32Array {
  const sizes = new Uint32Array(count + 1);
  sizes[0] = total;
  for (let r = 0; r < component.length; r++) {
    sizes[component[r]] += end[r] - start[r];
    sizes[0] -= end[r] - start[r];
  }
  return sizes;
}
