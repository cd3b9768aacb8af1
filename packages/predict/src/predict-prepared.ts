/**
 * Class probabilities of a prepared scan on its prepared grid: the windows and their merging, system specification, section 7.
 * Scans smaller than the patch are padded with air and the padding is cut off again. Memory is one float32 per class and
 * prepared voxel.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { PreparedScan } from '@quickcolumn/pipeline';
import { type Size3, voxelCount } from '@quickcolumn/volume';
import type { CompiledModel } from './model/loaded-model.js';
import { createMerger, padToPatch, readPatch, type WindowWeighting } from './windows/merge.js';
import { type AxisFlags, windowCorners, windowGrid } from './windows/windows.js';

export interface PreparedPredictionOptions {
  /** Of the compiled model. */
  readonly patch: Size3;
  readonly overlap: Size3;
  /** Axes along which windows begin at the far end (foreign/tensor-axes.ts); default none. */
  readonly reversed?: AxisFlags | undefined;
  readonly classes: number;
  readonly weighting?: WindowWeighting | undefined;
  /** Name of the scan in messages. */
  readonly name?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * @param network stays the caller's to dispose
 * @returns the probabilities of a class on the prepared grid, x fastest, not to be changed
 * @throws QuickcolumnError `interrupted` (signal), `runtime` (the network returned numbers that are not finite)
 */
export async function predictPrepared(
  network: CompiledModel,
  prepared: Pick<PreparedScan, 'image' | 'size' | 'airValue'>,
  { patch, overlap, reversed, classes, weighting, name = 'scan', signal, onProgress }: PreparedPredictionOptions,
): Promise<(classIndex: number) => Float32Array> {
  const padded = padToPatch(prepared.image, prepared.size, patch, { value: prepared.airValue, reversed });
  const grid = windowGrid(padded.size, patch, { overlap, reversed });
  const merger = createMerger(padded.size, patch, { grid, classes, weighting });
  const { batch } = network;
  const voxels = voxelCount(patch);
  const input = new Float32Array(batch * voxels);
  const corners = windowCorners(grid);
  for (let first = 0; first < corners.length; first += batch) {
    if (signal?.aborted) throw new QuickcolumnError('interrupted', `${name}: prediction was interrupted`);
    // The last batch may be short: what else is in it is computed and not looked at.
    const some = corners.slice(first, first + batch);
    for (const [n, corner] of some.entries()) {
      readPatch(padded.voxels, padded.size, { corner, patch, out: input.subarray(n * voxels, (n + 1) * voxels) });
    }
    const probabilities = await network.run(input);
    checkLength(probabilities, batch * voxels * classes, name);
    for (const [n, corner] of some.entries()) {
      const one = probabilities.subarray(n * voxels * classes, (n + 1) * voxels * classes);
      checkFinite(one.subarray(0, voxels), name);
      merger.add(corner, one);
      onProgress?.({ done: first + n + 1, total: grid.count });
    }
  }
  merger.finish();
  return (classIndex) => merger.classProbability(classIndex, padded.corner, prepared.size);
}

function checkLength(probabilities: Float32Array, expected: number, name: string): void {
  if (probabilities.length === expected) return;
  throw new QuickcolumnError(
    'runtime',
    `${name}: the network returned ${probabilities.length} numbers, expected ${expected} (windows, classes, voxels)`,
  );
}

/** @param first the probabilities of one class: a softmax that is not finite is so in every class */
function checkFinite(first: Float32Array, name: string): void {
  for (let i = 0; i < first.length; i++) {
    if (!Number.isFinite(first[i])) {
      throw new QuickcolumnError('runtime', `${name}: the network returned probabilities that are not finite`, {
        reason: 'not-finite',
      });
    }
  }
}
