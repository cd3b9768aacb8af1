/**
 * The one way from a scan to a mask: labels on the scan's own grid, what they measure, and the sidecar that belongs beside
 * them. The command line, pages and services all call this; none puts a sidecar together by itself.
 */
import { type MaskMeasurement, measureMask } from '@quickcolumn/measure';
import type { Volume } from '@quickcolumn/volume';
import type { Doubt } from './doubts/doubts.js';
import { findDoubts } from './doubts/find-doubts.js';
import type { LoadedModel } from './model/loaded-model.js';
import { type Prediction, type PredictOptions, predictScan, resolveWindow } from './predict.js';
import { describeMask, type MaskSidecar, type Program, type SidecarFiles } from './sidecar.js';

export interface SegmentOptions extends Omit<PredictOptions, 'onLabels'> {
  /** Names for the sidecar. */
  readonly files: SidecarFiles;
  /** Who writes the mask, for the sidecar. */
  readonly program: Program;
  /** What reading the scan told, for the sidecar; beside what is noted of the scan here. */
  readonly readingNotes?: readonly string[];
  /** Smallest lesion that is counted; default 0.05 ml. */
  readonly minimumLesionMl?: number | undefined;
  /** Called with the finished mask before the first class's probabilities, and awaited: it can be safe on the disk first. */
  readonly onMask?: (segmentation: Segmentation) => Promise<void> | void;
}

/** A mask and everything that is known about it; `volumes` and `quantities` in full, in the sidecar rounded. */
export interface Segmentation extends Prediction, MaskMeasurement {
  /** Why the mask may be wrong; empty where nothing says so. */
  readonly doubts: readonly Doubt[];
  readonly sidecar: MaskSidecar;
}

/**
 * Segments one scan. Probabilities go, one class at a time, to `options.onProbability`.
 *
 * @param scan any orientation and spacing; HU or already 0–255.
 * @throws as `predictScan` does
 */
export async function segment(model: LoadedModel, scan: Volume, options: SegmentOptions): Promise<Segmentation> {
  const { files, program, minimumLesionMl, onMask, readingNotes = [], ...settings } = options;
  const { classes } = model.metadata.preparation;
  const window = resolveWindow(model, options);
  const describe = (prediction: Prediction): Segmentation => {
    const notes = [...readingNotes, ...prediction.notes];
    const measurement = measureMask(prediction.labels, classes, { image: scan, minimumLesionMl });
    const { metadata } = model;
    const doubts = findDoubts({ ...prediction, scan, metadata, measurement });
    const about = { files, program, window, options, measurement, doubts };
    const sidecar = describeMask(model, { ...prediction, notes }, about);
    return { ...prediction, ...measurement, notes, doubts, sidecar };
  };
  let segmentation: Segmentation | undefined;
  const onLabels = async (prediction: Prediction): Promise<void> => {
    segmentation = describe(prediction);
    await onMask?.(segmentation);
  };
  const prediction = await predictScan(model, scan, { ...settings, onLabels });
  return segmentation ?? describe(prediction);
}
