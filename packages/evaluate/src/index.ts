export { captionHeight, drawCaption } from './overlay/captions.js';
export type { ChartOptions } from './report/chart-parts.js';
export { boxPlot, lineChart, type BoxGroup, type Series } from './report/charts.js';
export { comparisonCsv, type ComparisonCsv } from './comparison/csv.js';
export type { CostSummary } from './comparison/cost.js';
export { type ComparedMetric, comparedMetrics, type SystemPair } from './comparison/pairs.js';
export type { CaseImages } from './comparison/figures/panels.js';
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
export { EvaluationError } from './errors.js';
export { evaluateCase, type EvaluateOptions } from './metrics/metrics.js';
export { htmlTable } from './report/html.js';
export {
  drawOverlay,
  renderOverlay,
  sliceWithMost,
  type Overlay,
  type OverlayOptions,
  type OverlayPixels,
} from './overlay/overlay.js';
export { buildPage, type PageInput, section } from './report/page.js';
export { buildReport, type HistoryPoint, type ReportInput } from './report/report.js';
export {
  bootstrapInterval,
  holm,
  pairedDifferences,
  type Interval,
  type PairedResult,
  type ResamplingOptions,
} from './statistics/statistics.js';
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
} from './statistics/summary.js';
export { toCsv, toTable } from './report/table.js';
export {
  metricNames,
  type CaseMetrics,
  type ClassMetrics,
  type ClinicalQuantities,
  type ConfusionCounts,
  type MetricName,
  type MetricValues,
  type Presence,
  type SurfaceCounts,
} from './types.js';
