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
import { tensorAxes } from './foreign/tensor-axes.js';
import type { CompiledModel, LoadedModel } from './model/loaded-model.js';
import { type PostProcessing, postProcess } from './post-process.js';
import { type PredictedProbabilities, predictPrepared } from './predict-prepared.js';
import { agreementOf, createDisagreement } from './windows/disagreement.js';
import type { WindowWeighting } from './windows/merge.js';
import { type MirrorAxis, mirrored } from './windows/mirror.js';
import type { AxisFlags } from './windows/windows.js';

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
  checkPatch(model.metadata, patch);
  const half: Size3 = [Math.floor(patch[0] / 2), Math.floor(patch[1] / 2), Math.floor(patch[2] / 2)];
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

function checkPatch(metadata: LoadedModel['metadata'], patch: Size3): void {
  const isForeign = metadata.format === 'quickcolumn-foreign-model';
  // What else a model of another framework asks of its window, its file does not tell: it fails in its own words.
  const multiple = isForeign ? 1 : patchMultipleOf(networkSchema.parse(metadata.network));
  patch.forEach((length, axis) => {
    const fixed = isForeign ? metadata.fixedPatch[axis] : null;
    if (fixed !== null && length !== fixed) {
      throw new QuickcolumnError(
        'usage',
        `patch[${axis}]: ${length}, but the model takes ${fixed} alone; use ${fixed}`,
      );
    }
    if (Number.isInteger(length) && length > 0 && length % multiple === 0) return;
    const next = Math.max(1, Math.ceil(length / multiple) || 1) * multiple;
    throw new QuickcolumnError('usage', `patch[${axis}]: ${length} is not a multiple of ${multiple}; use ${next}`);
  });
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
  const { reversed, threshold } = foreignRules(model.metadata);
  const prepared = prepareScan(image, preparation, { name });
  const disagreement = createDisagreement(classes.length, map ? estimate.batch * voxelCount(patch) : undefined);
  const compiled = options.compiled ?? (await model.compile(patch, estimate.batch));
  const network = mirrored(compiled, { patch, axes: mirror, classes, disagreement });
  let merged: PredictedProbabilities;
  try {
    const { weighting, signal, onProgress } = options;
    const how = {
      patch,
      overlap,
      reversed,
      classes: classes.length,
      weighting,
      disagreement,
      name,
      signal,
      onProgress,
    };
    merged = await predictPrepared(network, prepared, how);
  } finally {
    if (options.compiled === undefined) await compiled.dispose();
  }

  const { probabilityOf } = merged;
  // A class that is by itself has to reach the threshold, not what the others leave.
  const decisive = (c: number): Float32Array =>
    c === 0 && threshold !== undefined ? new Float32Array(voxelCount(prepared.size)).fill(threshold) : probabilityOf(c);
  const restored = restoreProbabilities(decisive, classes, prepared.size, prepared.undo, { name });
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
    const isMeasured = merged.windows * network.count > 1;
    const spread = (): Volume<Float32Array> =>
      restoreProbability(merged.spread(network.count), prepared.size, prepared.undo);
    await options.onDisagreement(isMeasured ? spread() : null);
  }
  if (options.onProbability !== undefined) {
    for (let c = 0; c < classes.length; c++) {
      await options.onProbability(c, restoreProbability(probabilityOf(c), prepared.size, prepared.undo));
    }
  }
  return prediction;
}

/** What a model of another framework wants otherwise: where windows begin, and when a voxel is no background. */
function foreignRules(metadata: LoadedModel['metadata']): { reversed?: AxisFlags; threshold?: number } {
  if (metadata.format !== 'quickcolumn-foreign-model') return {};
  const { axes, output } = metadata;
  const { reversed } = tensorAxes(axes);
  return output.kind === 'sigmoid' ? { reversed, threshold: output.threshold } : { reversed };
}
