/**
 * How much memory a prediction will take, known before it starts.
 *
 * Three stages follow one another (prepare, windows, restore) and only the scan itself lives through all of them, so
 * the peak is the scan plus the largest stage. The numbers are upper bounds of what the code below holds, not
 * measurements; the network's own share comes from the model when it can tell. What a graphics card holds is told apart: the
 * machine's memory does not limit it.
 */
import { preparedSize } from '@quickcolumn/pipeline';
import { QuickcolumnError } from '@quickcolumn/errors';
import { reorientation, spacingMm, type Size3, type Vector3, type Volume } from '@quickcolumn/volume';
import { mergeBytes, paddedSize } from './windows/merge.js';
import type { LoadedModel } from './model/loaded-model.js';
import { windowGrid } from './windows/windows.js';

/** Expected size and cost of one prediction; all memory in bytes of the machine's own, but for `cardBytes`. */
export interface PredictionEstimate {
  /** Voxels of the prepared scan (LPS order), before padding. */
  readonly preparedSize: Size3;
  readonly windows: number;
  /** Windows in one run of the network. */
  readonly batch: number;
  readonly scanBytes: number;
  readonly prepareBytes: number;
  readonly windowBytes: number;
  readonly restoreBytes: number;
  /** Scan plus the largest of the three stages. */
  readonly peakBytes: number;
  /** What the network holds on a graphics card; 0 where it computes in host memory. */
  readonly cardBytes: number;
}

function sizeAfterPreparation(image: Pick<Volume, 'size' | 'affine'>, targetMm: Vector3 | null): Size3 {
  const { permutation } = reorientation(image.affine);
  const spacing = spacingMm(image.affine);
  const upright = (values: Vector3): Vector3 => [
    values[permutation[0]],
    values[permutation[1]],
    values[permutation[2]],
  ];
  return preparedSize(upright(image.size), upright(spacing), targetMm ?? upright(spacing));
}

// Without word from the model: the widest decoder level keeps about 12 maps of rootFilters channels at a time.
function networkBytes(metadata: LoadedModel['metadata'], patchVoxels: number): number {
  const { rootFilters } = metadata.network as { rootFilters?: unknown };
  return patchVoxels * Float32Array.BYTES_PER_ELEMENT * 12 * (typeof rootFilters === 'number' ? rootFilters : 32);
}

/** What predicting `image` with `model` will take, with `map` that of disagreement, too; allocates nothing. */
export function estimatePrediction(
  model: LoadedModel,
  image: Volume,
  options: { patch: Size3; overlap: Size3; batch?: number; map?: boolean },
): PredictionEstimate {
  const { patch, overlap, batch = 1, map = false } = options;
  const { metadata } = model;
  const classes = metadata.preparation.classes.length;
  const prepared = sizeAfterPreparation(image, metadata.preparation.spacingMm);
  const padded = paddedSize(prepared, patch);
  const scanVoxels = image.size[0] * image.size[1] * image.size[2];
  const preparedVoxels = prepared[0] * prepared[1] * prepared[2];
  const paddedVoxels = padded[0] * padded[1] * padded[2];
  const patchVoxels = patch[0] * patch[1] * patch[2] * batch;
  const unknown = { hostBytes: networkBytes(metadata, patchVoxels), cardBytes: 0 };
  const network = model.estimateBytes?.(patch, batch) ?? unknown;

  const scanBytes = image.voxels.byteLength;
  const mapBytes = map ? 4 * paddedVoxels : 0;
  // Reordered scan, spline coefficients and one half-resampled copy, then the result.
  const prepareBytes = 3 * 4 * scanVoxels + 4 * preparedVoxels;
  const windowBytes =
    4 * (preparedVoxels + paddedVoxels) +
    mergeBytes(padded, classes) +
    mapBytes +
    4 * patchVoxels * (1 + 2 * classes) +
    network.hostBytes;
  // Accumulators stay; one class on the scan's grid, one half-resampled copy, the best so far and the labels.
  // Post-processing comes after that and needs less: masks of a byte and component numbers of four.
  const restoreBytes = mergeBytes(padded, classes) + mapBytes + (3 * 4 + 2) * scanVoxels;
  return {
    preparedSize: prepared,
    windows: windowGrid(padded, patch, { overlap }).count,
    batch,
    scanBytes,
    prepareBytes,
    windowBytes,
    restoreBytes,
    peakBytes: scanBytes + Math.max(prepareBytes, windowBytes, restoreBytes),
    cardBytes: network.cardBytes,
  };
}

/**
 * The same for the batch that the model is quickest with, halved until it fits the memory that is there; never more
 * windows at once than the scan has.
 */
export function estimateWithBatch(
  model: LoadedModel,
  image: Volume,
  {
    available = Number.POSITIVE_INFINITY,
    ...window
  }: { patch: Size3; overlap: Size3; map?: boolean; available?: number },
): PredictionEstimate {
  const one = estimatePrediction(model, image, window);
  for (let batch = Math.min(model.windowsAtOnce, one.windows); batch > 1; batch = Math.floor(batch / 2)) {
    const estimate = estimatePrediction(model, image, { ...window, batch });
    if (estimate.peakBytes <= available) return estimate;
  }
  return one;
}

/** Memory this process may still take, in bytes; undefined where the platform does not say (browsers). */
export function availableMemory(): number | undefined {
  const host = (globalThis as { process?: { availableMemory?: () => number } }).process;
  return host?.availableMemory?.();
}

/** Bytes as people read them, e.g. '1.4 GB'. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

/** @throws QuickcolumnError `memory` when the estimate is above what is available. */
export function refuseIfTooLarge(estimate: PredictionEstimate, available: number | undefined, name: string): void {
  if (available === undefined || estimate.peakBytes <= available) return;
  throw new QuickcolumnError(
    'memory',
    `${name}: prediction needs about ${formatBytes(estimate.peakBytes)} and ${formatBytes(available)} are available; ` +
      'use a smaller patch, close other programs or run on a larger machine',
    { neededBytes: estimate.peakBytes, availableBytes: available },
  );
}
