/**
 * Post-processing of a mask on the scan's own grid (system specification, section 7), all of it off by default: keep
 * the largest connected components of a class, drop components below a volume, fill holes; in this order.
 *
 * Components touch by faces, edges or corners (26); a hole is enclosed by faces (6) and does not reach the border of
 * the scan. What is removed takes the label that most of its face neighbours have: a dropped lesion becomes lung where
 * it lay in the lung, a stray piece of lung becomes background. Only background is filled.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { connectedComponents, type LabelClass, type Size3, type Volume, voxelVolumeMm3 } from '@quickcolumn/volume';

/** Classes are given by their values in the mask. */
export interface PostProcessing {
  /** How many components of a class stay, the largest ones. */
  readonly keepLargest?: ReadonlyArray<{ readonly value: number; readonly components: number }>;
  /** Components of a class that are smaller are dropped. */
  readonly minimumVolume?: ReadonlyArray<{ readonly value: number; readonly volumeMl: number }>;
  readonly fillHoles?: readonly number[];
}

/** What was changed, in voxels, for the sidecar. */
export interface PostProcessingResult {
  readonly labels: Volume<Uint8Array>;
  readonly removedVoxels: number;
  readonly filledVoxels: number;
}

/**
 * @param labels is not changed.
 * @throws QuickcolumnError `usage` for a value that is no class, or the background
 */
export function postProcess(
  labels: Volume<Uint8Array>,
  classes: readonly LabelClass[],
  options: PostProcessing,
): PostProcessingResult {
  const { keepLargest = [], minimumVolume = [], fillHoles = [] } = options;
  for (const value of [...keepLargest, ...minimumVolume].map((one) => one.value).concat(fillHoles)) {
    if (value !== 0 && classes.some((one) => one.value === value)) continue;
    const known = classes.slice(1).map((one) => `${one.value} ${one.name}`);
    throw new QuickcolumnError('usage', `post-processing: ${value} is no class of the model; use ${known.join(', ')}`);
  }
  const { size, affine } = labels;
  const voxels = labels.voxels.slice();
  const voxelMl = voxelVolumeMm3(affine) / 1000;
  let removedVoxels = 0;
  for (const { value, components } of keepLargest) {
    removedVoxels += removeComponents(voxels, size, value, (sizes) => {
      const order = [...sizes.keys()].slice(1).sort((a, b) => sizes[b] - sizes[a] || a - b);
      const kept = new Set(order.slice(0, components));
      return (component) => kept.has(component);
    });
  }
  for (const { value, volumeMl } of minimumVolume) {
    removedVoxels += removeComponents(voxels, size, value, (sizes) => (component) => {
      // A volume that should just suffice must not fail by rounding.
      return sizes[component] * voxelMl >= volumeMl * (1 - 1e-9);
    });
  }
  let filledVoxels = 0;
  for (const value of fillHoles) filledVoxels += fill(voxels, size, value);
  return { labels: { voxels, size, affine }, removedVoxels, filledVoxels };
}

/** Relabels the components of a class that are not kept; returns their voxels. */
function removeComponents(
  voxels: Uint8Array,
  size: Size3,
  value: number,
  choose: (sizes: Uint32Array) => (component: number) => boolean,
): number {
  const mask = voxels.map((label) => (label === value ? 1 : 0));
  const { labels: components, count, sizes } = connectedComponents(mask, size);
  const kept = choose(sizes);
  const removed = new Set<number>();
  for (let component = 1; component <= count; component++) if (!kept(component)) removed.add(component);
  if (removed.size === 0) return 0;
  const votes = new Map([...removed].map((component) => [component, new Uint32Array(256)]));
  eachNeighbour(size, (at, neighbour) => {
    if (voxels[neighbour] !== value) {
      const own = votes.get(components[at]);
      if (own !== undefined) own[voxels[neighbour]]++;
    }
  });
  // Of labels with equally many neighbours the lowest wins: background before lung.
  const winners = new Map([...votes].map(([component, counts]) => [component, counts.indexOf(Math.max(...counts))]));
  let changed = 0;
  for (let at = 0; at < voxels.length; at++) {
    const label = winners.get(components[at]);
    if (label === undefined) continue;
    voxels[at] = label;
    changed++;
  }
  return changed;
}

/** Gives background voxels that the class encloses to the class; returns how many. */
function fill(voxels: Uint8Array, size: Size3, value: number): number {
  const outside = voxels.map((label) => (label === value ? 0 : 1));
  const { labels: components } = connectedComponents(outside, size, { connectivity: 6 });
  const open = new Set<number>();
  const [nx, ny, nz] = size;
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, at++) {
        const inner = x > 0 && y > 0 && z > 0 && x < nx - 1 && y < ny - 1 && z < nz - 1;
        if (!inner) open.add(components[at]);
      }
  let changed = 0;
  for (let at = 0; at < voxels.length; at++) {
    if (voxels[at] !== 0 || open.has(components[at])) continue;
    voxels[at] = value;
    changed++;
  }
  return changed;
}

/** Calls visit(voxel, face neighbour) for every such pair, both ways round. */
function eachNeighbour([nx, ny, nz]: Size3, visit: (at: number, neighbour: number) => void): void {
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, at++) {
        if (x > 0) visit(at, at - 1);
        if (x < nx - 1) visit(at, at + 1);
        if (y > 0) visit(at, at - nx);
        if (y < ny - 1) visit(at, at + nx);
        if (z > 0) visit(at, at - nx * ny);
        if (z < nz - 1) visit(at, at + nx * ny);
      }
}
