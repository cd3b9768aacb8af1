/**
 * What the intensities of a scan are. Published sets are mixed: half of COVID-19-CT-Seg is in HU, the other half was
 * windowed to 0–255 by its publisher and has lost them.
 */
import type { VoxelArray } from './volume.js';

export type IntensityScale = 'hu' | '0-255';

/** `hu` when any voxel is below −200, which can be nothing else (system specification, section 3), else `0-255`. */
export function intensityScaleOf(voxels: VoxelArray): IntensityScale {
  for (let i = 0; i < voxels.length; i++) if (voxels[i] < -200) return 'hu';
  return '0-255';
}
