/**
 * What an evaluation holds: per-case metrics and the names of the metrics.
 *
 * Every ratio is `number | null`. `null` means "undefined for this case" (for example Dice where truth and prediction
 * are both empty): it is left out of every mean and counted, never NaN and never 0. All of it is plain JSON.
 */
import type { LabelQuantities, LungInvolvement } from '@quickcolumn/measure';
import type { Size3, Vector3 } from '@quickcolumn/volume';

export type MetricName =
  | 'dice'
  | 'sensitivity'
  | 'specificity'
  | 'precision'
  | 'iou'
  | 'accuracy'
  | 'hd95Mm'
  | 'assdMm'
  | 'surfaceDice'
  | 'truthVolumeMl'
  | 'predictionVolumeMl';

/** The metrics in the order of tables and CSV columns. */
export const metricNames: readonly MetricName[] = [
  'dice',
  'sensitivity',
  'specificity',
  'precision',
  'iou',
  'accuracy',
  'hd95Mm',
  'assdMm',
  'surfaceDice',
  'truthVolumeMl',
  'predictionVolumeMl',
];

export type MetricValues = Readonly<Record<MetricName, number | null>>;

/** Voxel counts of one class against all others. */
export interface ConfusionCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Sums over the surface voxels of both masks (see surface.ts); null in ClassMetrics where both masks are empty. */
export interface SurfaceCounts {
  readonly truthVoxels: number;
  readonly predictionVoxels: number;
  /** Surface voxels, of both masks, that lie within the tolerance of the other surface. */
  readonly withinTolerance: number;
  /** Sum of the distances of all surface voxels, of both masks, to the other surface; 0 where one mask is empty. */
  readonly distanceSumMm: number;
}

export type Presence = 'both' | 'neither' | 'truth-only' | 'prediction-only';

export interface ClassMetrics {
  readonly value: number;
  readonly name: string;
  readonly presence: Presence;
  readonly toleranceMm: number;
  readonly counts: ConfusionCounts;
  readonly surface: SurfaceCounts | null;
  readonly metrics: MetricValues;
}

export interface CaseMetrics {
  readonly name: string;
  /** Cases of one patient are resampled together by the bootstrap. */
  readonly patient: string;
  readonly size: Size3;
  readonly spacingMm: Vector3;
  /** Voxels that are not annotated and were left out; absent unless a label to ignore was given. */
  readonly ignoredVoxels?: number;
  /** One entry a class, background left out, in the order of the classes given. */
  readonly classes: readonly ClassMetrics[];
  /** Mean of the left and the right lung (volumes: their sum); null where the classes hold no pair of lungs. */
  readonly lungs: MetricValues | null;
  /** Class values of the left and the right lung; null as `lungs`. */
  readonly lungClasses: readonly [number, number] | null;
  /** null where the classes hold no pair of lungs and lesion, or the label map shows no lung at all. */
  readonly involvement: { readonly truth: LungInvolvement | null; readonly prediction: LungInvolvement | null };
  /** Absent where no class is a lesion. */
  readonly clinical?: ClinicalQuantities;
  /** Why the prediction may be wrong, as whoever made it tells beside it; absent where nobody has looked. */
  readonly doubts?: readonly string[];
}

export interface ClinicalQuantities {
  /** Name of the class that lesions are of; of several, joined by ` + `. */
  readonly lesion: string;
  readonly minimumLesionMl: number;
  /** Of the image; null without one. */
  readonly scale: 'hu' | '0-255' | null;
  readonly truth: LabelQuantities;
  readonly prediction: LabelQuantities;
}
