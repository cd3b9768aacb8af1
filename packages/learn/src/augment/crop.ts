/**
 * Random crop. The position is uniform over the scan after padding to at least the patch; padding is split evenly
 * with the odd voxel at the end, as in prediction, and never materialised.
 */

import type { RandomStream } from '@quickcolumn/random';
import type { Size3 } from '@quickcolumn/volume';
import type { Fill } from './spatial.js';

/** Scan voxel under patch voxel 0 0 0; negative where the patch begins in the padding. */
export function drawCrop(random: RandomStream, size: Size3, patch: Size3): Size3 {
  const along = (axis: 0 | 1 | 2): number => {
    const spare = size[axis] - patch[axis];
    // One draw an axis in every case, so that one axis's padding does not shift another axis's position.
    const drawn = random.integer(0, Math.max(0, spare) + 1);
    return spare >= 0 ? drawn : -Math.floor(-spare / 2);
  };
  return [along(0), along(1), along(2)];
}

/** How often patches shall contain a class: its index and the share of the patches. */
export interface Oversampling {
  readonly classIndex: number;
  readonly share: number;
}

/**
 * The start of a patch that contains a voxel of an oversampled class, every voxel of it and every place of the voxel in the
 * patch being equally likely (as far as the patch stays inside the scan); undefined where this patch is an ordinary one,
 * or the scan has no voxel of the class.
 */
export function drawFocusedCrop(
  random: RandomStream,
  { labels, size }: { readonly labels: Uint8Array; readonly size: Size3 },
  patch: Size3,
  oversampling: readonly Oversampling[],
): Size3 | undefined {
  const classIndex = drawClass(random, oversampling);
  if (classIndex === undefined) return undefined;
  let count = 0;
  for (const label of labels) if (label === classIndex) count++;
  if (count === 0) return undefined;
  const nth = random.integer(0, count);
  let at = labels.indexOf(classIndex);
  for (let passed = 0; passed < nth; passed++) at = labels.indexOf(classIndex, at + 1);
  const voxel = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
  const along = (axis: 0 | 1 | 2): number => {
    const spare = size[axis] - patch[axis];
    if (spare < 0) return -Math.floor(-spare / 2);
    const first = Math.max(0, voxel[axis] - patch[axis] + 1);
    return random.integer(first, Math.min(spare, voxel[axis]) + 1);
  };
  return [along(0), along(1), along(2)];
}

/** The class that a patch shall contain; undefined for none. */
function drawClass(random: RandomStream, oversampling: readonly Oversampling[]): number | undefined {
  const drawn = random.uniform();
  let upTo = 0;
  for (const { classIndex, share } of oversampling) {
    upTo += share;
    if (drawn < upTo) return classIndex;
  }
  return undefined;
}

/** Copies the patch at `start` out of a scan; whatever lies outside the scan becomes `fill`. */
export function cropPatch(
  source: { readonly image: Float32Array; readonly labels: Uint8Array; readonly size: Size3 },
  options: { readonly patch: Size3; readonly start: Size3; readonly fill: Fill },
): { image: Float32Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer> } {
  const { size } = source;
  const { patch, start, fill } = options;
  const image = new Float32Array(patch[0] * patch[1] * patch[2]);
  const labels = new Uint8Array(image.length);
  const first = start.map((from) => Math.max(0, -from));
  const end = start.map((from, axis) => Math.min(patch[axis], size[axis] - from));
  const partial = first.some((from, axis) => from > 0 || end[axis] < patch[axis]);
  if (partial) {
    image.fill(fill.image);
    labels.fill(fill.label);
  }
  if (end[0] <= first[0]) return { image, labels };
  for (let z = first[2]; z < end[2]; z++) {
    for (let y = first[1]; y < end[1]; y++) {
      const from = ((start[2] + z) * size[1] + start[1] + y) * size[0] + start[0];
      const to = (z * patch[1] + y) * patch[0];
      image.set(source.image.subarray(from + first[0], from + end[0]), to + first[0]);
      labels.set(source.labels.subarray(from + first[0], from + end[0]), to + first[0]);
    }
  }
  return { image, labels };
}
