/**
 * Class probabilities of a prepared scan on its prepared grid: the windows and their merging, system specification, section 7.
 * Scans smaller than the patch are padded with air and the padding is cut off again. Memory is one float32 per class and
 * prepared voxel.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { PreparedScan } from '@quickcolumn/pipeline';
import { type Size3, voxelCount } from '@quickcolumn/volume';
import type { CompiledModel } from './model/loaded-model.js';
import type { Disagreement } from './windows/disagreement.js';
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
  /** Gets what windows and passes differ by. */
  readonly disagreement?: Disagreement | undefined;
  /** Name of the scan in messages. */
  readonly name?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** What the windows have become together. */
export interface PredictedProbabilities {
  /** Of a class on the prepared grid, x fastest; not to be changed. */
  readonly probabilityOf: (classIndex: number) => Float32Array;
  /** The map of the disagreement, on the prepared grid. @param passes of every window */
  readonly spread: (passes: number) => Float32Array;
  /** How many there were. */
  readonly windows: number;
}

/**
 * @param network stays the caller's to dispose
 * @throws QuickcolumnError `interrupted` (signal), `runtime` (the network returned numbers that are not finite)
 */
export async function predictPrepared(
  network: Pick<CompiledModel, 'batch'> & { run(image: Float32Array, windows?: number): Promise<Float32Array> },
  prepared: Pick<PreparedScan, 'image' | 'size' | 'airValue'>,
  options: PreparedPredictionOptions,
): Promise<PredictedProbabilities> {
  const { patch, overlap, reversed, classes, weighting, disagreement, name = 'scan', signal, onProgress } = options;
  const padded = padToPatch(prepared.image, prepared.size, patch, { value: prepared.airValue, reversed });
  const grid = windowGrid(padded.size, patch, { overlap, reversed });
  const merger = createMerger(padded.size, patch, { grid, classes, weighting, disagreement });
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
    const probabilities = await network.run(input, some.length);
    checkLength(probabilities, batch * voxels * classes, name);
    for (const [n, corner] of some.entries()) {
      const one = probabilities.subarray(n * voxels * classes, (n + 1) * voxels * classes);
      checkFinite(one.subarray(0, voxels), name);
      merger.add(corner, one, disagreement?.ofPasses?.subarray(n * voxels, (n + 1) * voxels));
      onProgress?.({ done: first + n + 1, total: grid.count });
    }
  }
  merger.finish();
  return {
    probabilityOf: (classIndex) => merger.classProbability(classIndex, padded.corner, prepared.size),
    spread: (passes) => merger.spread(padded.corner, prepared.size, passes),
    windows: grid.count,
  };
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
