/** What a label map shows, in numbers; runs in browsers, too. */
export { type Box, boxSize, type ExtentRecorder, type LabelExtents, labelExtents, recordExtents } from './extents.js';
export { type LungInvolvement, measureInvolvement } from './involvement.js';
export { type GridMetric, metricOf } from './metric.js';
export { indexSurface, type SurfaceIndex, surfaceDistances } from './nearest.js';
export type { PointTree } from './point-tree.js';
export {
  type ClassVolume,
  defaultMinimumLesionMl,
  type LabelQuantities,
  labelQuantities,
  type MaskMeasurement,
  type MaskQuantities,
  measureMask,
  type QuantityOptions,
} from './quantities.js';
export { type LungValues, rolesOf, type RoleValues } from './roles.js';
export { cropMask, type Surface, surfaceOf, valueSet } from './surface.js';
