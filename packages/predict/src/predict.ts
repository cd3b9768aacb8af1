/**
 * Prediction of one scan: prepare, slide a window over it, merge, and return to the scan's own grid.
 *
 * System specification, section 7. Probabilities, not labels, are resampled back, class by class, so the mask on the
 * original grid is smooth and memory is bounded: one float32 per class and prepared voxel, plus one class on the
 * original grid. Scans smaller than the patch are padded with air and the padding is cut off again.
 */
import { type DefectKind, judge, scanDefects } from '@quickcolumn/defects';
import { QuickcolumnError } from '@quickcolumn/errors';
import { networkSchema, patchMultipleOf } from '@quickcolumn/networks';
import {
  prepareScan,
  restoreProbabilities,
  restoreProbability,
  type ScanFacts,
  scanFacts,
} from '@quickcolumn/pipeline';
import { type IntensityScale, type Size3, type Volume, voxelCount } from '@quickcolumn/volume';
import {
  availableMemory,
  estimatePrediction,
  estimateWithBatch,
  type PredictionEstimate,
  refuseIfTooLarge,
} from './memory.js';
import type { CompiledModel, LoadedModel } from './model/loaded-model.js';
import { type PostProcessing, postProcess } from './post-process.js';
import { agreementOf, createDisagreement } from './windows/disagreement.js';
import { createMerger, padToPatch, readPatch, type WindowWeighting } from './windows/merge.js';
import { type MirrorAxis, mirrored } from './windows/mirror.js';
import { windowCorners, windowGrid } from './windows/windows.js';

export interface PredictOptions {
  /** Voxels of the window along x, y, z; each a multiple of what the network asks for. Default: the model's. */
  readonly patch?: Size3;
  /** Overlap of neighbouring windows, smaller than the patch. Default: the model's, or half of a given patch. */
  readonly overlap?: Size3;
  readonly weighting?: WindowWeighting;
  /** Average over mirrored windows along these axes of the prepared grid; default none. */
  readonly mirror?: readonly MirrorAxis[];
  /** What is done to the mask at the end; probabilities stay as they are. Default nothing. */
  readonly postProcessing?: PostProcessing;
  /** Name of the scan in messages. */
  readonly name?: string;
  /** Defects of the scan that are let pass; all others that could give a wrong mask are refused. */
  readonly accept?: readonly DefectKind[];
  /** Called with each note about the scan, before anything large is allocated. */
  readonly onNote?: (text: string) => void;
  /** Bytes this prediction may take; default: what the platform reports as available, Infinity to skip the check. */
  readonly availableBytes?: number;
  /**
   * The model compiled for this patch, to share between scans; stays the caller's to dispose. Its batch is the number of
   * windows that are computed at once; default: what the model's runtime is quickest with, as far as memory allows.
   */
  readonly compiled?: CompiledModel;
  readonly signal?: AbortSignal;
  /** Called once, before anything large is allocated. */
  readonly onEstimate?: (estimate: PredictionEstimate) => void;
  readonly onProgress?: (progress: { done: number; total: number }) => void;
  /** Called with the finished labels before the first class's probabilities, and awaited. */
  readonly onLabels?: (prediction: Prediction) => Promise<void> | void;
  /**
   * Called with the map of disagreement on the original grid, after the labels, and awaited: the standard deviation of
   * the class probabilities between the members, 0 to 0.71, NaN where there was one. Null where nothing overlapped.
   */
  readonly onDisagreement?: (map: Volume<Float32Array> | null) => Promise<void> | void;
  /** Called with one class's probabilities on the original grid after the other, each awaited: one lives at a time. */
  readonly onProbability?: (classIndex: number, probability: Volume<Float32Array>) => Promise<void> | void;
}

export interface Prediction {
  /** Class values on the scan's own grid, with its own affine. */
  readonly labels: Volume<Uint8Array>;
  readonly estimate: PredictionEstimate;
  /** Voxels that post-processing changed. */
  readonly removedVoxels: number;
  readonly filledVoxels: number;
  /** Intensity scale found in the scan. */
  readonly scale: IntensityScale;
  /** Defects of the scan that were noted or accepted, for people. */
  readonly notes: readonly string[];
  /**
   * How far the members of the prediction agree on each class, 0 to 1 (windows/disagreement.ts): overlapping windows,
   * mirrored copies, models. Null where it was not measured: nothing overlapped.
   */
  readonly agreement: readonly (number | null)[];
  /** What the scan has in common with others, or not. */
  readonly facts: ScanFacts;
  /** Its lungs go on beyond the scan (defect `coverage`). */
  readonly isPart: boolean;
}

/** Patch and overlap of a prediction: what was asked for, else the model's. @throws QuickcolumnError `usage`. */
export function resolveWindow(
  model: Pick<LoadedModel, 'metadata'>,
  options: Pick<PredictOptions, 'patch' | 'overlap'> = {},
): { patch: Size3; overlap: Size3 } {
  const patch = options.patch ?? model.metadata.patch;
  const multiple = patchMultipleOf(networkSchema.parse(model.metadata.network));
  patch.forEach((length, axis) => {
    if (Number.isInteger(length) && length > 0 && length % multiple === 0) return;
    const next = Math.max(1, Math.ceil(length / multiple) || 1) * multiple;
    throw new QuickcolumnError('usage', `patch[${axis}]: ${length} is not a multiple of ${multiple}; use ${next}`);
  });
  const half: Size3 = [patch[0] / 2, patch[1] / 2, patch[2] / 2];
  const overlap = options.overlap ?? (options.patch === undefined ? model.metadata.overlap : half);
  overlap.forEach((length, axis) => {
    if (Number.isInteger(length) && length >= 0 && length < patch[axis]) return;
    throw new QuickcolumnError(
      'usage',
      `overlap[${axis}]: ${length} is not between 0 and ${patch[axis] - 1}; it must be smaller than the patch`,
    );
  });
  return { patch, overlap };
}

/**
 * Labels of one scan, on the scan's own grid.
 *
 * @param image any orientation and spacing; HU or already 0–255.
 * @throws DefectError for a scan that is refused; QuickcolumnError `usage` (patch, overlap), `memory` (estimate above what is available), `interrupted`
 *   (signal), `runtime` (the network returned numbers that are not finite).
 */
export async function predictScan(
  model: LoadedModel,
  image: Volume,
  options: PredictOptions = {},
): Promise<Prediction> {
  const { name = 'scan' } = options;
  const { patch, overlap } = resolveWindow(model, options);
  const { mirror = [], postProcessing } = options;
  const defects = scanDefects(image);
  const notes = judge(name, defects, options.accept);
  for (const text of notes) options.onNote?.(text);
  const available = options.availableBytes ?? availableMemory();
  const map = options.onDisagreement !== undefined;
  const estimate =
    options.compiled === undefined
      ? estimateWithBatch(model, image, { patch, overlap, map, available })
      : estimatePrediction(model, image, { patch, overlap, map, batch: options.compiled.batch });
  options.onEstimate?.(estimate);
  refuseIfTooLarge(estimate, available, name);

  const { preparation } = model.metadata;
  const { classes } = preparation;
  const prepared = prepareScan(image, preparation, { name });
  const padded = padToPatch(prepared.image, prepared.size, patch, prepared.airValue);
  const grid = windowGrid(padded.size, patch, overlap);
  const disagreement = createDisagreement(classes.length, map ? estimate.batch * voxelCount(patch) : undefined);
  const merger = createMerger(padded.size, patch, {
    grid,
    classes: classes.length,
    weighting: options.weighting,
    disagreement,
  });

  const compiled = options.compiled ?? (await model.compile(patch, estimate.batch));
  const network = mirrored(compiled, { patch, axes: mirror, classes, disagreement });
  try {
    const { batch } = network;
    const voxels = voxelCount(patch);
    const input = new Float32Array(batch * voxels);
    const corners = windowCorners(grid);
    for (let first = 0; first < corners.length; first += batch) {
      if (options.signal?.aborted) throw new QuickcolumnError('interrupted', `${name}: prediction was interrupted`);
      // The last batch may be short: what else is in it is computed and not looked at.
      const some = corners.slice(first, first + batch);
      for (const [n, corner] of some.entries()) {
        readPatch(padded.voxels, padded.size, { corner, patch, out: input.subarray(n * voxels, (n + 1) * voxels) });
      }
      const probabilities = await network.run(input, some.length);
      checkLength(probabilities, batch * voxels * classes.length, name);
      for (const [n, corner] of some.entries()) {
        const one = probabilities.subarray(n * voxels * classes.length, (n + 1) * voxels * classes.length);
        checkFinite(one.subarray(0, voxels), name);
        merger.add(corner, one, disagreement.ofPasses?.subarray(n * voxels, (n + 1) * voxels));
        options.onProgress?.({ done: first + n + 1, total: grid.count });
      }
    }
  } finally {
    if (options.compiled === undefined) await compiled.dispose();
  }

  merger.finish();
  const probabilityOf = (c: number): Float32Array => merger.classProbability(c, padded.corner, prepared.size);
  const restored = restoreProbabilities(probabilityOf, classes, prepared.size, prepared.undo, { name });
  const result =
    postProcessing === undefined
      ? { labels: restored, removedVoxels: 0, filledVoxels: 0 }
      : postProcess(restored, classes, postProcessing);
  const prediction = {
    ...result,
    estimate,
    scale: prepared.scale,
    notes,
    agreement: agreementOf(disagreement),
    facts: scanFacts(prepared),
    isPart: defects.some(({ kind }) => kind === 'coverage'),
  };
  await options.onLabels?.(prediction);
  if (options.onDisagreement !== undefined) {
    const isMeasured = grid.count * network.count > 1;
    const spread = (): Float32Array => merger.spread(padded.corner, prepared.size, network.count);
    await options.onDisagreement(isMeasured ? restoreProbability(spread(), prepared.size, prepared.undo) : null);
  }
  if (options.onProbability !== undefined) {
    for (let c = 0; c < classes.length; c++) {
      await options.onProbability(c, restoreProbability(probabilityOf(c), prepared.size, prepared.undo));
    }
  }
  return prediction;
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
