/**
 * The fixed patches on which every epoch is validated: the same voxels each time, without augmentation.
 *
 * Patch 0 of a case is centred on its rarest class (the one a random crop would miss most often). Of an even number,
 * patch 1 lies in the middle of the scan and further ones are spread evenly along z; of an odd number all others are,
 * none in the middle. Cut when needed: keeping them all would cost gigabytes.
 */
import { noClass } from '@quickcolumn/cases';
import type { Size3 } from '@quickcolumn/volume';
import { cropVotes, mixLabels } from '../augment/soft-votes.js';
import type { TrainingCase } from './sample-pool.js';
import type { TrainingBatch } from '../step/step-types.js';

/** A patch by its case and first voxel, which is negative where a scan is smaller than the patch. */
export interface PatchPlace {
  readonly caseIndex: number;
  readonly start: Size3;
}

/** `perCase` places in each case. */
export function validationPlaces(cases: readonly TrainingCase[], patch: Size3, perCase: number): PatchPlace[] {
  return cases.flatMap(({ labels, size }, caseIndex) =>
    Array.from({ length: perCase }, (_, index): PatchPlace => {
      const centre: [number, number, number] = [size[0] / 2, size[1] / 2, size[2] / 2];
      if (index === 0) return { caseIndex, start: startAround(rarestCentre(labels, size) ?? centre, size, patch) };
      if (perCase % 2 === 1) centre[2] = (index * size[2]) / perCase;
      else if (index > 1) centre[2] = ((index - 1) * size[2]) / (perCase - 1);
      return { caseIndex, start: startAround(centre, size, patch) };
    }),
  );
}

/** The patches at these places as one batch. */
export function cutBatch(cases: readonly TrainingCase[], places: readonly PatchPlace[], patch: Size3): TrainingBatch {
  const voxels = patch[0] * patch[1] * patch[2];
  const image = new Float32Array(places.length * voxels);
  const labels = new Uint8Array(places.length * voxels);
  let truth: Float32Array | undefined;
  for (const [n, { caseIndex, start }] of places.entries()) {
    const source = cases[caseIndex];
    const { size, votes } = source;
    const ofPatch = labels.subarray(n * voxels, (n + 1) * voxels);
    cut(source.image, size, start, patch, image.subarray(n * voxels, (n + 1) * voxels).fill(source.airValue));
    cut(source.labels, size, start, patch, ofPatch);
    if (votes === undefined) continue;
    const shares = cropVotes(votes.packed, size, { patch, start, outside: 0 });
    mixLabels(shares, ofPatch, votes.hardShare);
    truth ??= new Float32Array(places.length * shares.length);
    truth.set(shares, n * shares.length);
  }
  return { image, labels, ...(truth && { truth }) };
}

function cut<T extends Float32Array | Uint8Array>(source: T, size: Size3, start: Size3, patch: Size3, target: T): void {
  const from = Math.max(0, start[0]);
  const to = Math.min(size[0], start[0] + patch[0]);
  for (let z = Math.max(0, start[2]); z < Math.min(size[2], start[2] + patch[2]); z++) {
    for (let y = Math.max(0, start[1]); y < Math.min(size[1], start[1] + patch[1]); y++) {
      const row = (z * size[1] + y) * size[0];
      const targetRow = ((z - start[2]) * patch[1] + (y - start[1])) * patch[0];
      target.set(source.subarray(row + from, row + to), targetRow + from - start[0]);
    }
  }
}

/**
 * First voxel of a patch around `centre`, inside the scan where it fits. Where it does not the scan is in the middle of
 * the patch, an odd voxel at the end, as in training and prediction.
 */
function startAround(centre: readonly [number, number, number], size: Size3, patch: Size3): Size3 {
  const along = (axis: 0 | 1 | 2): number => {
    const room = size[axis] - patch[axis];
    if (room <= 0) return -Math.floor(-room / 2) + 0;
    return Math.min(room, Math.max(0, Math.round(centre[axis] - patch[axis] / 2)));
  };
  return [along(0), along(1), along(2)];
}

/** Mean position of the voxels of the least frequent class present besides the background; ignored voxels are none. */
function rarestCentre(labels: Uint8Array, size: Size3): [number, number, number] | undefined {
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  let rarest = 0;
  for (let value = 1; value < noClass; value++) {
    if (counts[value] > 0 && (rarest === 0 || counts[value] < counts[rarest])) rarest = value;
  }
  if (rarest === 0) return undefined;
  const sum = [0, 0, 0];
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== rarest) continue;
    sum[0] += i % size[0];
    sum[1] += Math.floor(i / size[0]) % size[1];
    sum[2] += Math.floor(i / (size[0] * size[1]));
  }
  return [sum[0] / counts[rarest], sum[1] / counts[rarest], sum[2] / counts[rarest]];
}
