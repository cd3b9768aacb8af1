export type { Affine, Size3, Vector3, Volume, VoxelArray } from './volume.js';
export { VolumeError } from './errors.js';
export { checkSize, checkVoxels, emptyLike, voxelCount } from './volume-checks.js';
export {
  applyAffine,
  axisCodes,
  axisDirections,
  compareGrids,
  invertAffine,
  largestAxisCosine,
  multiplyAffine,
  resizedAffine,
  spacingMm,
  voxelVolumeMm3,
  type AxisDirection,
  type Grid,
  type GridComparison,
} from './geometry.js';
export {
  affineOfCodes,
  allAxisCodes,
  permuteAndFlip,
  reorient,
  reorientBack,
  reorientation,
  reorientedAffine,
  type Reorientation,
} from './orientation.js';
export { resizeCubic, resizeLabels, resizeLinear, resizeNearest } from './resample.js';
export { sampleCubic, splineCoefficients } from './spline.js';
export {
  connectedComponents,
  largestComponent,
  type ComponentOptions,
  type Components,
  type Connectivity,
} from './components.js';
export { distanceTransform, type DistanceOptions } from './distance.js';
export { type IntensityScale, intensityScaleOf } from './intensity-scale.js';
export { covidClasses, type LabelClass, type LabelRole, labelRoles, msdClasses } from './label-class.js';
export { withRoles } from './roles-from-names.js';
export { GridMismatchError, requireSameGrid } from './same-grid.js';
