export type { ComparedFold, ComparedSystem, Comparison, FoldCost } from './comparison/types.js';
export { boxPlot, lineChart, type BoxGroup, type ChartOptions, type Series } from './charts.js';
export { EvaluationError, GridMismatchError } from './errors.js';
export { evaluateCase, findLungRoles, type EvaluateOptions } from './metrics.js';
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
export { buildReport, type HistoryPoint, type ReportInput } from './report.js';
export {
  bootstrapInterval,
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
  type ConfusionCounts,
  type LabelClass,
  type LungInvolvement,
  type LungRoles,
  type MetricName,
  type MetricValues,
  type Presence,
  type SurfaceCounts,
} from './types.js';
