export { captionHeight, drawCaption } from './captions.js';
export type { ChartOptions } from './chart-parts.js';
export { boxPlot, lineChart, type BoxGroup, type Series } from './charts.js';
export { comparisonCsv, type ComparisonCsv } from './comparison/csv.js';
export type { CostSummary } from './comparison/cost.js';
export { type ComparedMetric, comparedMetrics, type SystemPair } from './comparison/pairs.js';
export type { CaseImages } from './comparison/panels.js';
export { type PublishedResult, publishedResults } from './comparison/published.js';
export {
  buildComparisonReport,
  type ComparisonFigure,
  type ComparisonReport,
  type ComparisonReportOptions,
} from './comparison/report.js';
export {
  type CaseRow,
  type ComparisonStatistics,
  comparisonStatistics,
  type SystemStatistics,
} from './comparison/result.js';
export type { ComparedFold, ComparedSystem, Comparison, FoldCost } from './comparison/types.js';
export { EvaluationError, GridMismatchError } from './errors.js';
export { findLungRoles } from './lung-roles.js';
export { evaluateCase, type EvaluateOptions } from './metrics.js';
export { htmlTable } from './html.js';
export {
  drawOverlay,
  renderOverlay,
  sliceWithMost,
  type Overlay,
  type OverlayOptions,
  type OverlayPixels,
} from './overlay.js';
export { buildPage, type PageInput, section } from './page.js';
export { type MaskQuantities, maskQuantities, type QuantityOptions } from './quantities.js';
export { buildReport, type HistoryPoint, type ReportInput } from './report.js';
export {
  bootstrapInterval,
  holm,
  pairedDifferences,
  type Interval,
  type PairedResult,
  type ResamplingOptions,
} from './statistics.js';
export {
  compareModels,
  evaluationResult,
  lungsRegion,
  regionValue,
  summarize,
  type ComparisonResult,
  type EvaluationResult,
  type MetricSummary,
  type RegionSummary,
  type Summary,
} from './summary.js';
export { toCsv, toTable } from './table.js';
export {
  metricNames,
  type CaseMetrics,
  type ClassMetrics,
  type ClinicalQuantities,
  type ConfusionCounts,
  type LabelClass,
  type LabelQuantities,
  type LungInvolvement,
  type LungRoles,
  type MetricName,
  type MetricValues,
  type Presence,
  type SurfaceCounts,
} from './types.js';
