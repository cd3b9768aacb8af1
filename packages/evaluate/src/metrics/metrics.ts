/**
 * Metrics of one case, per class one-vs-rest, on the scan's own grid (spec section 8).
 *
 * Where a ratio is 0/0 it is null: Dice, IoU and surface metrics when truth and prediction are both empty, sensitivity
 * when the truth is empty, precision when the prediction is. If only one of them is empty, Dice, IoU and surface Dice
 * are 0 and the distances, which would be infinite, are null; `presence` tells the cases apart.
 * Surface distances are taken in the box that holds both masks: exact, because no surface lies outside it.
 */
import {
  boxSize,
  cropMask,
  defaultMinimumLesionMl,
  type GridMetric,
  indexSurface,
  labelQuantities,
  type LungInvolvement,
  type LungValues,
  measureInvolvement,
  metricOf,
  type QuantityOptions,
  rolesOf,
  type RoleValues,
  type SurfaceIndex,
  surfaceDistances,
  surfaceOf,
  valueSet,
} from '@quickcolumn/measure';
import {
  intensityScaleOf,
  type LabelClass,
  requireSameGrid,
  type Size3,
  type Volume,
  voxelVolumeMm3,
} from '@quickcolumn/volume';
import { EvaluationError } from '../errors.js';
import type {
  CaseMetrics,
  ClassMetrics,
  ClinicalQuantities,
  ConfusionCounts,
  MetricName,
  MetricValues,
  Presence,
  SurfaceCounts,
} from '../types.js';
import { metricNames } from '../types.js';
import { confusionOf, countPairs, type JointCounts } from './confusion.js';
import { compareSurfaces, type SurfaceMetrics } from './surface-metrics.js';

export interface EvaluateOptions extends QuantityOptions {
  /** Name in tables and messages; default `case`. */
  readonly name?: string;
  /** Patient the case belongs to; default the name. */
  readonly patient?: string;
  /** Tolerance of the surface Dice by class value; default 1 mm for lungs, 3 mm for every other class. */
  readonly tolerancesMm?: Readonly<Record<number, number>>;
  /**
   * Voxels with this value in the truth are not annotated: they count in no metric, nor in the volumes. A surface that
   * is cut by such a region ends there in both masks.
   */
  readonly ignoreLabel?: number;
}

/** Metrics that follow from the counts alone; distances and volumes are not among them. */
export function overlapMetrics(counts: ConfusionCounts): Readonly<Record<OverlapMetricName, number | null>> {
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = counts;
  return {
    dice: ratio(2 * tp, 2 * tp + fp + fn),
    sensitivity: ratio(tp, tp + fn),
    specificity: ratio(tn, tn + fp),
    precision: ratio(tp, tp + fp),
    iou: ratio(tp, tp + fp + fn),
    accuracy: ratio(tp + tn, tp + tn + fp + fn),
  };
}

export type OverlapMetricName = 'dice' | 'sensitivity' | 'specificity' | 'precision' | 'iou' | 'accuracy';

/**
 * Evaluates a predicted label map against the truth, both on the scan's grid.
 * @throws GridMismatchError when size or affine differ; EvaluationError for label values outside `classes`.
 */
export function evaluateCase(
  fullTruth: Volume<Uint8Array>,
  fullPrediction: Volume<Uint8Array>,
  classes: readonly LabelClass[],
  options: EvaluateOptions = {},
): CaseMetrics {
  const name = options.name ?? 'case';
  requireSameGrid(fullPrediction, fullTruth, `${name}: the prediction`, 'the truth');
  const { truth, prediction, ignoredVoxels } = withoutIgnored(fullTruth, fullPrediction, options.ignoreLabel);
  const { size } = truth;
  const metric = metricOf(truth.affine);
  const voxelMl = voxelVolumeMm3(truth.affine) / 1000;
  const joint = countPairs(truth.voxels, prediction.voxels, size, ignoredVoxels);
  requireDeclaredValues(joint, classes, name);
  const roles = rolesOf(classes);
  const { lungs } = roles;
  const grid: Grid = { truth: truth.voxels, prediction: prediction.voxels, size, metric, voxelMl, joint };

  const results = new Map<number, RegionResult>();
  for (const labelClass of classes) {
    if (labelClass.value === 0) continue;
    const isLung = labelClass.value === lungs?.left || labelClass.value === lungs?.right;
    const toleranceMm = options.tolerancesMm?.[labelClass.value] ?? (isLung ? 1 : 3);
    results.set(labelClass.value, evaluateClass(grid, labelClass, toleranceMm, isLung));
  }
  const clinical = clinicalOf(truth, prediction, { joint, roles }, options, name);
  const left = lungs === null ? undefined : results.get(lungs.left);
  const right = lungs === null ? undefined : results.get(lungs.right);
  const involvement = (map: 'truth' | 'prediction'): LungInvolvement | null =>
    lungs && left && right && roles.lesions.length > 0
      ? involvementOf(grid, { lungs, lesions: roles.lesions }, { left, right }, map)
      : null;
  return {
    name,
    patient: options.patient ?? name,
    size: [...size],
    spacingMm: metric.spacingMm,
    ...(options.ignoreLabel === undefined ? {} : { ignoredVoxels }),
    classes: [...results.values()].map((result) => result.metrics),
    lungs: left && right ? averageLungs(left.metrics.metrics, right.metrics.metrics) : null,
    lungClasses: lungs === null ? null : [lungs.left, lungs.right],
    involvement: { truth: involvement('truth'), prediction: involvement('prediction') },
    ...(clinical === null ? {} : { clinical }),
  };
}

/** null where no class is a lesion. */
function clinicalOf(
  truth: Volume<Uint8Array>,
  prediction: Volume<Uint8Array>,
  about: { readonly joint: JointCounts; readonly roles: RoleValues },
  { image, minimumLesionMl = defaultMinimumLesionMl }: QuantityOptions,
  name: string,
): ClinicalQuantities | null {
  if (image !== undefined) requireSameGrid(image, truth, `${name}: the image`, 'the truth');
  const { lungs, lesions, lesionName } = about.roles;
  if (lesions.length === 0) return null;
  const scale = image === undefined ? null : intensityScaleOf(image.voxels);
  const imageHu = scale === 'hu' ? image : undefined;
  const places = { lesions, lungs, box: about.joint.boxOf(...lesions) };
  return {
    lesion: lesionName,
    minimumLesionMl,
    scale,
    truth: labelQuantities(truth, places, imageHu, minimumLesionMl),
    prediction: labelQuantities(prediction, places, imageHu, minimumLesionMl),
  };
}

/** Both maps with background where the truth has the value to ignore, and how many voxels that are. */
function withoutIgnored(
  truth: Volume<Uint8Array>,
  prediction: Volume<Uint8Array>,
  ignoreLabel: number | undefined,
): { truth: Volume<Uint8Array>; prediction: Volume<Uint8Array>; ignoredVoxels: number } {
  if (ignoreLabel === undefined) return { truth, prediction, ignoredVoxels: 0 };
  const [known, predicted] = [truth.voxels.slice(), prediction.voxels.slice()];
  let ignoredVoxels = 0;
  for (let at = 0; at < known.length; at++) {
    if (known[at] !== ignoreLabel) continue;
    known[at] = 0;
    predicted[at] = 0;
    ignoredVoxels++;
  }
  return { truth: { ...truth, voxels: known }, prediction: { ...prediction, voxels: predicted }, ignoredVoxels };
}

interface Grid {
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
  readonly size: Size3;
  readonly metric: GridMetric;
  readonly voxelMl: number;
  readonly joint: JointCounts;
}

interface RegionResult {
  readonly metrics: ClassMetrics;
  /** Rows of the class's surface in each map, kept for lungs only; null where the map does not have the class. */
  readonly rows: { readonly truth: SurfaceIndex | null; readonly prediction: SurfaceIndex | null };
}

function evaluateClass(grid: Grid, labelClass: LabelClass, toleranceMm: number, keepRows: boolean): RegionResult {
  const counts = confusionOf(grid.joint, labelClass.value);
  const inTruth = counts.truePositives + counts.falseNegatives;
  const inPrediction = counts.truePositives + counts.falsePositives;
  const presence = presenceOf(inTruth, inPrediction);
  const { distances, surfaceCounts, rows } = measureSurfaces(grid, labelClass.value, toleranceMm);
  const oneEmpty = presence === 'truth-only' || presence === 'prediction-only';
  return {
    metrics: {
      value: labelClass.value,
      name: labelClass.name,
      presence,
      toleranceMm,
      counts,
      surface: surfaceCounts,
      metrics: {
        ...overlapMetrics(counts),
        hd95Mm: distances?.hd95Mm ?? null,
        assdMm: distances?.assdMm ?? null,
        surfaceDice: distances?.surfaceDice ?? (oneEmpty ? 0 : null),
        truthVolumeMl: inTruth * grid.voxelMl,
        predictionVolumeMl: inPrediction * grid.voxelMl,
      },
    },
    rows: keepRows ? rows : { truth: null, prediction: null },
  };
}

interface SurfaceMeasurement {
  readonly distances: SurfaceMetrics | null;
  readonly surfaceCounts: SurfaceCounts | null;
  readonly rows: RegionResult['rows'];
}

function measureSurfaces(grid: Grid, value: number, toleranceMm: number): SurfaceMeasurement {
  const box = grid.joint.boxOf(value);
  if (box === null) return { distances: null, surfaceCounts: null, rows: { truth: null, prediction: null } };
  const size = boxSize(box);
  const values = valueSet(value);
  const truth = surfaceOf(cropMask(grid.truth, grid.size, box, values), size);
  const prediction = surfaceOf(cropMask(grid.prediction, grid.size, box, values), size);
  const rows = {
    truth: truth.indices.length > 0 ? indexSurface(truth, box, grid.metric) : null,
    prediction: prediction.indices.length > 0 ? indexSurface(prediction, box, grid.metric) : null,
  };
  if (rows.truth === null || rows.prediction === null) {
    const surfaceCounts = {
      truthVoxels: truth.indices.length,
      predictionVoxels: prediction.indices.length,
      withinTolerance: 0,
      distanceSumMm: 0,
    };
    return { distances: null, surfaceCounts, rows };
  }
  const distances = compareSurfaces(
    surfaceDistances(truth, prediction, rows.prediction),
    surfaceDistances(prediction, truth, rows.truth),
    toleranceMm,
  );
  return { distances, surfaceCounts: distances.counts, rows };
}

function involvementOf(
  grid: Grid,
  { lungs, lesions }: { readonly lungs: LungValues; readonly lesions: readonly number[] },
  { left, right }: { readonly left: RegionResult; readonly right: RegionResult },
  map: 'truth' | 'prediction',
): LungInvolvement | null {
  const voxelsOf = (value: number): number => {
    const counts = confusionOf(grid.joint, value);
    return counts.truePositives + (map === 'truth' ? counts.falseNegatives : counts.falsePositives);
  };
  const counts = {
    leftVoxels: voxelsOf(lungs.left),
    rightVoxels: voxelsOf(lungs.right),
    infectionVoxels: lesions.reduce((sum, value) => sum + voxelsOf(value), 0),
  };
  const { size, voxelMl } = grid;
  const places = { values: valueSet(...lesions), box: grid.joint.boxOf(...lesions) };
  const infection = { labels: grid[map], size, ...places };
  return measureInvolvement(infection, counts, { left: left.rows[map], right: right.rows[map] }, voxelMl);
}

function averageLungs(left: MetricValues, right: MetricValues): MetricValues {
  const entries = metricNames.map((metric): [MetricName, number | null] => {
    const values = [left[metric], right[metric]].filter((value) => value !== null);
    if (values.length === 0) return [metric, null];
    const sum = values.reduce((a, b) => a + b, 0);
    const isVolume = metric === 'truthVolumeMl' || metric === 'predictionVolumeMl';
    return [metric, isVolume ? sum : sum / values.length];
  });
  return Object.fromEntries(entries) as Record<MetricName, number | null>;
}

function presenceOf(inTruth: number, inPrediction: number): Presence {
  if (inTruth > 0) return inPrediction > 0 ? 'both' : 'truth-only';
  return inPrediction > 0 ? 'prediction-only' : 'neither';
}

function requireDeclaredValues(joint: JointCounts, classes: readonly LabelClass[], name: string): void {
  const declared = new Set([0, ...classes.map((c) => c.value)]);
  for (let value = 0; value < 256; value++) {
    if (declared.has(value)) continue;
    const counts = confusionOf(joint, value);
    const inTruth = counts.truePositives + counts.falseNegatives;
    const inPrediction = counts.truePositives + counts.falsePositives;
    if (inTruth + inPrediction === 0) continue;
    const map = inTruth > 0 ? 'truth' : 'prediction';
    throw new EvaluationError(
      `${name}: the ${map} has ${Math.max(inTruth, inPrediction)} voxels with label value ${value}, ` +
        `the declared classes are ${classes.map((c) => `${c.value} ${c.name}`).join(', ')}; ` +
        'correct the label map or declare the class',
      { case: name, map, value },
    );
  }
}

function ratio(numerator: number, denominator: number): number | null {
  return denominator === 0 ? null : numerator / denominator;
}
