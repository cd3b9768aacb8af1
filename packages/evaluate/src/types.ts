/**
 * What an evaluation holds: classes, per-case metrics and the names of the metrics.
 *
 * Every ratio is `number | null`. `null` means "undefined for this case" (for example Dice where truth and prediction
 * are both empty): it is left out of every mean and counted, never NaN and never 0. All of it is plain JSON.
 */
import type { Size3, Vector3 } from '@quickcolumn/volume';

/** The part of a label class that evaluation needs; the pipeline's LabelClass fits. */
export interface LabelClass {
  /** Voxel value, 0–255. 0 is the background and gets no row of its own. */
  readonly value: number;
  readonly name: string;
  /** Display colour, red, green, blue, each 0–255. */
  readonly color: readonly [number, number, number];
}

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

/** Infected share of each lung in one label map, 0–1; null where that lung has neither lung nor infection voxels. */
export interface LungInvolvement {
  readonly left: number | null;
  readonly right: number | null;
  readonly both: number | null;
  readonly leftInfectionMl: number;
  readonly rightInfectionMl: number;
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
  /** null where the classes hold no pair of lungs and infection, or the label map shows no lung at all. */
  readonly involvement: { readonly truth: LungInvolvement | null; readonly prediction: LungInvolvement | null };
  /** Absent where no class is called infection, lesion or tumour. */
  readonly clinical?: ClinicalQuantities;
}

/** What clinicians read from one label map (quantities.ts); mean HU is null without voxels and for scans not in HU. */
export interface LabelQuantities {
  readonly lesionMl: number;
  /** Connected components (26) of at least the minimum volume. */
  readonly lesionCount: number;
  readonly lesionMeanHu: number | null;
  /** Of the voxels labelled as lung, the lesions left out; null without lungs. */
  readonly leftLungMeanHu: number | null;
  readonly rightLungMeanHu: number | null;
}

export interface ClinicalQuantities {
  /** Name of the class that lesions are of. */
  readonly lesion: string;
  readonly minimumLesionMl: number;
  /** Of the image; null without one. */
  readonly scale: 'hu' | '0-255' | null;
  readonly truth: LabelQuantities;
  readonly prediction: LabelQuantities;
}

/** Class values with a special meaning. */
export interface LungRoles {
  readonly leftLung: number;
  readonly rightLung: number;
  readonly infection: number;
}
